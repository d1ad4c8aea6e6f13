"""The service connects as a role that owns nothing: all its work can be done, and nothing that was counted undone."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from app.cli import commands
from app.core.clock import day_in, utc_now
from app.core.config import Settings
from app.core.embedded import PROGRAMS
from app.core.grants import grant
from app.domain.permissions import Role
from app.main import create_app
from app.services.records import graffiti
from tests.auth.devices import device, person
from tests.city import IN_WEST, TestCity, application, found_city, removal
from tests.conftest import SECRET_KEY, TEMPLATE, copy_of, database_url, execute
from tests.records.files import figures, row, send, table

ROLES = Path(__file__).parents[2] / "docs" / "roles.sql"
PASSWORD = 'it\'s "any" character'


@pytest.fixture(scope="module")
def role() -> str:
    return f"api_{uuid4().hex}"


@pytest.fixture(scope="module")
def owner_url(server: str, role: str) -> Iterator[str]:
    """A migrated database with the role that docs/roles.sql makes, under a name of its own."""
    name = f"roles_{uuid4().hex}"
    asyncio.run(execute(server, copy_of(TEMPLATE, name)))
    url = database_url(server, name)
    script = ROLES.read_text().replace("narkostop_api", role)
    environment = {"PATH": os.defpath, "POSTGRES_API_PASSWORD": PASSWORD}
    psql = [PROGRAMS / "psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", url]
    subprocess.run(psql, input=script, text=True, env=environment, check=True, capture_output=True)
    asyncio.run(grant(url, role))
    yield url
    asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {role}"))


@pytest.fixture(scope="module")
def role_url(owner_url: str, role: str) -> str:
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(PASSWORD, safe='')}@{host}"))


@pytest.fixture(scope="module")
async def as_the_role(role_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(Settings(DATABASE_URL=role_url, secret_key=SECRET_KEY, log_level="CRITICAL"))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="module")
async def town(as_the_role: FastAPI) -> AsyncIterator[TestCity]:
    async with found_city(as_the_role) as city:
        yield city


async def test_the_street_is_worked_and_counted(town: TestCity):
    coordinator = await town.as_(Role.COORDINATOR)
    raid = await town.raid_under_way()
    await coordinator.post(f"/raids/{raid['id']}/removals", json=removal(inscriptions=7))
    assert (await coordinator.post(f"/raids/{raid['id']}/finish")).status_code == 200
    assert (await town.totals())["graffiti_painted"]["total"] == 7


async def test_a_volunteer_is_admitted_and_signs_in(town: TestCity):
    coordinator, form = await town.as_(Role.COORDINATOR), application()
    key = {"Idempotency-Key": uuid4().hex}
    applied = [await town.anonymous.post(f"/public/{town.id}/volunteers", json=form, headers=key) for _ in range(2)]
    assert applied[0].content == applied[1].content
    where = f"/volunteers/{applied[0].json()['id']}"
    assert (await coordinator.post(f"{where}/approve")).status_code == 200
    code = (await coordinator.post(f"{where}/invite")).json()["code"]
    chosen = {"login": form["phone"], "code": code, "password": "narkostop demo city"}
    assert (await town.anonymous.post("/auth/password", json=chosen)).status_code == 204
    phone = await device(town, await person(town))
    assert (await phone.refresh()).status_code == 200
    assert (await phone.post("/auth/logout-everywhere")).status_code == 204


async def test_a_resource_is_referred_blocked_and_removed(town: TestCity):
    moderator, coordinator = await town.as_(Role.MODERATOR), await town.as_(Role.COORDINATOR)
    _, volunteer = await town.volunteer()
    found = (await volunteer.post("/findings", json={"address": "https://x.example"})).json()["resource_id"]
    for step in ("review", "confirm"):
        assert (await moderator.post(f"/resources/{found}/{step}")).status_code == 200
    referred = {"authority": "Ministry", "resource_ids": [found]}
    referral = (await coordinator.post("/referrals", json=referred)).json()["id"]
    today = f"{day_in('Asia/Almaty', utc_now())}"
    sent = {"outgoing_number": "1", "sent_on": today, "due_on": today}
    assert (await coordinator.post(f"/referrals/{referral}/send", json=sent)).status_code == 200
    answered = {"answer": "blocked", "answered_on": today}
    answer = await coordinator.post(f"/referrals/{referral}/items/{found}/answer", json=answered)
    assert answer.json()["status"] == "answered"
    gone = {
        "observed_at": utc_now().isoformat(),
        "asn": 64_500,
        "state": "removed",
        "control_reachable": True,
        "note": "Is",
    }
    seen = await moderator.post(f"/resources/{found}/observations", json=gone)
    assert seen.json()["led_to"] == "removed"


async def test_a_card_is_referred_and_frozen(town: TestCity):
    moderator, coordinator = await town.as_(Role.MODERATOR), await town.as_(Role.COORDINATOR)
    card = (await moderator.post("/payment-cards", json={"number": "4111111111111111"})).json()["id"]
    today = f"{day_in('Asia/Almaty', utc_now())}"
    letter = {"authority": "Bank", "outgoing_number": "1", "referred_on": today}
    assert (await coordinator.post(f"/payment-cards/{card}/refer", json=letter)).status_code == 200
    frozen = await coordinator.post(f"/payment-cards/{card}/freeze", json={"frozen_on": today, "amount_kzt": 1})
    assert frozen.json()["status"] == "frozen"


async def test_walls_are_reported_and_merged(town: TestCity):
    coordinator = await town.as_(Role.COORDINATOR)
    seen = {"kind": "stencil", "seen_at": "2026-01-01T00:00:00Z"}
    walls = [{**IN_WEST, "latitude": 43.6 + n / 100} for n in range(2)]
    ids = [(await coordinator.post("/sightings", json={**seen, "point": wall})).json()["spot_id"] for wall in walls]
    merged = await coordinator.post(f"/spots/{ids[0]}/merge", json={"spot_id": ids[1]})
    assert merged.status_code == 200


async def test_an_import_of_many_rows_tells_the_planner(
    town: TestCity, owner_url: str, monkeypatch: pytest.MonkeyPatch
):
    """Which only the tables' owner may."""
    monkeypatch.setattr(graffiti, "MANY", 1)
    assert figures(await send(town, table(row())))["imported"] == 1
    owner = await asyncpg.connect(owner_url)
    told = "SELECT relname, analyze_count FROM pg_stat_user_tables WHERE relname = ANY ($1)"
    tables = ("spot", "spot_cycle", "removal", "ledger_entry")
    assert dict(await owner.fetch(told, tables)) == dict.fromkeys(tables, 1)
    await owner.close()


async def refused(url: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(url, statement)


@pytest.mark.parametrize("table", ["ledger_entry", "consent", "declared_count"])
async def test_it_may_only_add_to_what_was_counted_or_consented_to(role_url: str, table: str):
    for change in ("UPDATE {} SET city_id = city_id", "DELETE FROM {}", "TRUNCATE {}"):
        await refused(role_url, change.format(table))
    await refused(role_url, f"ALTER TABLE {table} DISABLE TRIGGER append_only")
    await refused(role_url, f"DROP TRIGGER append_only ON {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE assignment",
        "DROP TABLE assignment",
        "CREATE TABLE mine (id int)",
        "UPDATE alembic_version SET version_num = version_num",
        "SET session_replication_role = replica",
    ],
)
async def test_the_tables_are_not_its_own(role_url: str, statement: str):
    await refused(role_url, statement)


def test_a_role_that_is_not_there_is_one_line(owner_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", owner_url)
    result = CliRunner().invoke(commands("migrate"), ["migrate", "--grant-to", "nobody"])
    assert str(result.exception) == "--grant-to: there is no role nobody but the one that migrates"

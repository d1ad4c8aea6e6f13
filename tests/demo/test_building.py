import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import asyncpg
import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from app.cli.demo import ensure
from app.core.clock import utc_now
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.domain.errors import Conflict, Invalid
from app.domain.seals import MOST_ENTRIES
from app.models.accounts import Account
from app.services import cities, demo, seal_checks
from app.services.demo import Wish
from app.services.demo.almanac import Almanac
from tests.almaty_year import COMMAND, UNTIL, WISH, counts
from tests.city import Client
from tests.commands import Narkostop
from tests.conftest import SECRET_KEY
from tests.demo.conftest import build

OF_THIS_DATABASE = {"secret_hash", "transaction_id"}


async def test_same_seed_and_day_give_the_same_rows(connection: asyncpg.Connection):
    """Those that another process stored, whose sets have another order, and those that this one makes up."""
    new = cities.bundled("almaty")
    assert new
    await connection.set_type_codec("json", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    for rows in demo.made_up_year(Almanac(new, UNTIL, WISH.seed), secret_hash=""):
        table = sa.inspect(type(rows[0])).local_table
        names = [column.name for column in table.columns if not column.computed and column.name not in OF_THIS_DATABASE]
        stored = {row["id"]: dict(row) for row in await connection.fetch(f"SELECT {', '.join(names)} FROM {table}")}
        assert len(stored) == len(rows)
        for row in rows:
            assert stored[vars(row)["id"]] == {name: vars(row)[name] for name in names}


async def test_another_seed_gives_another_year():
    new = cities.bundled("almaty")
    assert new
    one, other = (Almanac(new, date(2026, 6, 15), seed) for seed in (1, 2))
    moment = one.end - timedelta(days=1)
    assert one.new(one.dice("people"), moment) == one.new(one.dice("people"), moment)
    assert one.new(one.dice("people"), moment) != other.new(other.dice("people"), moment)


async def test_a_real_city_is_refused_and_stays_as_it_is(
    new_database: Callable[[], str], capsys: pytest.CaptureFixture[str]
):
    url = await asyncio.to_thread(new_database)
    new = cities.bundled("almaty")
    assert new
    async with Database.opened(DatabaseOptions(url)) as database, database.transaction() as session:
        await cities.found(session, new)

    with pytest.raises(Conflict, match="has_real_data"):
        await build(url, WISH)

    await asyncio.to_thread(ensure, Settings(DATABASE_URL=url, secret_key=SECRET_KEY), WISH)
    assert capsys.readouterr().out == ""
    assert await counts(url) == {"city": 1, "district": 8}


async def test_a_first_start_builds_it_and_is_told_of_a_login_that_is_taken(new_database: Callable[[], str]):
    url = await asyncio.to_thread(new_database)
    async with Database.opened(DatabaseOptions(url)) as database, database.transaction() as session:
        session.add(Account(login="admin@almaty.example", role="admin"))

    with pytest.raises(Conflict, match="login_taken"):
        await asyncio.to_thread(ensure, Settings(DATABASE_URL=url, secret_key=SECRET_KEY), WISH)

    assert await counts(url) == {"account": 1}


async def test_a_demonstration_is_built_once(demo_url: str):
    before = await counts(demo_url)
    assert await build(demo_url, replace(WISH, seed=8)) is False
    assert await counts(demo_url) == before


async def test_a_day_to_come_is_refused(new_database: Callable[[], str]):
    url = await asyncio.to_thread(new_database)
    with pytest.raises(Invalid):
        await build(url, Wish(until=utc_now().date() + timedelta(days=2)))
    assert await counts(url) == {}


async def test_after_an_attempt_that_was_killed_it_is_there_and_whole(demo_url: str):
    """How it was killed, and that nothing was left of it, is asserted where the database is made."""
    # And the city, its districts, its seals with what is in them and, by a trigger, what volunteers are searched by.
    assert len(await counts(demo_url)) == demo.TABLES + 5


async def test_its_ledger_is_sealed_at_once_and_each_entry_can_be_proved(demo_url: str, demo_app: FastAPI):
    filled = await counts(demo_url)
    assert filled["sealed_entry"] == filled["ledger_entry"]
    assert filled["seal"] == -(-filled["ledger_entry"] // MOST_ENTRIES)
    async with demo_app.state.database.transaction() as session:
        verdict = await seal_checks.verify(session, "almaty")
    assert (verdict.misfit, verdict.entries) == (None, filled["ledger_entry"])

    form = {"grant_type": "password", "username": "coordinator@almaty.example", "password": demo.PASSWORD}
    async with Client(demo_app) as client:
        token = (await client.post("/auth/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        (entry,) = (await client.get("/ledger", params={"limit": 1})).json()["items"]
        proof = (await client.get(f"/ledger/{entry['id']}/proof")).json()
    assert proof["seal"]["city_id"] == "almaty"


async def test_the_planner_knows_how_much_there_is(asked):
    ((unknown,),) = await asked("SELECT count(*) FROM pg_class WHERE relname IN ('spot', 'raid') AND reltuples < 1")
    assert unknown == 0


async def test_the_next_starts_only_name_the_sign_ins(
    demo_url: str, capsys: pytest.CaptureFixture[str], narkostop: Narkostop, monkeypatch: pytest.MonkeyPatch
):
    before = await counts(demo_url)
    await asyncio.to_thread(ensure, Settings(DATABASE_URL=demo_url, secret_key=SECRET_KEY), WISH)
    announced = capsys.readouterr().out
    assert demo.PASSWORD in announced
    assert all(sign_in.login in announced for sign_in in demo.SIGN_INS)
    monkeypatch.setenv("DATABASE_URL", demo_url)
    again = await narkostop(*COMMAND)
    assert (again.status, again.out) == (0, "The demonstration is there already; nothing was changed.\n")
    assert await counts(demo_url) == before


@pytest.mark.parametrize("sign_in", demo.SIGN_INS, ids=lambda sign_in: sign_in.login)
async def test_each_can_sign_in(demo_app: FastAPI, sign_in: demo.DemoSignIn):
    names = ("username", "password") if sign_in.grant == "password" else ("client_id", "client_secret")
    form = {"grant_type": sign_in.grant, **dict(zip(names, (sign_in.login, demo.PASSWORD), strict=True))}
    async with Client(demo_app) as client:
        token = await client.post("/auth/token", data=form)
        assert token.status_code == 200, token.text
        headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
        totals = await client.get("/metrics", headers=headers)
        me = await client.get("/accounts/me", headers=headers)
    assert me.json()["role"] == sign_in.role
    assert _total(totals, "resources_blocked") == 797


async def test_the_volunteer_sees_their_own_file_and_the_open_raids(demo_app: FastAPI):
    form = {"grant_type": "password", "username": demo.VOLUNTEER_PHONE, "password": demo.PASSWORD}
    async with Client(demo_app) as client:
        token = (await client.post("/auth/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        own = (await client.get("/volunteers/me")).json()
        raids = (await client.get("/raids", params={"status": "open"})).json()
    assert (own["status"], own["programmes"], own["phone"]) == ("active", ["online", "street"], demo.VOLUNTEER_PHONE)
    assert len(raids["items"]) == 9


async def test_the_public_sees_the_totals_and_that_they_are_made_up(demo_app: FastAPI):
    async with Client(demo_app) as client:
        answer = await client.get("/public/almaty/metrics")
    assert answer.json()["is_demo"] is True
    assert 18_000 < _total(answer, "graffiti_painted") < 18_240


def _total(answer: httpx.Response, metric: str) -> int:
    return next(item["total"] for item in answer.json()["metrics"] if item["metric"] == metric)

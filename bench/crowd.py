"""`python -m bench.crowd`: two hundred sign up for twenty places at the same moment, round after round.

Each over a connection of its own, against the service in a process of its own; what the database holds in the end is
checked in each round, for a place given twice must not count as speed.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import httpx
import typer
import uvloop
from rich.console import Console

from app.authentication import Identity
from app.core.cipher import Cipher
from app.core.clock import utc_now
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.core.embedded import running_postgres
from app.core.migrations import upgrade
from app.domain.permissions import Role
from app.domain.volunteers import VolunteerStatus
from app.jobs import housekeeping
from app.models.accounts import Account
from app.models.cities import City, District
from app.models.volunteers import Volunteer
from app.services import sign_in
from bench import servers
from bench.load import HOST, WrongAnswerError

RESULTS = Path(__file__).with_name("CROWD.md")
SECRET_KEY = "only for the bench, and 32 characters long"  # noqa: S105 of a database that lives for minutes
CITY, PEOPLE, PLACES, ROUNDS = "crowd", 200, 20, 20
_POINT = {"latitude": 43.5, "longitude": 76.5}

console = Console(stderr=True, highlight=False)


def main(*, quick: Annotated[bool, typer.Option(help="One round, to see that it runs.")] = False) -> None:
    """Print how long they waited and write bench/CROWD.md."""
    with tempfile.TemporaryDirectory(prefix="narkostop-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as nobody where we are root
        with running_postgres(Path(folder)) as url:
            upgrade(url, current=None)
            text = uvloop.run(_measured(url, Path(folder), 1 if quick else ROUNDS))
    print(text)
    if not quick:
        RESULTS.write_text(text + "\n")


async def _measured(url: str, folder: Path, rounds: int) -> str:
    before = f"Load average of the machine before: {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores."
    coordinator, *tokens = await _people(url)
    lines = ["| round | p50 ms | p95 ms | longest ms |", "|--:|--:|--:|--:|"]
    slow: list[float] = []
    connection = await asyncpg.connect(url)
    with servers.running(folder, {"DATABASE_URL": url, "NARKOSTOP_SECRET_KEY": SECRET_KEY}) as running:
        port = running["service"].port
        for number in range(1, rounds + 1):
            console.print(f"round {number} of {rounds}")
            raid_id = await _open_raid(port, coordinator, number)
            waited = sorted(await asyncio.gather(*(_signed_up(port, raid_id, token) for token in tokens)))
            await _check(connection, raid_id)
            p50, p95 = (waited[int(part * (PEOPLE - 1))] for part in (0.5, 0.95))
            slow.append(p95)
            lines.append(f"| {number} | {p50:,.0f} | {p95:,.0f} | {waited[-1]:,.0f} |")
    await connection.close()
    course = f"{PEOPLE} sign-ups at once for {PLACES} places, each over a connection of its own. {before}"
    told = f"p95, median of the rounds: {statistics.median(slow):,.0f} ms; each round ended with {PLACES} places taken."
    return "\n".join(["# A crowd", "", course, "", *lines, "", told])


async def _people(url: str) -> list[str]:
    """The tokens of a coordinator and of all who sign up."""
    settings = Settings(DATABASE_URL=url, secret_key=SECRET_KEY)
    async with Database.opened(DatabaseOptions(url)) as database:
        identity = Identity(settings, await housekeeping.signing_keys(database, Cipher(SECRET_KEY)))
        async with database.transaction() as session:
            session.add(City(id=CITY, name_kk="Қала", name_ru="Город", name_en="City", time_zone="Asia/Almaty"))
            await session.flush()
            coordinator = Account(city_id=CITY, login="coordinator@crowd.example", role=Role.COORDINATOR)
            session.add_all([_district(), coordinator])
            pupils = [
                Account(city_id=CITY, login=f"pupil-{number}@crowd.example", role=Role.VOLUNTEER)
                for number in range(PEOPLE)
            ]
            session.add_all(pupils)
            await session.flush()
            session.add_all(_volunteer(number, pupil) for number, pupil in enumerate(pupils))
            return [identity.access_token(await sign_in.begin(session, each)) for each in (coordinator, *pupils)]


def _district() -> District:
    outline = {"type": "Polygon", "coordinates": [[[76, 43], [77, 43], [77, 44], [76, 44], [76, 43]]]}
    return District(
        city_id=CITY, id="west", name_kk="west", name_ru="west", name_en="west", outline=outline, source="made up"
    )


def _volunteer(number: int, pupil: Account) -> Volunteer:
    return Volunteer(
        city_id=CITY,
        account_id=pupil.id,
        status=VolunteerStatus.ACTIVE,
        given_name="Test",
        family_name="Volunteer",
        birth_on=date(2000, 1, 1),
        phone=f"+7{number:010}",
        language="kk",
        programmes=["street"],
    )


async def _open_raid(port: int, coordinator: str, days_ahead: int) -> str:
    starts_at = utc_now() + timedelta(days=days_ahead)
    raid = {
        "title": "Saturday",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
        "meeting_point": "Abay metro",
        "point": _POINT,
        "capacity": PLACES,
    }
    headers = {"Authorization": f"Bearer {coordinator}"}
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}/v1", headers=headers, trust_env=False) as client:
        planned = (await client.post("/raids", json=raid)).raise_for_status().json()["id"]
        (await client.post(f"/raids/{planned}/publish")).raise_for_status()
    return planned


async def _signed_up(port: int, raid_id: str, token: str) -> float:
    """How long it took, in milliseconds, with the making of the connection."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection(HOST, port)
    head = f"POST /v1/raids/{raid_id}/sign-up HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
    writer.write(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 201 "):
        raise WrongAnswerError(answer.decode())
    return (time.perf_counter() - began) * 1_000


async def _check(connection: "asyncpg.Connection[asyncpg.Record]", raid_id: str) -> None:
    """The first come have the places, and all others a place of their own in the line."""
    taken = await connection.fetchval("SELECT places_taken FROM raid WHERE id = $1", raid_id)
    crew = await connection.fetch("SELECT status, line_number FROM assignment WHERE raid_id = $1", raid_id)
    held = sum(row["status"] == "accepted" for row in crew)
    line = sorted(row["line_number"] for row in crew if row["status"] == "waiting")
    if (taken, held, line) != (PLACES, PLACES, list(range(1, PEOPLE - PLACES + 1))):
        raise WrongAnswerError(json.dumps([taken, held, line]))


if __name__ == "__main__":
    cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    cli.command()(main)
    cli()

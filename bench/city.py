"""Two cities that differ only in the number of their raids, and people to ask for them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle, islice

import asyncpg

from app.authentication import Identity
from app.core.cipher import Cipher
from app.core.clock import utc_now
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.domain.metrics import Metric
from app.domain.permissions import Role
from app.jobs import housekeeping
from app.models.accounts import Account
from app.models.cities import City, District
from app.services import sign_in
from app.services.sign_in import SignedIn
from bench import volunteers
from bench.ids import FIRST, row_id

DISTRICTS = 8
DAYS = 1_000
RAIDS_EACH = 2
COORDINATORS = "coordinators of "
_RAID_COLUMNS = (
    "city_id id created_at version title status starts_at ends_at meeting_point latitude longitude district_id "
    "capacity places_taken line_length"
)
_ASSIGNMENT_COLUMNS = "city_id id created_at version raid_id volunteer_id status withdrew_late checked_in_at minutes"
_LEDGER_COLUMNS = "city_id id metric origin amount occurred_on district_id subject_id"


@dataclass(frozen=True, slots=True)
class Size:
    many_raids: int
    few_raids: int
    many_volunteers: int
    few_volunteers: int
    ledger_entries: int
    people: int

    def __str__(self) -> str:
        raids = f"{self.many_raids:,} raids (many) or {self.few_raids:,} (few)"
        volunteers = f"{self.many_volunteers:,} volunteers or {self.few_volunteers:,}, each on {RAIDS_EACH} raids"
        return f"{raids}, {volunteers}, {self.ledger_entries:,} ledger entries."


@dataclass(frozen=True, slots=True)
class People:
    """Volunteers or coordinators of one city; each has its own access token, as in life."""

    identity: Identity
    signed_in: list[SignedIn]

    def tokens(self) -> list[str]:
        return [self.identity.access_token(person) for person in self.signed_in]


@asynccontextmanager
async def founded(settings: Settings, size: Size) -> AsyncIterator[dict[str, People]]:
    """The volunteers of "many" and of "few", and the coordinators of each."""
    assert settings.database_url
    assert settings.secret_key
    await _fill(settings.database_url, size)
    async with Database.opened(DatabaseOptions(settings.database_url)) as database:
        cipher = Cipher(settings.secret_key.get_secret_value())
        identity = Identity(settings, await housekeeping.signing_keys(database, cipher))
        roles = {"": Role.VOLUNTEER, COORDINATORS: Role.COORDINATOR}
        yield {
            f"{prefix}{city_id}": People(identity, await _people(database, city_id, role, size.people))
            for city_id in ("many", "few")
            for prefix, role in roles.items()
        }


async def _people(database: Database, city_id: str, role: Role, number: int) -> list[SignedIn]:
    accounts = [
        Account(city_id=city_id, login=f"{role}-{number}@{city_id}.example", role=role) for number in range(number)
    ]
    async with database.transaction() as session:
        session.add_all(accounts)
        await session.flush()
        return [await sign_in.begin(session, account) for account in accounts]


async def _fill(url: str, size: Size) -> None:
    async with Database.opened(DatabaseOptions(url)) as database, database.transaction() as session:
        for city_id in ("many", "few"):
            session.add(City(id=city_id, name_kk="Қала", name_ru="Город", name_en="City", time_zone="Asia/Almaty"))
            await session.flush()
            session.add_all(_district(city_id, number) for number in range(DISTRICTS))
    connection = await asyncpg.connect(url)
    try:
        # The rows are right by construction; a million foreign keys would take longer than the measurement.
        # Nor are triggers fired; what they do is done at once below.
        await connection.execute("SET session_replication_role = replica")
        for city_id, number in (("many", size.many_raids), ("few", size.few_raids)):
            await connection.copy_records_to_table(
                "raid", records=_raids(city_id, number), columns=_RAID_COLUMNS.split()
            )
        for city_id, number in (("many", size.many_volunteers), ("few", size.few_volunteers)):
            await volunteers.fill(connection, city_id, number)
            assignments = _assignments(city_id, number, size.few_raids)
            await connection.copy_records_to_table(
                "assignment", records=assignments, columns=_ASSIGNMENT_COLUMNS.split()
            )
        entries = _ledger_entries("many", size.ledger_entries)
        await connection.copy_records_to_table("ledger_entry", records=entries, columns=_LEDGER_COLUMNS.split())
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _district(city_id: str, number: int) -> District:
    """One degree square each, side by side from 76 degrees east."""
    west, east = 76 + number, 77 + number
    outline = {"type": "Polygon", "coordinates": [[[west, 43], [east, 43], [east, 44], [west, 44], [west, 43]]]}
    name = _district_id(number)
    return District(
        city_id=city_id, id=name, name_kk=name, name_ru=name, name_en=name, outline=outline, source="made up"
    )


def _district_id(number: int) -> str:
    return f"district-{number % DISTRICTS}"


def _raids(city_id: str, number: int) -> Iterator[tuple[object, ...]]:
    """Most are done, as after years of work; one in twenty is a draft that volunteers do not see."""
    statuses = cycle(["draft", "open", "cancelled", *["done"] * 17])
    for each, status in enumerate(islice(statuses, number)):
        begins = FIRST + timedelta(minutes=each % 1_000_000)
        ends = begins + timedelta(hours=2)
        place = (43.5, 76.5 + each % DISTRICTS, _district_id(each))
        yield (city_id, row_id(each), begins, 3, f"Raid {each}", status, begins, ends, "Abay metro", *place, 20, 0, 0)


def _assignments(city_id: str, number: int, raids: int) -> Iterator[tuple[object, ...]]:
    """Each volunteer was on RAIDS_EACH raids within the last year, and gave an hour and a half."""
    now = utc_now()
    for each in range(number * RAIDS_EACH):
        asked_at = now - timedelta(minutes=each * 7 % 500_000)
        places = (row_id((each + each // number) % raids), row_id(each % number))
        yield city_id, row_id(each), asked_at, 3, *places, "attended", False, asked_at, 90


def _ledger_entries(city_id: str, number: int) -> Iterator[tuple[object, ...]]:
    metrics = cycle(Metric)
    for each, metric in enumerate(islice(metrics, number)):
        day = date(2024, 1, 1) + timedelta(days=each * DAYS // number)
        yield (city_id, row_id(each), metric, "recorded", 1 + each % 9, day, _district_id(each), row_id(each))

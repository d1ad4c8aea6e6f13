"""Two cities that differ only in the number of their raids, and people to ask for them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from uuid import UUID

import asyncpg

from app.authentication import Identity
from app.core.cipher import Cipher
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.domain.metrics import Metric
from app.domain.permissions import Role
from app.jobs import housekeeping
from app.models.accounts import Account
from app.models.cities import City, District
from app.services import sign_in
from app.services.sign_in import SignedIn

DISTRICTS = 8
DAYS = 1_000
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_RAID_COLUMNS = (
    "city_id id created_at version title status starts_at ends_at meeting_point latitude longitude district_id "
    "capacity places_taken line_length"
)
_LEDGER_COLUMNS = "city_id id metric origin amount occurred_on district_id subject_id"


@dataclass(frozen=True, slots=True)
class Size:
    many_raids: int
    few_raids: int
    ledger_entries: int
    people: int

    def __str__(self) -> str:
        return f"{self.many_raids:,} raids (many) or {self.few_raids:,} (few), {self.ledger_entries:,} ledger entries."


@dataclass(frozen=True, slots=True)
class People:
    """Volunteers of one city; each has its own access token, as in life."""

    identity: Identity
    signed_in: list[SignedIn]

    def tokens(self) -> list[str]:
        return [self.identity.access_token(person) for person in self.signed_in]


def row_id(number: int) -> UUID:
    """A UUIDv7 of its own millisecond, so that every row's id is known without asking."""
    milliseconds = int(FIRST.timestamp() * 1_000) + number
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number)


@asynccontextmanager
async def founded(settings: Settings, size: Size) -> AsyncIterator[dict[str, People]]:
    """The people of "many" and of "few"."""
    assert settings.database_url
    assert settings.secret_key
    await _fill(settings.database_url, size)
    async with Database.opened(DatabaseOptions(settings.database_url)) as database:
        cipher = Cipher(settings.secret_key.get_secret_value())
        identity = Identity(settings, await housekeeping.signing_keys(database, cipher))
        yield {city_id: People(identity, await _people(database, city_id, size.people)) for city_id in ("many", "few")}


async def _people(database: Database, city_id: str, number: int) -> list[SignedIn]:
    accounts = [
        Account(city_id=city_id, login=f"{number}@{city_id}.example", role=Role.VOLUNTEER) for number in range(number)
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
        await connection.execute("SET session_replication_role = replica")
        for city_id, number in (("many", size.many_raids), ("few", size.few_raids)):
            await connection.copy_records_to_table(
                "raid", records=_raids(city_id, number), columns=_RAID_COLUMNS.split()
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


def _ledger_entries(city_id: str, number: int) -> Iterator[tuple[object, ...]]:
    metrics = cycle(Metric)
    for each, metric in enumerate(islice(metrics, number)):
        day = date(2024, 1, 1) + timedelta(days=each * DAYS // number)
        yield (city_id, row_id(each), metric, "recorded", 1 + each % 9, day, _district_id(each), row_id(each))

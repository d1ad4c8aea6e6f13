"""Old removals on their way in: COPY into a table of this transaction's own, then whole sets at a time.

All in one transaction. Killed at any moment it leaves nothing, and run again it starts from nothing; a second
transaction could only save the reading, and would have to find out what the first had come to.
"""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.database import copy_within
from app.domain.errors import Fault, Unavailable
from app.domain.metrics import Metric, Origin
from app.domain.records import LISTED, Refusal
from app.domain.spots import CLEAN, SpotStatus
from app.models.records import RecordsImport
from app.services.records.removals import OldRemoval

TURN_TIMEOUT_S = 30
_LOCK_NOT_AVAILABLE = "55P03"
_IDS = frozenset({"imported_by", "import_id"})

# The size of a file decides how long its statements run, not a fault; and the planner, which cannot know how
# many spots a city has just got, must not compare each staged row with each spot.
_LARGE_SETS = f"""
    SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '{TURN_TIMEOUT_S}s', true),
        set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)
"""
_TURN = "SELECT id FROM city WHERE id = :city_id FOR NO KEY UPDATE"
_STAGE = """
    CREATE TEMPORARY TABLE staged_removal (
        row integer, id uuid, external_id text, removed_at timestamptz, occurred_on date,
        latitude double precision, longitude double precision, address text, surface text, kind text,
        inscriptions integer, h3 text, district_id text
    ) ON COMMIT DROP
"""
_REPEATED = """
    WITH first AS (
        SELECT external_id, min(staged.row) AS row FROM staged_removal AS staged
        GROUP BY external_id HAVING count(*) > 1
    ), repeated AS (
        DELETE FROM staged_removal AS staged USING first
        WHERE staged.external_id = first.external_id AND staged.row > first.row
        RETURNING staged.row, first.row AS first_row
    )
    SELECT repeated.row, first_row, count(*) OVER () AS total FROM repeated ORDER BY repeated.row LIMIT :listed
"""
_KNOWN = """
    WITH known AS (
        DELETE FROM staged_removal AS staged USING removal
        WHERE removal.city_id = :city_id AND removal.source = :source AND removal.external_id = staged.external_id
        RETURNING staged.id
    )
    SELECT count(*) FROM known
"""
_NEW = "SELECT count(*) AS imported, count(*) FILTER (WHERE latitude IS NULL) AS without_point FROM staged_removal"
# A place is a point or, without one, an address. The oldest spot at a place is the one that is meant.
_SPOTS = """
    WITH by_point AS (
        SELECT DISTINCT ON (latitude, longitude) latitude, longitude, id FROM spot
        WHERE city_id = :city_id AND latitude IS NOT NULL ORDER BY latitude, longitude, id
    ), by_address AS (
        SELECT DISTINCT ON (address) address, id FROM spot
        WHERE city_id = :city_id AND latitude IS NULL ORDER BY address, id
    ), placed AS (
        SELECT staged.*, coalesce(by_point.id, by_address.id) AS spot_id FROM staged_removal AS staged
        LEFT JOIN by_point ON by_point.latitude = staged.latitude AND by_point.longitude = staged.longitude
        LEFT JOIN by_address ON staged.latitude IS NULL AND by_address.address = staged.address
    )
"""
_PAINT_SPOTS = """
    INSERT INTO spot
        (city_id, id, created_at, version, status, kind, latitude, longitude, h3, address, surface, district_id,
        cycle, sightings)
    SELECT DISTINCT ON (latitude, longitude, CASE WHEN latitude IS NULL THEN address END)
        :city_id, id, now(), 1, :painted, kind, latitude, longitude, h3, address, surface, district_id, 1, 0
    FROM placed WHERE spot_id IS NULL
    ORDER BY latitude, longitude, CASE WHEN latitude IS NULL THEN address END, placed.row
"""
# A spot that was made just now is in its first cycle; one that was known has a cycle, which a later removal prolongs
# if it was painted over, and leaves open if it was not.
_CLOSE_CYCLES = """
    INSERT INTO spot_cycle (city_id, id, created_at, spot_id, cycle, opened_at, painted_at)
    SELECT :city_id, gen_random_uuid(), now(), spot.id, spot.cycle, min(removed_at), max(removed_at)
    FROM placed JOIN spot ON spot.city_id = :city_id AND spot.id = placed.spot_id
    WHERE spot.status = ANY (:clean) GROUP BY spot.id, spot.cycle
    ON CONFLICT (city_id, spot_id, cycle)
        DO UPDATE SET painted_at = greatest(spot_cycle.painted_at, excluded.painted_at)
"""
_RECORD_REMOVALS = """
    INSERT INTO removal
        (city_id, id, created_at, spot_id, inscriptions, removed_at, recorded_by, import_id, source, external_id)
    SELECT :city_id, id, now(), spot_id, inscriptions, removed_at, :imported_by, :import_id, :source, external_id
    FROM placed ORDER BY placed.row
"""
_COUNT = """
    INSERT INTO ledger_entry
        (city_id, id, metric, origin, amount, occurred_on, district_id, subject_id, recorded_by)
    SELECT :city_id, id, :metric, :origin, inscriptions, occurred_on, district_id, id, :imported_by
    FROM staged_removal AS staged ORDER BY staged.row
"""


@dataclass(frozen=True, slots=True)
class Sorted:
    """What is left in the staging table, and what was taken out of it."""

    imported: int
    without_point: int
    already_there: int
    repeated: list[Refusal]
    repeated_in_all: int


async def stage(session: AsyncSession, removals: AsyncIterable[OldRemoval]) -> None:
    await _run(session, _LARGE_SETS)
    await _run(session, _STAGE)
    await copy_within(session, "staged_removal", OldRemoval._fields, aiter(removals))
    await _run(session, "ANALYZE staged_removal")


async def take_turn(session: AsyncSession, city_id: str) -> None:
    """Two imports into one city follow each other, so that the second sees what the first has taken over.

    Raises Unavailable after `TURN_TIMEOUT_S` seconds of waiting.
    """
    await _run(session, _LARGE_SETS)
    try:
        await _run(session, _TURN, city_id=city_id)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise Unavailable(TURN_TIMEOUT_S) from error
        raise


async def sort_out(session: AsyncSession, city_id: str, source: str) -> Sorted:
    """Leave in the staging table what is new: of an id that the file has twice the first, if it is not known yet."""
    repeated = await _run(session, _REPEATED, listed=LISTED)
    already_there = (await _run(session, _KNOWN, city_id=city_id, source=source))[0][0]
    imported, without_point = (await _run(session, _NEW))[0]
    refusals = [Refusal(row, Fault("id_twice", "external_id", {"row": first})) for row, first, _ in repeated]
    return Sorted(imported, without_point, already_there, refusals, repeated[0][2] if repeated else 0)


async def take_over(session: AsyncSession, run: RecordsImport) -> None:
    """Spots, removals and ledger entries of everything that is staged."""
    values: dict[str, object] = {"city_id": run.city_id, "imported_by": run.imported_by}
    await _run(session, _SPOTS + _PAINT_SPOTS, city_id=run.city_id, painted=SpotStatus.PAINTED.value)
    await _run(session, _SPOTS + _CLOSE_CYCLES, city_id=run.city_id, clean=[status.value for status in CLEAN])
    await _run(session, _SPOTS + _RECORD_REMOVALS, import_id=run.id, source=run.source, **values)
    await _run(session, _COUNT, metric=Metric.GRAFFITI_PAINTED.value, origin=Origin.RECORDED.value, **values)


async def tell_planner(session: AsyncSession) -> None:
    """Who would take the tables for as small as they were until autovacuum comes by, and count entry by entry."""
    await _run(session, "SELECT analyse_records()")


async def _run(session: AsyncSession, sql: str, **values: object) -> list[tuple[Any, ...]]:
    """Ids may be NULL and carry their type themselves; a text or a number needs none."""
    bound = [sa.bindparam(name, value, type_=sa.Uuid() if name in _IDS else None) for name, value in values.items()]
    result = await (await session.connection()).execute(sa.text(sql).bindparams(*bound))
    return [tuple(row) for row in result] if result.returns_rows else []

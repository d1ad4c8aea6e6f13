"""The tally against the ledger, counted again from the first entry: no difference is an invariant."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.tallies import COUNTS, TALLY, TallyState
from app.services import tallies
from app.services.reads import Query

MOST_LISTED = 1_000
FIRST_PAGE = datetime.min  # noqa: DTZ901 as asyncpg reads `-infinity`
_KEY = ("area", "span", "starts_on", "page")


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum that is not what the ledger says; None where there is no such sum."""

    area: str
    span: str
    starts_on: date
    page: datetime
    count: str
    """The column: a metric and an origin."""
    kept: int | None
    counted: int | None


async def differences(session: AsyncSession, city_id: str) -> list[Difference]:
    """At most MOST_LISTED rows' worth, in order. One statement and so one snapshot: others may write and roll up."""
    database = await session.connection()
    await tallies.take_time(session)
    rows = await database.execute(_unequal(city_id))
    return [difference for row in rows.mappings() for difference in _of(row)]


def _of(row: sa.RowMapping) -> list[Difference]:
    key = {name: row[name] for name in _KEY}
    pairs = {name: (row[f"kept_{name}"], row[f"counted_{name}"]) for name in COUNTS.values()}
    return [Difference(**key, count=name, kept=kept, counted=new) for name, (kept, new) in pairs.items() if kept != new]


def _unequal(city_id: str) -> Query:
    horizon = sa.select(col(TallyState.horizon)).where(col(TallyState.city_id) == city_id).scalar_subquery()
    counted = tallies.counted_anew(city_id, horizon).subquery("counted")
    kept = sa.select(TALLY).where(TALLY.c.city_id == city_id).subquery("kept")
    same = sa.and_(*(kept.c[name] == counted.c[name] for name in _KEY))
    columns: list[Any] = [sa.func.coalesce(kept.c[name], counted.c[name]).label(name) for name in _KEY]
    for name in COUNTS.values():
        columns += [kept.c[name].label(f"kept_{name}"), counted.c[name].label(f"counted_{name}")]
    return (
        sa.select(*columns)
        .select_from(kept.join(counted, same, full=True))
        .where(sa.or_(*(kept.c[name].is_distinct_from(counted.c[name]) for name in COUNTS.values())))
        .order_by(*columns[: len(_KEY)])
        .limit(MOST_LISTED)
    )

"""The tally's one maintainer: takes what is new in the ledger into the sums, and can make them anew.

Writers add their ledger entry and nothing else. Whatever this has not reached yet is added when somebody reads, so a
count is exact however late it comes. See docs/adr/0015-tallies-behind-a-horizon.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.metrics import Metric, Origin
from app.domain.tallies import FIRST_DAY, NO_DISTRICT, WHOLE_CITY, Span
from app.models.cities import City
from app.models.ledger import LedgerEntry, TransactionId
from app.models.tallies import COUNTS, TALLY, TallyState
from app.services.reads import Query

_MAINTAINER = 0x74616C6C79
_KEY = ("area", "span", "starts_on")
_NAMES = tuple(COUNTS.values())
# Enough for years of a city at once; without it the first tally of a large ledger sorts on disk.
_LARGE_SETS = sa.text("SET LOCAL work_mem = '128MB'")
_UNHURRIED = sa.text("SET LOCAL statement_timeout = '30min'")

_HORIZON = sa.func.ledger_horizon(col(City.id), type_=TransactionId())
# A database that was restored, copied or upgraded has other transactions than the state speaks of.
_SERVER = sa.text("""
    SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
    FROM pg_control_system()
""")
_BEGINNING: Any = sa.cast(sa.text("'0'"), TransactionId())

Columns = dict[str, Any]


async def roll_up(session: AsyncSession, *, in_turn: bool = False) -> int:
    """Take in every entry that is certainly there, of every city. Returns how many.

    While another process does it: 0, or `in_turn` after it. All or nothing: a process that is killed leaves the tally
    as it was, and the next one takes in the same entries.
    """
    database = await session.connection()
    await take_time(database)
    take = sa.func.pg_advisory_xact_lock if in_turn else sa.func.pg_try_advisory_xact_lock
    if (await database.scalar(sa.select(take(_MAINTAINER)))) is False:
        return 0
    server = await database.scalar(_SERVER)
    stretches = [_Stretch(*each) for each in await database.execute(_behind(server))]
    return sum([await _take_in(database, server, stretch) for stretch in stretches])


async def take_time(database: AsyncConnection) -> None:
    """Until the transaction ends: the whole ledger of a city may be counted."""
    await database.execute(_LARGE_SETS)
    await database.execute(_UNHURRIED)


def counted_anew(*which: Any) -> Query:
    """The rows that the tally has to have, if these are all the entries of a city."""
    new = _new(*which).subquery("new")
    by: list[Any] = [new.c[key] for key in (*_KEY, "recorded_on")]
    return sa.select(*by, *_running(new.c))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Entries of one city: from the horizon of last time, or from the beginning, up to the one of now."""

    city_id: str
    first: int
    horizon: int
    is_anew: bool


def _behind(server: str) -> Query:
    """The cities that have entries between the two horizons."""
    known = col(TallyState.server) == server
    first = sa.case((known, col(TallyState.horizon)), else_=_BEGINNING)
    new = sa.exists().where(
        col(LedgerEntry.city_id) == col(City.id),
        col(LedgerEntry.transaction_id) >= first,
        col(LedgerEntry.transaction_id) < _HORIZON,
    )
    return (
        sa.select(col(City.id), first, _HORIZON, known.is_not(True))
        .select_from(sa.outerjoin(City, TallyState, col(TallyState.city_id) == col(City.id)))
        .where(sa.or_(new, col(TallyState.server) != server))
    )


async def _take_in(database: AsyncConnection, server: str, stretch: _Stretch) -> int:
    if stretch.is_anew:
        await database.execute(sa.delete(TALLY).where(TALLY.c.city_id == stretch.city_id))
    entries = await database.scalar(sa.select(sa.func.count()).where(*_within(stretch))) or 0
    await database.execute(_added(stretch))
    before = 0 if stretch.is_anew else col(TallyState.entries)
    state = {"horizon": stretch.horizon, "server": server}
    await database.execute(
        insert(TallyState)
        .values(city_id=stretch.city_id, entries=entries, **state)
        .on_conflict_do_update(index_elements=["city_id"], set_={**state, "entries": before + entries})
    )
    return entries


def _within(stretch: _Stretch) -> Sequence[Any]:
    number = col(LedgerEntry.transaction_id)
    return (
        col(LedgerEntry.city_id) == stretch.city_id,
        number >= sa.bindparam(None, stretch.first, TransactionId()),
        number < sa.bindparam(None, stretch.horizon, TransactionId()),
    )


def _added(stretch: _Stretch) -> Insert:
    """Each sum of these days and areas with what is new, on the day it was recorded and on all later ones.

    A day of recording that the tally does not have yet begins with what was known before it.
    """
    new = _new(*_within(stretch)).cte("new")
    days: Query = sa.select(*(new.c[key] for key in _KEY), sa.func.min(new.c.recorded_on).label("recorded_on"))
    first = days.group_by(*(new.c[key] for key in _KEY)).cte("first")
    later = (
        sa.select(*(TALLY.c[key] for key in _KEY), TALLY.c.recorded_on, *(sa.null() for _ in COUNTS))
        .join(first, _same_sum(first.c))
        .where(TALLY.c.city_id == stretch.city_id, TALLY.c.recorded_on > first.c.recorded_on)
    )
    each = sa.union_all(sa.select(*new.c), later).subquery("each")
    keys: list[Any] = [each.c[key] for key in (*_KEY, "recorded_on")]
    touched = sa.select(*keys, *_sums(each.c)).group_by(*keys).subquery("touched")
    by: list[Any] = [touched.c[key.name] for key in keys]
    risen = sa.select(*by, *_running(touched.c)).subquery("risen")
    known = (
        sa.select(TALLY)
        .where(TALLY.c.city_id == stretch.city_id, _same_sum(risen.c), TALLY.c.recorded_on <= risen.c.recorded_on)
        .order_by(TALLY.c.recorded_on.desc())
        .limit(1)
        .lateral("known")
    )
    sums = {name: sa.func.coalesce(known.c[name] + risen.c[name], risen.c[name], known.c[name]) for name in _NAMES}
    columns: list[Any] = [sa.literal(stretch.city_id), *(risen.c[key.name] for key in keys), *sums.values()]
    rows = sa.select(*columns).select_from(risen.outerjoin(known, sa.true()))
    upsert = insert(TALLY).from_select(["city_id", *_KEY, "recorded_on", *_NAMES], rows)
    return upsert.on_conflict_do_update(
        constraint=TALLY.primary_key, set_={name: upsert.excluded[name] for name in _NAMES}
    )


def _same_sum(columns: Any) -> sa.ColumnElement[bool]:
    return sa.and_(*(TALLY.c[key] == columns[key] for key in _KEY))


def _sums(columns: Any) -> list[Any]:
    return [sa.func.sum(columns[name]).label(name) for name in _NAMES]


def _running(columns: Any) -> list[Any]:
    over: Columns = {"partition_by": [columns[key] for key in _KEY], "order_by": columns.recorded_on}
    return [sa.func.sum(columns[name]).over(**over).label(name) for name in _NAMES]


def _new(*which: Any) -> Query:
    """What these entries add to each sum: one row for each area, span and day of recording that they touch."""
    recorded_on = sa.cast(sa.func.timezone("UTC", col(LedgerEntry.recorded_at)), sa.Date)
    grouped: Columns = {
        "metric": col(LedgerEntry.metric),
        "origin": col(LedgerEntry.origin),
        "district": sa.func.coalesce(col(LedgerEntry.district_id), NO_DISTRICT),
        "occurred_on": col(LedgerEntry.occurred_on),
        "recorded_on": recorded_on,
    }
    amount = sa.func.sum(col(LedgerEntry.amount)).label("amount")
    facts = (
        sa.select(*(column.label(name) for name, column in grouped.items()), amount)
        .where(*which)
        .group_by(*grouped.values())
        .subquery("facts")
    )
    areas = sa.values(sa.column("area", sa.String), name="areas").data([(WHOLE_CITY,), (facts.c.district,)]).lateral()
    day = facts.c.occurred_on
    spans = (
        sa.values(sa.column("span", sa.String), sa.column("starts_on", sa.Date), name="spans")
        .data(
            [
                (Span.DAY.value, day),
                (Span.MONTH.value, sa.cast(sa.func.date_trunc("month", day), sa.Date)),
                (Span.YEAR.value, sa.cast(sa.func.date_trunc("year", day), sa.Date)),
                (Span.EVER.value, sa.cast(FIRST_DAY, sa.Date)),
            ]
        )
        .lateral()
    )
    keys: tuple[Any, ...] = (areas.c.area, spans.c.span, spans.c.starts_on, facts.c.recorded_on)
    return (
        sa.select(*keys, *(_sum_of(facts, metric, origin) for metric, origin in COUNTS))
        .select_from(facts.join(areas, sa.true()).join(spans, sa.true()))
        .group_by(*keys)
    )


def _sum_of(facts: Any, metric: Metric, origin: Origin) -> Any:
    amount = sa.func.sum(facts.c.amount).filter(facts.c.metric == metric, facts.c.origin == origin)
    return sa.cast(amount, sa.BigInteger).label(COUNTS[metric, origin])

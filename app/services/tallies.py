"""The tally's one maintainer: takes what is new in the ledger into the sums, and can make them anew.

Writers add their ledger entry and nothing else. Whatever this has not reached yet is added when somebody reads, so a
count is exact however late it comes. See docs/adr/0015-tallies-behind-a-horizon.md.
"""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.database import fetch_within
from app.domain.metrics import Metric, Origin
from app.domain.tallies import FIRST_DAY, NO_DISTRICT, WHOLE_CITY, Span
from app.models.ledger import LedgerEntry, TransactionId
from app.models.tallies import COUNTS, TALLY
from app.services.reads import Compiled, Query, compiled

_MAINTAINER = 0x74616C6C79
_KEY = ("area", "span", "starts_on")
_NAMES = tuple(COUNTS.values())
# Until the transaction ends: the whole ledger of a city may be counted, and then it should not be sorted on disk.
# Planned anew each time: a plan kept from when there were few entries reads all of them until the next ANALYZE.
_TAKE_TIME = """
    SELECT set_config('statement_timeout', '30min', true), set_config('work_mem', '128MB', true),
        set_config('plan_cache_mode', 'force_custom_plan', true)
"""
_TAKE_TURN = "SELECT pg_advisory_xact_lock($1)"
_TRY = "SELECT pg_try_advisory_xact_lock($1) AS is_mine"
# The cities that have entries between the horizon of last time and that of now. A database that was restored, copied
# or upgraded has other transactions than its state speaks of, and is counted from the beginning.
_BEHIND = """
    WITH here AS (
        SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS server
        FROM pg_control_system()
    ), stretch AS (
        SELECT city.id AS city_id, CASE WHEN state.server = here.server THEN state.horizon ELSE '0' END AS first,
            ledger_horizon(city.id) AS horizon, here.server, state.server IS DISTINCT FROM here.server AS is_anew,
            state.city_id IS NOT NULL AS has_state
        FROM here CROSS JOIN city LEFT JOIN tally_state AS state ON state.city_id = city.id
    )
    SELECT city_id, first, horizon, server, is_anew FROM stretch
    WHERE is_anew AND has_state OR EXISTS (
        SELECT FROM ledger_entry AS entry
        WHERE entry.city_id = stretch.city_id
            AND entry.transaction_id >= stretch.first AND entry.transaction_id < stretch.horizon
    )
"""
_FORGET = "DELETE FROM tally WHERE city_id = $1"
_REMEMBER = """
    INSERT INTO tally_state (city_id, horizon, server, entries)
    SELECT $1::text, $3, $4, count(*) FROM ledger_entry
    WHERE city_id = $1::text AND transaction_id >= $2 AND transaction_id < $3
    ON CONFLICT (city_id) DO UPDATE SET horizon = excluded.horizon, server = excluded.server,
        entries = excluded.entries + CASE WHEN tally_state.server = excluded.server THEN tally_state.entries ELSE 0 END
    RETURNING entries
"""
_STRETCH = ("first", "horizon")
_CITY = sa.bindparam("city_id", type_=sa.Text)
_FIRST = sa.bindparam("first", type_=TransactionId())
_HORIZON = sa.bindparam("horizon", type_=TransactionId())

Columns = dict[str, Any]


async def roll_up(session: AsyncSession, *, in_turn: bool = False) -> int:
    """Take in every entry that is certainly there, of every city. Returns of how many cities.

    While another process does it: 0, or `in_turn` after it. All or nothing: a process that is killed leaves the tally
    as it was, and the next one takes in the same entries.
    """
    await take_time(session)
    if in_turn:
        await fetch_within(session, _TAKE_TURN, _MAINTAINER)
    elif not (await fetch_within(session, _TRY, _MAINTAINER))[0]["is_mine"]:
        return 0
    behind = await fetch_within(session, _BEHIND)
    for stretch in behind:
        await _take_in(session, dict(stretch))
    return len(behind)


async def take_time(session: AsyncSession) -> None:
    await fetch_within(session, _TAKE_TIME)


async def _take_in(session: AsyncSession, stretch: Mapping[str, Any]) -> None:
    if stretch["is_anew"]:
        await fetch_within(session, _FORGET, stretch["city_id"])
    await _added().run(partial(fetch_within, session), {name: stretch[name] for name in ("city_id", *_STRETCH)})
    await fetch_within(session, _REMEMBER, *(stretch[name] for name in ("city_id", *_STRETCH, "server")))


def counted_anew(*which: Any) -> Query:
    """The rows that the tally has to have, if these are all the entries of a city."""
    new = _new(*which).subquery("new")
    by: list[Any] = [new.c[key] for key in (*_KEY, "recorded_on")]
    return sa.select(*by, *_running(new.c))


@cache
def _added() -> Compiled:
    """Each sum of these days and areas with what is new, on the day it was recorded and on all later ones.

    A day of recording that the tally does not have yet begins with what was known before it. To put this statement
    together takes longer than to run it.
    """
    number = col(LedgerEntry.transaction_id)
    new = _new(col(LedgerEntry.city_id) == _CITY, number >= _FIRST, number < _HORIZON).cte("new")
    days: Query = sa.select(*(new.c[key] for key in _KEY), sa.func.min(new.c.recorded_on).label("recorded_on"))
    first = days.group_by(*(new.c[key] for key in _KEY)).cte("first")
    later = (
        sa.select(*(TALLY.c[key] for key in _KEY), TALLY.c.recorded_on, *(sa.null() for _ in COUNTS))
        .join(first, _same_sum(first.c))
        .where(TALLY.c.city_id == _CITY, TALLY.c.recorded_on > first.c.recorded_on)
    )
    each = sa.union_all(sa.select(*new.c), later).subquery("each")
    keys: list[Any] = [each.c[key] for key in (*_KEY, "recorded_on")]
    touched = sa.select(*keys, *_sums(each.c)).group_by(*keys).subquery("touched")
    by: list[Any] = [touched.c[key.name] for key in keys]
    risen = sa.select(*by, *_running(touched.c)).subquery("risen")
    known = (
        sa.select(TALLY)
        .where(TALLY.c.city_id == _CITY, _same_sum(risen.c), TALLY.c.recorded_on <= risen.c.recorded_on)
        .order_by(TALLY.c.recorded_on.desc())
        .limit(1)
        .lateral("known")
    )
    sums = {name: sa.func.coalesce(known.c[name] + risen.c[name], risen.c[name], known.c[name]) for name in _NAMES}
    columns: list[Any] = [_CITY, *(risen.c[key.name] for key in keys), *sums.values()]
    rows = sa.select(*columns).select_from(risen.outerjoin(known, sa.true()))
    upsert = insert(TALLY).from_select(["city_id", *_KEY, "recorded_on", *_NAMES], rows)
    risen_to = {name: upsert.excluded[name] for name in _NAMES}
    return compiled(upsert.on_conflict_do_update(constraint=TALLY.primary_key, set_=risen_to))


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

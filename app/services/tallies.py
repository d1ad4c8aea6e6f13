"""The tally's one maintainer: takes what is new in the ledger into the sums, and can make them anew.

Writers add their ledger entry and nothing else. Whatever this has not reached yet is added when somebody reads, so a
count is exact however late it comes. See docs/adr/0015-tallies-behind-a-horizon.md.
"""

from collections.abc import Iterable, Mapping
from functools import cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.database import fetch_within
from app.domain.metrics import Metric, Origin
from app.domain.tallies import FIRST_DAY, NO_DISTRICT, TEN_DAYS_START, WHOLE_CITY, Span
from app.models.base import TIMESTAMP
from app.models.ledger import LedgerEntry, TransactionId
from app.models.tallies import COUNTS, TALLY, LedgerPage
from app.services.horizon import FIRST_PAGE, page_of
from app.services.reads import Compiled, Query, compiled

ENTRIES_A_PAGE = 500
_MAINTAINER = 0x74616C6C79
_KEY = ("area", "span", "starts_on")
_NAMES = tuple(COUNTS.values())
# Until the transaction ends. To plan takes longer than to take in a little that is new, so plans are kept. Where they
# ask for an order, it is for the sake of the index that has it, whatever the planner knew of the ledger at the time.
# No disk is waited for: what is lost with a machine is taken in again.
_BEGIN = """
    SELECT set_config('statement_timeout', '30min', true), set_config('synchronous_commit', 'off', true),
        set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
        pg_try_advisory_xact_lock($1) AS is_mine
"""
# The whole ledger of a city is read from end to end, and should not be sorted on disk.
_TAKE_TIME = """
    SELECT set_config('statement_timeout', '30min', true), set_config('work_mem', '128MB', true),
        set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true)
"""
_TAKE_TURN = "SELECT pg_advisory_xact_lock($1)"
# The cities that have entries between the horizon of last time and that of now. A database that was restored, copied
# or upgraded has other transactions than its state speaks of, and is counted from the beginning.
_BEHIND = """
    WITH here AS (
        SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS server
        FROM pg_control_system()
    ), stretch AS (
        SELECT city.id AS city_id, CASE WHEN state.server = here.server THEN state.horizon ELSE '0' END AS first,
            ledger_horizon(city.id) AS horizon, here.server, state.server IS DISTINCT FROM here.server AS is_anew,
            state.city_id IS NOT NULL AS has_state,
            CASE WHEN state.server = here.server THEN state.entries ELSE 0 END AS known,
            CASE WHEN state.server = here.server THEN state.newest_at ELSE '-infinity' END AS known_to
        FROM here CROSS JOIN city LEFT JOIN tally_state AS state ON state.city_id = city.id
    )
    SELECT city_id, first, horizon, server, is_anew, known, known_to, last_page, since, metrics,
        since < last_page AS is_late, known + coalesce(entries, 0) AS entries, greatest(known_to, up_to) AS newest_at
    FROM stretch CROSS JOIN LATERAL (
        SELECT coalesce(max(starts_at), '-infinity') AS last_page FROM ledger_page AS page
        WHERE page.city_id = stretch.city_id AND NOT is_anew
    ) AS last CROSS JOIN LATERAL (
        SELECT sum(entries)::bigint AS entries, min(since) AS since, max(up_to) AS up_to, array_agg(metric) AS metrics
        FROM (
            SELECT metric, count(*) AS entries, min(recorded_at) AS since, max(recorded_at) AS up_to FROM (
                SELECT entry.metric, entry.recorded_at FROM ledger_entry AS entry
                WHERE entry.city_id = stretch.city_id
                    AND entry.transaction_id >= stretch.first AND entry.transaction_id < stretch.horizon
                ORDER BY entry.transaction_id
            ) AS entry
            GROUP BY metric
        ) AS of_metric
    ) AS new
    WHERE is_anew AND has_state OR metrics IS NOT NULL
    ORDER BY is_anew
"""
_FORGET = "DELETE FROM tally WHERE city_id = $1"
_FORGET_PAGES = "DELETE FROM ledger_page WHERE city_id = $1"
# After so many entries the next one begins a page. Never at or before an entry that was taken in already: that is in
# the sums of the page it was on then.
_TURN_PAGES_AND_REMEMBER = """
    WITH entry AS (
        SELECT recorded_at FROM ledger_entry
        WHERE city_id = $1 AND transaction_id >= $2 AND transaction_id < $3 AND recorded_at > $4
            AND ($5 - 1) / $9 < ($6 - 1) / $9
        ORDER BY transaction_id
    ), numbered AS (
        SELECT recorded_at, $5 + row_number() OVER (ORDER BY recorded_at) AS number FROM entry
    ), turned AS (
        INSERT INTO ledger_page (city_id, starts_at)
        SELECT DISTINCT $1, recorded_at FROM numbered WHERE number > 1 AND number % $9 = 1
    )
    INSERT INTO tally_state (city_id, horizon, entries, newest_at, server) VALUES ($1, $3, $6, $7, $8)
    ON CONFLICT (city_id) DO UPDATE SET horizon = excluded.horizon, entries = excluded.entries,
        newest_at = excluded.newest_at, server = excluded.server
"""
_UPKEEP = ("city_id", "first", "horizon", "known_to", "known", "entries", "newest_at", "server")
_STRETCH = ("city_id", "first", "horizon", "last_page", "since")
_CITY = sa.bindparam("city_id", type_=sa.Text)
_FIRST = sa.bindparam("first", type_=TransactionId())
_HORIZON = sa.bindparam("horizon", type_=TransactionId())
_LAST_PAGE = sa.bindparam("last_page", type_=TIMESTAMP)
_SINCE = sa.bindparam("since", type_=TIMESTAMP)

Columns = dict[str, Any]


async def roll_up(session: AsyncSession, *, in_turn: bool = False, entries_a_page: int = ENTRIES_A_PAGE) -> int:
    """Take in every entry that is certainly there, of every city. Returns of how many cities.

    While another process does it: 0, or `in_turn` after it. All or nothing: a process that is killed leaves the tally
    as it was, and the next one takes in the same entries.
    """
    begun = await fetch_within(session, _BEGIN, _MAINTAINER)
    if not begun[0]["is_mine"]:
        if not in_turn:
            return 0
        await fetch_within(session, _TAKE_TURN, _MAINTAINER)
    behind = await fetch_within(session, _BEHIND)
    for stretch in behind:
        await _take_in(session, dict(stretch), entries_a_page)
    return len(behind)


async def take_time(session: AsyncSession) -> None:
    await fetch_within(session, _TAKE_TIME)


async def _take_in(session: AsyncSession, stretch: Mapping[str, Any], entries_a_page: int) -> None:
    if stretch["is_anew"]:
        await take_time(session)
        await fetch_within(session, _FORGET, stretch["city_id"])
        await fetch_within(session, _FORGET_PAGES, stretch["city_id"])
    await fetch_within(session, _TURN_PAGES_AND_REMEMBER, *(stretch[name] for name in _UPKEEP), entries_a_page)
    if metrics := stretch["metrics"]:
        added = _added(Metric(metrics[0]) if len(metrics) == 1 else None, is_late=stretch["is_late"])
        await added.run(partial(fetch_within, session), {name: stretch[name] for name in _STRETCH})


def counted_anew(city_id: str, horizon: Any) -> Query:
    """The rows that the tally has to have, if it has all entries of the city below the horizon."""
    new = _new(COUNTS, _pages(city_id), _entries(city_id, col(LedgerEntry.transaction_id) < horizon)).subquery("new")
    return sa.select(*_by_key(new), new.c.page, *_running(_NAMES, new))


@cache
def _added(metric: Metric | None, *, is_late: bool) -> Compiled:
    """Each sum of these days and areas with what is new, on the page it was recorded on and on all later ones.

    A page that the tally does not have yet begins with what was known before it. It is known whether all that is new
    is of one metric, and whether any entry was recorded before the last page: to be ready for more takes longer than
    to add a few entries. Each of these statements is kept by PostgreSQL too, so they are few.
    """
    counts = [count for count in COUNTS if metric in {None, count[0]}]
    names = [COUNTS[count] for count in counts]
    number = col(LedgerEntry.transaction_id)
    pages = _pages(_CITY, col(LedgerPage.starts_at) >= page_of(_CITY, _SINCE))
    entries = _entries(_CITY, number >= _FIRST, number < _HORIZON).order_by(number)
    new = _new(counts, pages, entries).cte("new")
    touched = sa.union_all(sa.select(*new.c), _later(new, names)).subquery("touched") if is_late else new
    risen = sa.select(*_by_key(touched), touched.c.page, *_running(names, touched)).subquery("risen")
    # Pages that were turned just now have no sums yet: to look for some would be to pass by all that this adds.
    up_to = sa.func.least(risen.c.page, _LAST_PAGE)
    known = (
        sa.select(TALLY)
        .where(TALLY.c.city_id == _CITY, _same_sum(risen), TALLY.c.page <= up_to)
        .order_by(TALLY.c.page.desc())
        .limit(1)
        .lateral("known")
    )
    sums = {name: sa.func.coalesce(known.c[name] + risen.c[name], risen.c[name], known.c[name]) for name in names}
    all_sums = (sums.get(name, known.c[name]) for name in _NAMES)
    columns: list[Any] = [_CITY, *_by_key(risen), risen.c.page, *all_sums]
    rows = sa.select(*columns).select_from(risen.outerjoin(known, sa.true()))
    upsert = insert(TALLY).from_select(["city_id", *_KEY, "page", *_NAMES], rows)
    risen_to = {name: upsert.excluded[name] for name in names}
    return compiled(upsert.on_conflict_do_update(constraint=TALLY.primary_key, set_=risen_to))


def _later(new: sa.CTE, names: Iterable[str]) -> Query:
    """The pages that follow on those where a sum rises, unless it does so on them as well."""
    first = sa.select(*_by_key(new), sa.func.min(new.c.page).label("page")).group_by(*_by_key(new)).cte("first")
    pages = sa.select(TALLY.c.page).where(TALLY.c.city_id == _CITY, _same_sum(first), TALLY.c.page > first.c.page)
    follow = pages.order_by(TALLY.c.page).lateral("follow")
    rises = sa.exists().where(*(new.c[key] == first.c[key] for key in _KEY), new.c.page == follow.c.page)
    rows: Query = sa.select(*_by_key(first), follow.c.page, *(sa.null() for _ in names))
    return rows.select_from(first.join(follow, sa.true())).where(~rises)


def _by_key(rows: Any) -> list[Any]:
    return [rows.c[key] for key in _KEY]


def _same_sum(rows: Any) -> sa.ColumnElement[bool]:
    return sa.and_(*(TALLY.c[key] == rows.c[key] for key in _KEY))


def _running(names: Iterable[str], rows: Any) -> list[Any]:
    over: Columns = {"partition_by": _by_key(rows), "order_by": rows.c.page}
    return [sa.func.sum(rows.c[name]).over(**over).label(name) for name in names]


def _pages(city_id: Any, *which: Any) -> Any:
    """Their beginnings, in order, as one array: to search it for each entry is quicker than to ask the index."""
    starts_at = aggregate_order_by(col(LedgerPage.starts_at), col(LedgerPage.starts_at))
    starts: Query = sa.select(sa.func.array_agg(starts_at, type_=ARRAY(TIMESTAMP)))
    return starts.where(col(LedgerPage.city_id) == city_id, *which).scalar_subquery()


def _entries(city_id: Any, *which: Any) -> Query:
    names = ("metric", "origin", "amount", "occurred_on", "recorded_at")
    district = sa.func.coalesce(col(LedgerEntry.district_id), NO_DISTRICT).label("district")
    columns = (getattr(LedgerEntry, name) for name in names)
    return sa.select(*columns, district).where(col(LedgerEntry.city_id) == city_id, *which)


def _new(counts: Iterable[tuple[Metric, Origin]], pages: Any, entries: Query) -> Query:
    """What these entries add to each sum: one row for each area, span and page that they touch."""
    entry = entries.subquery("entry").c
    page = sa.func.coalesce(pages[sa.func.width_bucket(entry.recorded_at, pages)], FIRST_PAGE)
    by: tuple[Any, ...] = (entry.district, entry.occurred_on, page.label("page"))
    sums = (_sum_of(entry, *count) for count in counts)
    facts = sa.select(*by, *sums).group_by(*by).subquery("facts")
    areas = sa.values(sa.column("area", sa.String), name="areas").data([(WHOLE_CITY,), (facts.c.district,)]).lateral()
    day = facts.c.occurred_on
    month = sa.cast(sa.func.date_trunc("month", day), sa.Date)
    starts = ((sa.extract("day", day) >= start, month + (start - 1)) for start in reversed(TEN_DAYS_START))
    spans = (
        sa.values(sa.column("span", sa.String), sa.column("starts_on", sa.Date), name="spans")
        .data(
            [
                (Span.DAY.value, day),
                (Span.TEN_DAYS.value, sa.case(*starts)),
                (Span.MONTH.value, month),
                (Span.QUARTER.value, sa.cast(sa.func.date_trunc("quarter", day), sa.Date)),
                (Span.YEAR.value, sa.cast(sa.func.date_trunc("year", day), sa.Date)),
                (Span.EVER.value, sa.cast(FIRST_DAY, sa.Date)),
            ]
        )
        .lateral()
    )
    keys: tuple[Any, ...] = (areas.c.area, spans.c.span, spans.c.starts_on, facts.c.page)
    return (
        sa.select(*keys, *(_whole(sa.func.sum(facts.c[COUNTS[count]])).label(COUNTS[count]) for count in counts))
        .select_from(facts.join(areas, sa.true()).join(spans, sa.true()))
        .group_by(*keys)
    )


def _sum_of(entry: Any, metric: Metric, origin: Origin) -> Any:
    amounts = sa.func.sum(entry.amount).filter(entry.metric == metric, entry.origin == origin)
    return _whole(amounts).label(COUNTS[metric, origin])


def _whole(amount: Any) -> Any:
    """Sums of these are numerics to PostgreSQL, which take longer to add."""
    return sa.cast(amount, sa.BigInteger)

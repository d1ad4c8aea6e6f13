"""`python -m bench.ledger`: what a count costs in ledgers of all sizes, and what counting costs those who write.

No HTTP: the same functions as the service calls, beside the same question asked of the ledger itself.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

import asyncpg
import typer
import uvloop
from rich.console import Console

from app.core.database import Database, DatabaseOptions
from app.core.embedded import running_postgres
from app.core.ids import new_id
from app.core.migrations import upgrade
from app.domain.metrics import Metric
from app.domain.tallies import Period
from app.jobs import rolling_up
from app.services import reconciling, sums
from app.services.sums import Question

RESULTS = Path(__file__).with_name("LEDGER.md")
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
QUICK_SIZES = (1_000, 10_000)
FIRST, DAYS = date(2024, 1, 1), 1_000
CALLS = 40
DECLARED = (Metric.ACTIVITIES_HELD, Metric.GRAFFITI_PAINTED, Metric.RESOURCES_REFERRED, Metric.RESOURCES_BLOCKED)
WRITERS, TRIALS, TRIAL_S = 16, 5, 4.0
# Seconds between two roll-ups: none, those of the service, and twenty times as many.
PACES = (None, rolling_up.EVERY_S, 0.05)
# Facts of eight districts and all metrics, recorded up to two and a half days after they happened; one in 50 declared.
_FILL = """
    WITH given AS (SELECT $2::bigint AS size, $3::date AS first, $4::timestamptz AS start, $5::int AS days,
        $6::text[] AS m)
    INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, district_id, subject_id, recorded_at)
    SELECT
        $1, lpad(to_hex(g), 32, '0')::uuid, m[1 + g % array_length(m, 1)],
        CASE WHEN g % 50 = 0 THEN 'declared' ELSE 'recorded' END, 1 + g % 9, first + (g * days / size)::int,
        'district-' || g / 24 % 8, lpad(to_hex(g), 32, '0')::uuid,
        start + make_interval(secs => g * days * 86400.0 / size + g * 7919 % 100 * 2160)
    FROM given, generate_series(0, size - 1) AS g
"""
# Totals of two years, as offices publish them; each is in the ledger, recorded before anything else.
_DECLARE = """
    WITH said AS (
        SELECT gen_random_uuid() AS id, metric, make_date(year, 1, 1) AS first, make_date(year, 12, 31) AS last
        FROM unnest($2::text[]) AS metric, generate_series(2024, 2025) AS year
    ), counted AS (
        INSERT INTO declared_count (city_id, id, created_at, metric, period_from, period_to, amount, precision, source,
            published_on, edition)
        SELECT $1, id, now(), metric, first, last, 1, 'exact', 'an office', last, 1 FROM said
    )
    INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, subject_id, recorded_at)
    SELECT $1, gen_random_uuid(), metric, 'declared', 1, last, id, '2023-12-31T00:00:00Z' FROM said
"""
_LIVE = """
    SELECT metric, sum(amount) FILTER (WHERE origin = 'recorded'), sum(amount) FILTER (WHERE origin = 'declared')
    FROM ledger_entry WHERE city_id = $1 GROUP BY metric
"""
_INSERT = """
    INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, district_id, subject_id)
    VALUES ($1, $2, 'graffiti_painted', 'recorded', 1, '2026-03-01', 'district-0', $2)
"""

console = Console(stderr=True, highlight=False)
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def main(*, quick: Annotated[bool, typer.Option(help="Small ledgers, to see that it runs.")] = False) -> None:
    """Print the tables and write bench/LEDGER.md."""
    with tempfile.TemporaryDirectory(prefix="narkostop-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as nobody where we are root
        with running_postgres(Path(folder)) as url:
            upgrade(url, current=None)
            text = uvloop.run(_measured(url, quick=quick))
    print(text)
    if not quick:
        RESULTS.write_text(text + "\n")


async def _measured(url: str, *, quick: bool) -> str:
    before = f"Load average of the machine before: {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores."
    async with Database.opened(DatabaseOptions(url, statement_timeout_ms=600_000)) as database:
        connection: Connection = await asyncpg.connect(url)
        reads = await _reads(database, connection, QUICK_SIZES if quick else SIZES)
        writes = await _writes(database, connection, url, 1 if quick else TRIALS)
        version = await connection.fetchval("SHOW server_version")
        await connection.close()
    return f"# The ledger\n\nPostgreSQL {version}. {before}\n\n{reads}\n\n{writes}"


async def _reads(database: Database, connection: Connection, sizes: tuple[int, ...]) -> str:
    rows: dict[str, list[float]] = {}
    for size in sizes:
        console.print(f"filling {size:,} entries")
        city_id = f"city-{size}"
        await _fill(database, connection, city_id, size)
        for words, milliseconds in (await _asked(database, connection, city_id)).items():
            rows.setdefault(words, []).append(milliseconds)
    lines = [
        f"Milliseconds, {CALLS} calls each: the median, and of a past moment the 95th percentile.",
        "",
        f"| entries | {' | '.join(f'{size:,}' for size in sizes)} | largest / smallest | live / this, largest |",
        f"|---|{'--:|' * (len(sizes) + 2)}",
    ]
    live = rows["all, summed from the ledger itself"][-1]
    for words, figures in rows.items():
        cells = " | ".join(f"{figure:.2f}" for figure in figures)
        lines.append(f"| {words} | {cells} | {figures[-1] / figures[0]:.2f} | {live / figures[-1]:,.0f} |")
    return "\n".join(lines)


async def _fill(database: Database, connection: Connection, city_id: str, size: int) -> None:
    await _found(connection, city_id)
    # Right by construction: ten million foreign keys would take longer than the measurement.
    await connection.execute("SET session_replication_role = replica")
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    metrics = [metric.value for metric in Metric]
    await connection.execute(_FILL, city_id, size, FIRST, start, DAYS, metrics, timeout=3_600)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute(_DECLARE, city_id, [metric.value for metric in DECLARED])
    began = time.perf_counter()
    rolled = await rolling_up.once(database, in_turn=True)
    console.print(f"rolled up {rolled:,} in {time.perf_counter() - began:.1f} s")
    await connection.execute("VACUUM (ANALYZE)", timeout=3_600)


async def _asked(database: Database, connection: Connection, city_id: str) -> dict[str, float]:
    everything = Period("asked")
    days = Period("asked", FIRST + timedelta(days=17), FIRST + timedelta(days=903))
    month = Period("asked", FIRST + timedelta(days=500), FIRST + timedelta(days=530))
    midnight = datetime(2025, 6, 1, tzinfo=UTC) - timedelta(microseconds=1)
    questions = {
        "all": Question([everything]),
        "31 days": Question([month]),
        "887 days that begin and end within months": Question([days]),
        "the same, one district": Question([days], "district-3"),
        "all, as of the end of a past day": Question([everything], as_of=midnight + timedelta(microseconds=1)),
        "the same days, as of the end of a past day": Question([days], as_of=midnight + timedelta(microseconds=1)),
    }
    figures = {
        words: statistics.median(await _times(lambda asked=asked: sums.of_city(database, None, city_id, asked)))
        for words, asked in questions.items()
    }
    figures["the same days, as of any moment, p95"] = await _past(database, city_id, days)
    live = await _times(lambda: connection.fetch(_LIVE, city_id, timeout=600), calls=3)
    return figures | {"all, summed from the ledger itself": statistics.median(live)}


async def _past(database: Database, city_id: str, days: Period) -> float:
    start = datetime(2024, 2, 1, tzinfo=UTC)
    moments = iter([start + timedelta(hours=19.37 * number) for number in range(CALLS * 20)][::20])
    times = await _times(lambda: sums.of_city(database, None, city_id, Question([days], as_of=next(moments))), warm=0)
    return statistics.quantiles(times, n=20)[-1]


async def _times(ask: Callable[[], Awaitable[object]], calls: int = CALLS, warm: int = 6) -> list[float]:
    """In milliseconds; a statement is planned anew five times before its plan is kept."""
    times: list[float] = []
    for _ in range(warm if calls == CALLS else 1):
        await ask()
    for _ in range(calls):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1_000)
    return times


async def _writes(database: Database, connection: Connection, url: str, trials: int) -> str:
    alone, usual, often = PACES
    course = (
        f"{WRITERS} connections, each entry its own transaction, all of one day, metric and district; {TRIAL_S:g} s "
        "at each pace, in turns: entries a second."
    )
    lines = [
        course,
        "",
        f"| trial | no roll-up | one every {usual:g} s | ratio | every {often:g} s | ratio | lost or doubled |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    ratios: dict[float | None, list[float]] = {usual: [], often: []}
    for trial in range(1, trials + 1):
        city_id = f"written-{trial}"
        await _found(connection, city_id)
        # The one that comes first changes from trial to trial.
        turns = (*PACES[trial % 3 :], *PACES[: trial % 3])
        written = {pace: await _written(database, url, city_id, pace) for pace in turns}
        wrong = await _wrong(database, city_id, sum(written.values()))
        cells = [f"{written[alone] / TRIAL_S:,.0f}"]
        for pace, found in ratios.items():
            found.append(written[pace] / written[alone])
            cells += [f"{written[pace] / TRIAL_S:,.0f}", f"{found[-1]:.3f}"]
        lines.append(f"| {trial} | {' | '.join(cells)} | {wrong} |")
    medians = ", ".join(f"{statistics.median(found):.3f} every {pace:g} s" for pace, found in ratios.items())
    return "\n".join([*lines, "", f"Median ratios: {medians}; the goal is at least 0.95."])


async def _found(connection: Connection, city_id: str) -> None:
    await connection.execute(
        "INSERT INTO city (id, name_kk, name_ru, name_en, time_zone, is_demo, checked_percent, districts_version, "
        "same_spot_metres, version) VALUES ($1, '', '', '', 'Asia/Almaty', false, 10, 1, 15, 1)",
        city_id,
    )
    await connection.execute(
        "INSERT INTO district (city_id, id, name_kk, name_ru, name_en, outline, source) "
        "SELECT $1, 'district-' || number, '', '', '', '{}', '' FROM generate_series(0, 7) AS number",
        city_id,
    )


async def _written(database: Database, url: str, city_id: str, pace: float | None) -> int:
    rolling = asyncio.create_task(_roll_up(database, pace)) if pace else None
    until = time.perf_counter() + TRIAL_S
    written = sum(await asyncio.gather(*(_write(url, city_id, until) for _ in range(WRITERS))))
    if rolling:
        rolling.cancel()
        with suppress(asyncio.CancelledError):
            await rolling
    return written


async def _write(url: str, city_id: str, until: float) -> int:
    connection: Connection = await asyncpg.connect(url)
    insert = await connection.prepare(_INSERT)
    written = 0
    try:
        while time.perf_counter() < until:
            await insert.fetch(city_id, new_id())
            written += 1
    finally:
        await connection.close()
    return written


async def _roll_up(database: Database, pace: float) -> None:
    while True:
        await rolling_up.once(database)
        await asyncio.sleep(pace)


async def _wrong(database: Database, city_id: str, written: int) -> int:
    await rolling_up.once(database, in_turn=True)
    async with database.transaction() as session:
        differing = await reconciling.differences(session, city_id)
    assert not differing, differing
    found = await sums.of_city(database, None, city_id, Question([Period("ever")]))
    return abs(found.count(Metric.GRAFFITI_PAINTED, "ever").recorded - written)


if __name__ == "__main__":
    cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    cli.command()(main)
    cli()

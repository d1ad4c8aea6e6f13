"""`python -m bench.ledger`: what a count costs in ledgers of all sizes, and what counting costs those who write.

No HTTP: the same functions as the service calls, beside the same question asked of the ledger itself.
"""

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

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
from bench import entries
from bench.entries import FIRST, Connection
from bench.rolling import rolling

RESULTS = Path(__file__).with_name("LEDGER.md")
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
QUICK_SIZES = (1_000, 10_000)
CALLS, MOMENTS, WARM = 40, 200, 6
LIVE, PAST = "all, summed from the ledger itself", "the same days, as of any moment, 95th percentile"
MOST_DEARER, LEAST_CHEAPER, MOST_PAST_MS, LEAST_RATIO = 2, 1_000, 50, 0.95
WRITERS, TRIALS, TURNS, TURN_S = 16, 5, 3, 2.0
# Seconds between two roll-ups: none, those of the service, and twenty times as many.
PACES = (None, rolling_up.EVERY_S, 0.05)
_LIVE = """
    SELECT metric, sum(amount) FILTER (WHERE origin = 'recorded'), sum(amount) FILTER (WHERE origin = 'declared')
    FROM ledger_entry WHERE city_id = $1 GROUP BY metric
"""
_INSERT = """
    INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, district_id, subject_id)
    VALUES ($1, $2, 'graffiti_painted', 'recorded', 1, '2026-03-01', 'district-0', $2)
"""

console = Console(stderr=True, highlight=False)


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
        reads = await _reads(database, connection, url, QUICK_SIZES if quick else SIZES)
        writes = await _writes(database, connection, url, 1 if quick else TRIALS)
        version = await connection.fetchval("SHOW server_version")
        await connection.close()
    return f"# The ledger\n\nPostgreSQL {version}. {before}\n\n{reads}\n\n{writes}"


async def _reads(database: Database, connection: Connection, url: str, sizes: tuple[int, ...]) -> str:
    rows: dict[str, list[float]] = {}
    for size in sizes:
        console.print(f"filling {size:,} entries")
        city_id = f"city-{size}"
        await entries.fill(connection, url, city_id, size)
        began = time.perf_counter()
        rolled = await rolling_up.once(database, in_turn=True)
        console.print(f"rolled up {rolled:,} in {time.perf_counter() - began:.1f} s")
        await connection.execute("VACUUM (ANALYZE)", timeout=3_600)
        for words, milliseconds in (await _asked(database, connection, city_id)).items():
            rows.setdefault(words, []).append(milliseconds)
    return "\n".join(
        [
            f"Milliseconds: the median of {CALLS} calls or, as of any moment, of one for each of {MOMENTS} moments.",
            "",
            *_table(sizes, rows),
            "",
            _goals(rows[PAST][-1]),
        ]
    )


def _table(sizes: tuple[int, ...], rows: Mapping[str, Sequence[float]]) -> Iterator[str]:
    yield f"| entries | {' | '.join(f'{size:,}' for size in sizes)} | largest / smallest | live / largest | goals |"
    yield f"|---|{'--:|' * (len(sizes) + 2)}---|"
    for words, figures in rows.items():
        cells = " | ".join(f"{figure:.2f}" for figure in figures)
        dearer, cheaper = figures[-1] / figures[0], rows[LIVE][-1] / figures[-1]
        judged = "" if words in {LIVE, PAST} else _met(dearer <= MOST_DEARER and cheaper >= LEAST_CHEAPER)
        yield f"| {words} | {cells} | {dearer:.2f} | {cheaper:,.0f} | {judged} |"


def _goals(past_ms: float) -> str:
    return (
        f"Goals: among the most entries at most {MOST_DEARER} times the cost among the fewest, and a "
        f"{LEAST_CHEAPER:,}th of summing the ledger; of a past moment, 95 times of 100, at most {MOST_PAST_MS} ms: "
        f"{_met(past_ms <= MOST_PAST_MS)} with {past_ms:.0f}."
    )


def _met(is_met: bool) -> str:  # noqa: FBT001
    return "met" if is_met else "**missed**"


async def _asked(database: Database, connection: Connection, city_id: str) -> dict[str, float]:
    everything = Period("asked")
    days = Period("asked", FIRST + timedelta(days=17), FIRST + timedelta(days=903))
    month = Period("asked", FIRST + timedelta(days=500), FIRST + timedelta(days=530))
    questions = {
        "all": Question([everything]),
        "31 days": Question([month]),
        "887 days that begin and end within months": Question([days]),
        "the same, one district": Question([days], "district-3"),
    }
    figures = {
        words: statistics.median(await _times(lambda asked=asked: sums.of_city(database, None, city_id, asked)))
        for words, asked in questions.items()
    }
    past = {
        "all, as of any moment": Question([everything]),
        "one district, as of any moment": Question([days], "district-3"),
        "the same days, as of any moment": Question([days]),
    }
    chance = random.Random(city_id)  # noqa: S311 a choice that can be made again
    times = {words: await _past(database, city_id, asked, chance) for words, asked in past.items()}
    figures |= {words: statistics.median(each) for words, each in times.items()}
    figures[PAST] = statistics.quantiles(times["the same days, as of any moment"], n=20)[-1]
    live = await _times(lambda: connection.fetch(_LIVE, city_id, timeout=600), calls=3)
    return figures | {LIVE: statistics.median(live)}


async def _past(database: Database, city_id: str, asked: Question, chance: random.Random) -> list[float]:
    """Each moment once, and another one for each question: mostly nobody has read lately what it takes."""
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    moments = (start + timedelta(days=chance.uniform(0, entries.DAYS)) for _ in range(MOMENTS + WARM))
    return await _times(
        lambda: sums.of_city(database, None, city_id, replace(asked, as_of=next(moments))), calls=MOMENTS
    )


async def _times(ask: Callable[[], Awaitable[object]], calls: int = CALLS) -> list[float]:
    """In milliseconds, without the first ones, which plan and connect."""
    times: list[float] = []
    for _ in range(WARM):
        await ask()
    for _ in range(calls):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1_000)
    return times


async def _writes(database: Database, connection: Connection, url: str, trials: int) -> str:
    alone, usual, often = PACES
    course = (
        f"{WRITERS} connections of one process, each entry its own transaction, all of one day, metric and district; "
        f"another process rolls up. {TURNS} times {TURN_S:g} s at each pace, in turns: entries a second."
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
        await entries.found(connection, city_id)
        # The machine is not as fast at any time: the paces take turns, and another one begins each time.
        written: Counter[float | None] = Counter()
        for turn in range(TURNS):
            for pace in (*PACES[turn:], *PACES[:turn]):
                written[pace] += await _written(url, city_id, pace)
        wrong = await _wrong(database, city_id, sum(written.values()))
        cells = [f"{written[alone] / TURNS / TURN_S:,.0f}"]
        for pace, found in ratios.items():
            found.append(written[pace] / written[alone])
            cells += [f"{written[pace] / TURNS / TURN_S:,.0f}", f"{found[-1]:.3f}"]
        lines.append(f"| {trial} | {' | '.join(cells)} | {wrong} |")
    medians = {pace: statistics.median(found) for pace, found in ratios.items()}
    told = ", ".join(
        f"{median:.3f} every {pace:g} s ({_met(median >= LEAST_RATIO)})" for pace, median in medians.items()
    )
    return "\n".join([*lines, "", f"Median ratios: {told}; the goal is at least {LEAST_RATIO}."])


async def _written(url: str, city_id: str, pace: float | None) -> int:
    async with rolling(url, pace) if pace else nullcontext():
        until = time.perf_counter() + TURN_S
        return sum(await asyncio.gather(*(_write(url, city_id, until) for _ in range(WRITERS))))


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

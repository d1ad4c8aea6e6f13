"""`python -m bench`: fills two cities, then loads one line after the other, round by round."""

import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import asyncpg
import psutil
import typer
import uvloop
from pydantic import SecretStr
from rich.console import Console

from app.core.config import Settings
from app.core.embedded import running_postgres
from app.core.migrations import upgrade
from bench import city, servers
from bench.city import People, Size
from bench.lines import Line, lines
from bench.load import Load, answers_to
from bench.report import Round, report
from bench.servers import Server

SECRET_KEY = "only for the bench, and 32 characters long"  # noqa: S105 of a database that lives for minutes
RESULTS = Path(__file__).with_name("RESULTS.md")
LIFE = Size(
    many_raids=1_000_000,
    few_raids=10_000,
    many_volunteers=100_000,
    few_volunteers=1_000,
    ledger_entries=100_000,
    people=32,
)
QUICK = Size(
    many_raids=2_000, few_raids=1_000, many_volunteers=1_000, few_volunteers=500, ledger_entries=1_000, people=4
)

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Course:
    rounds: int
    warm_ups: int
    seconds: float
    connections: int

    def __str__(self) -> str:
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        return f"{rounds} of {self.seconds:g} s for each line, {self.connections} connections."


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs while the lines are measured."""

    servers: Mapping[str, Server]
    postmaster: psutil.Process
    people: Mapping[str, People]


def main(
    *,
    rounds: Annotated[int, typer.Option(help="How often each line is measured.", min=1)] = 5,
    seconds: Annotated[float, typer.Option(help="For how long each time.", min=0.1)] = 3,
    connections: Annotated[int, typer.Option(help="How many requests are under way at once.", min=1)] = 32,
    quick: Annotated[bool, typer.Option(help="Small tables and one short round, to see that it runs.")] = False,
) -> None:
    """Measure the service beside a bare FastAPI route; print the results and write bench/RESULTS.md."""
    size, course = (QUICK, Course(1, 0, 0.02, 4)) if quick else (LIFE, Course(rounds, 1, seconds, connections))
    with _database() as settings:
        text = uvloop.run(_measured(settings, size, course))
    print(text)
    if not quick:
        RESULTS.write_text(text + "\n")


@contextmanager
def _database() -> Iterator[Settings]:
    """Durable, as a city would run it."""
    with tempfile.TemporaryDirectory(prefix="narkostop-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as nobody where we are root
        with running_postgres(Path(folder)) as url:
            upgrade(url, current=None)
            yield Settings(DATABASE_URL=url, data_dir=Path(folder), secret_key=SecretStr(SECRET_KEY))


async def _measured(settings: Settings, size: Size, course: Course) -> str:
    assert settings.database_url
    # What others do on the machine is not in our hands, but the reader should know of it.
    conditions = f"{course}\n{size}\nLoad average of the machine before: {os.getloadavg()[0]:.1f}."
    console.print(f"filling {size.many_raids:,} raids")
    environment = {"DATABASE_URL": settings.database_url, "NARKOSTOP_SECRET_KEY": SECRET_KEY}
    async with city.founded(settings, size) as people:
        with servers.running(settings.data_dir, environment) as running:
            stage = Stage(running, await servers.postmaster(settings.database_url), people)
            rounds = await _rounds(stage, lines(size), course)
    return report(lines(size), rounds, conditions, await _version(settings.database_url))


async def _rounds(stage: Stage, measured: Sequence[Line], course: Course) -> dict[str, list[Round]]:
    """In another order each time, so that no line always comes after the same one."""
    rounds: dict[str, list[Round]] = defaultdict(list)
    for number in range(1 - course.warm_ups, course.rounds + 1):
        for line in random.sample(measured, len(measured)):
            console.print(f"round {number} of {course.rounds}: {line.name}")
            done = await _round(stage, line, course)
            if number > 0:
                rounds[line.name].append(done)
    return rounds


async def _round(stage: Stage, line: Line, course: Course) -> Round:
    server, requests = stage.servers[line.server], line.requests(stage.people[line.city].tokens())
    server_cpu, postgres_cpu = servers.cpu_seconds(server.process), servers.cpu_seconds(stage.postmaster)
    load = Load(server.port, course.connections, course.seconds)
    answers = await answers_to(requests, load, line.status)
    return Round(
        answers,
        servers.cpu_seconds(server.process) - server_cpu,
        servers.cpu_seconds(stage.postmaster) - postgres_cpu,
    )


async def _version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()


if __name__ == "__main__":
    cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    cli.command()(main)
    cli()

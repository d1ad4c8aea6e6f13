"""The measurements as Markdown."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil

from app.core.clock import utc_now
from bench.lines import Goal, H, Line
from bench.load import Answers

PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "asyncpg", "sqlalchemy", "sqlmodel", "pydantic")


@dataclass(frozen=True, slots=True)
class Round:
    """One line in one round; CPU seconds are those of the server and of all of PostgreSQL."""

    answers: Answers
    server_cpu: float
    postgres_cpu: float

    @property
    def rate(self) -> float:
        return len(self.answers.latencies) / self.answers.seconds

    def microseconds_each(self, cpu: float) -> float:
        return cpu / (len(self.answers.latencies) + self.answers.late) * 1e6


Rounds = Mapping[str, Sequence[Round]]
"""By the line's name; the same number for each line."""


def report(lines: Sequence[Line], rounds: Rounds, conditions: str, postgres: str) -> str:
    return "\n\n".join(
        ["# Results", _machine(postgres), conditions, _table(lines, rounds), _load_share(rounds), _goals(lines, rounds)]
    )


def ratios(rounds: Rounds, name: str, than: str) -> list[float]:
    """Round by round, so that what slows the machine down for a while slows both."""
    return [this.rate / that.rate for this, that in zip(rounds[name], rounds[than], strict=True)]


def is_met(goal: Goal, line: Line, rounds: Rounds) -> bool:
    return median(ratios(rounds, line.name, goal.than)) >= goal.least


def _machine(postgres: str) -> str:
    memory = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{utc_now():%Y-%m-%d}: {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()}.\n"
        f"Python {platform.python_version()}, PostgreSQL {postgres}, {packages}."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    described = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in described if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _table(lines: Sequence[Line], rounds: Rounds) -> str:
    """Medians of the rounds."""
    head = (
        "| | of H | lowest-highest | answers/s | p50 ms | p99 ms | p99/p50 | server CPU µs | PostgreSQL CPU µs |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    )
    return head + "\n".join(f"| {line.name} | {_cells(rounds, line.name)} |" for line in lines)


def _cells(rounds: Rounds, name: str) -> str:
    of_hello, measured = ratios(rounds, name, H), rounds[name]
    p50, p99 = (median(each.answers.percentile(percent) * 1e3 for each in measured) for percent in (50, 99))
    server = median(each.microseconds_each(each.server_cpu) for each in measured)
    postgres = median(each.microseconds_each(each.postgres_cpu) for each in measured)
    cells = [
        f"{median(of_hello):.3f}",
        f"{min(of_hello):.3f}-{max(of_hello):.3f}",
        f"{median(each.rate for each in measured):,.0f}",
        f"{p50:.2f}",
        f"{p99:.2f}",
        f"{p99 / p50:.1f}",
        f"{server:,.0f}",
        f"{postgres:,.0f}",
    ]
    return " | ".join(cells)


def _load_share(rounds: Rounds) -> str:
    """A generator that is busy all the time would be what is measured."""
    busy = {name: median(each.answers.own_cpu / each.answers.seconds for each in all_) for name, all_ in rounds.items()}
    busiest = max(busy, key=busy.__getitem__)
    return f"The load generator was busy {busy[H]:.0%} of the time at H, and at most {busy[busiest]:.0%} ({busiest})."


def _goals(lines: Sequence[Line], rounds: Rounds) -> str:
    head = "| | goal | measured | |\n|---|---|--:|---|\n"
    return head + "\n".join(_goal(goal, line, rounds) for line in lines for goal in line.goals)


def _goal(goal: Goal, line: Line, rounds: Rounds) -> str:
    measured = median(ratios(rounds, line.name, goal.than))
    shown = f"{measured:.3f} H" if goal.than == H else f"{1 / measured:.2f} x"
    verdict = "met" if is_met(goal, line, rounds) else "**missed**"
    return f"| {line.name} | {goal.words} | {shown} | {verdict} |"

import subprocess
import sys

import pytest

from bench.__main__ import QUICK, RESULTS
from bench.lines import lines
from bench.servers import PROJECT


@pytest.fixture(scope="module")
def results() -> str:
    """The bench ends with an error at the first answer whose status is not the one it asked for."""
    before = RESULTS.read_bytes() if RESULTS.exists() else None
    command = [sys.executable, "-m", "bench", "--quick"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (RESULTS.read_bytes() if RESULTS.exists() else None) == before
    return done.stdout


def test_each_line_is_in_the_table(results: str):
    rows = [row for row in results.splitlines() if row.count("|") == 10]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[2:]] == [line.name for line in lines(QUICK)]


def test_each_goal_is_judged(results: str):
    goals = [goal for line in lines(QUICK) for goal in line.goals]
    judged = [row for row in results.splitlines() if row.endswith(("| met |", "| **missed** |"))]
    assert len(goals) == len(judged) > 0


def test_it_says_what_was_measured_on_what(results: str):
    assert "PostgreSQL 18" in results
    assert "1 round of 0.05 s for each line, 4 connections" in results

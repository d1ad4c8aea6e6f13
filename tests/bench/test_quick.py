import subprocess
import sys

from bench.__main__ import QUICK, RESULTS
from bench.lines import lines
from bench.servers import PROJECT


def test_a_quick_bench_measures_each_line_judges_each_goal_and_changes_no_result():
    """It ends with an error at the first answer whose status is not the one it asked for."""
    before = RESULTS.read_bytes()
    command = [sys.executable, "-m", "bench", "--quick"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert RESULTS.read_bytes() == before

    table = [row for row in done.stdout.splitlines() if row.count("|") == 10]
    assert [row.split(" | ")[0].removeprefix("| ") for row in table[2:]] == [line.name for line in lines(QUICK)]
    goals = [goal for line in lines(QUICK) for goal in line.goals]
    judged = [row for row in done.stdout.splitlines() if row.endswith(("| met |", "| **missed** |"))]
    assert len(goals) == len(judged) > 0
    assert "PostgreSQL 18" in done.stdout
    assert "1 round of 0.02 s for each line, 4 connections" in done.stdout

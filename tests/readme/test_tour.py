"""The README's tour is run as it stands, against the server that the README's command starts."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.almaty_year import copy_of_the_year
from tests.conftest import execute

ROOT = Path(__file__).parents[2]
NARKOSTOP = Path(sys.executable).with_name("narkostop")
PATIENCE_S = 90
SAID = [
    r"\d+ inscriptions painted over so far",
    "active",
    "nine metres further on it is the same wall",
    "confirmed",
    "open",
    "1",
    "accepted",
    "under_way",
    "present",
    "done",
    r"(?P<before>\d+) \+ 7 = (?P<after>\d+)",
    "verified",
    "verified",
    "7",
    "1",
    "in_review",
    "confirmed",
    "sent",
    "answered",
    "blocked",
    "block_reported",
    "«рейд»: күйі «аяқталған», «аяқтау» әрекеті мүмкін емес.",
]


@pytest.fixture
def address(server: str, tmp_path: Path) -> Iterator[str]:
    """The demo city, and the server as `scripts/run` starts it; tests/demo makes the city as a first start does."""
    name, port = f"tour_{uuid4().hex}", free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": asyncio.run(copy_of_the_year(server, name)),
        "NARKOSTOP_PORT": str(port),
        "NARKOSTOP_DATA_DIR": str(tmp_path),
    }
    said = tmp_path / "said"
    with said.open("wb") as output:
        process = subprocess.Popen([NARKOSTOP, "run"], env=environment, stdout=output, stderr=output)
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", process, said)
        yield f"127.0.0.1:{port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 0, "Ctrl-C did not end it"
        assert "coordinator@almaty.example" in said.read_text()
    finally:
        process.kill()
        process.wait()
        asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, said.read_text()
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 our own address
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"{url} did not answer within {PATIENCE_S} s")


def tour(readme: str) -> str:
    section = (ROOT / readme).read_text().split("\n## ")[2]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))


def test_both_readmes_give_the_same_tour():
    assert tour("README.md") == tour("README.ru.md")
    assert tour("README.md").count("\n") > 40


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour uses curl, and this machine has none")
def test_the_tour_does_what_it_says(address: str):
    script = tour("README.md").replace("127.0.0.1:8000", address)
    # Of two on the PATH, the one that runs these tests: the other may be a wrapper that takes five times as long.
    environment = {**os.environ, "PATH": f"{NARKOSTOP.parent}:{os.environ['PATH']}"}
    walked = subprocess.run(
        ["sh", "-eu"], input=script, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert walked.returncode == 0, walked.stdout + walked.stderr
    lines = walked.stdout.strip().splitlines()
    assert len(lines) == len(SAID), walked.stdout
    found = [re.fullmatch(expected, line) for expected, line in zip(SAID, lines, strict=True)]
    assert all(found), walked.stdout
    sums = next(match for match in found if "before" in match.re.groupindex)
    assert int(sums["after"]) == int(sums["before"]) + 7

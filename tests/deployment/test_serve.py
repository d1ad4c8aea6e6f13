"""The program as the image starts it: unprivileged, on a source tree it cannot write to."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import pytest

from app.core import migrations
from tests.conftest import SECRET_KEY, TEMPLATE, copy_of, database_url, execute
from tests.migrations.catalogue import everything, unfinished

NARKOSTOP = Path(sys.executable).with_name("narkostop")
PROJECT = Path(__file__).parents[2]
PATIENCE_S = 60
# A tree below /root stays readable, as it is in the image; writing is what must not be needed.
READ_ONLY = (
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
)
UNPRIVILEGED = (
    ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *READ_ONLY) if os.geteuid() == 0 else ()
)


def environment(**changes: str | None) -> dict[str, str]:
    given = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "NARKOSTOP_SECRET_KEY": SECRET_KEY, **changes}
    return {name: value for name, value in given.items() if value is not None}


def narkostop(folder: Path, *arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    command = [*UNPRIVILEGED, NARKOSTOP, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(**changes), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.fixture
def url(server: str) -> Iterator[str]:
    name = f"deployment_{uuid4().hex}"
    asyncio.run(execute(server, copy_of(TEMPLATE, name)))
    yield database_url(server, name)
    asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o555)
    return tmp_path


@pytest.fixture
def port() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return str(free.getsockname()[1])


@contextmanager
def serving(folder: Path, url: str, port: str) -> Iterator[subprocess.Popen[str]]:
    given = environment(DATABASE_URL=url, NARKOSTOP_PORT=port)
    command = [*UNPRIVILEGED, NARKOSTOP, "serve"]
    with subprocess.Popen(command, cwd=folder, env=given, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until_it_answers(process, port)
            yield process
        finally:
            process.kill()


def wait_until_it_answers(process: subprocess.Popen[str], port: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while status(port, "/livez") != 200:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status(port: str, path: str) -> int | None:
    with closing(HTTPConnection("127.0.0.1", int(port), timeout=5)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None


def health(port: str) -> int:
    """What the image's own HEALTHCHECK exits with."""
    check = re.search(r"^HEALTHCHECK .*? CMD (\[.*\])$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert check
    program = json.loads(check[1])
    assert program[0] == "python"
    given = {"NARKOSTOP_PORT": port, "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run([sys.executable, *program[1:]], env=given, stderr=subprocess.DEVNULL, check=False).returncode


def test_it_serves_until_it_is_told_to_end(folder: Path, url: str, port: str):
    with serving(folder, url, port) as process:
        assert status(port, "/readyz") == 200
        assert health(port) == 0

        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)

    assert time.monotonic() - began < 5
    assert process.returncode in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
    assert list(folder.iterdir()) == []


def test_nobody_there_is_not_healthy(port: str):
    assert health(port) != 0


@pytest.mark.parametrize("missing", ["DATABASE_URL", "NARKOSTOP_SECRET_KEY"])
def test_it_refuses_to_serve_without(folder: Path, missing: str):
    refused = narkostop(folder, "serve", **{"DATABASE_URL": "postgresql://nowhere.invalid/x", missing: None})

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert missing in refused.stderr


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"NARKOSTOP_PORT": "http"}, "port: input should be a valid integer"),
        ({"NARKOSTOP_SECRET_KEY": "short"}, "32 characters"),
        ({"DATABASE_URL": "postgresql://postgres@127.0.0.1:9/x"}, "cannot reach the database"),
    ],
)
def test_a_wrong_setting_is_one_line(folder: Path, url: str, wrong: dict[str, str], words: str):
    refused = narkostop(folder, "serve", **{"DATABASE_URL": url, **wrong})

    assert refused.returncode == 1
    assert words.lower() in refused.stderr.lower()
    assert refused.stderr.count("\n") == 1


def test_it_refuses_a_database_that_was_not_migrated(folder: Path, url: str):
    asyncio.run(execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"))

    refused = narkostop(folder, "serve", DATABASE_URL=url)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "narkostop migrate" in refused.stderr

    assert narkostop(folder, "migrate", DATABASE_URL=url).returncode == 0
    assert everything(url)


def test_migrate_refuses_a_newer_database(folder: Path, url: str):
    asyncio.run(execute(url, "UPDATE alembic_version SET version_num = '9999'"))

    refused = narkostop(folder, "migrate", DATABASE_URL=url)

    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "newer version" in refused.stderr


def test_migrate_gives_up_on_a_lock_in_one_line(
    url: str, refused: Callable[..., Awaitable[str]], monkeypatch: pytest.MonkeyPatch
):
    """After 5 s, of which tests/migrations/test_steps.py knows, and here after a tenth of one."""
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_MS", 100)
    monkeypatch.setenv("DATABASE_URL", url)
    asyncio.run(execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"))

    with unfinished(url, "BEGIN; CREATE TABLE alembic_version ()"):
        said = asyncio.run(refused("migrate"))

    assert said.count("\n") == 1
    assert "lock timeout" in said

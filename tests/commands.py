"""`narkostop …` as it is typed: what it is told by the environment, what it says and what it exits with."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli import main

PROGRAM = Path(sys.executable).with_name("narkostop")


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    error: str


Narkostop = Callable[..., Awaitable[Said]]


async def started(environment: dict[str, str], *words: str | Path) -> Process:
    """The installed program, in a process of its own."""
    return await asyncio.create_subprocess_exec(PROGRAM, *words, env=environment, stdout=PIPE, stderr=PIPE)


async def said_by(process: Process) -> Said:
    out, error = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), error.decode())


class Terminal:
    """The same in this process: to import what a command needs takes a second, each time, in one of its own."""

    def __init__(self, patch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._captured = captured

    async def narkostop(self, *words: str | Path) -> Said:
        """In a thread, because the command has an event loop of its own."""
        self._patch.setattr(sys, "argv", ["narkostop", *map(str, words)])
        self._captured.readouterr()
        status = await asyncio.to_thread(_status)
        out, error = self._captured.readouterr()
        return Said(status, out, error)


def _status() -> int:
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code

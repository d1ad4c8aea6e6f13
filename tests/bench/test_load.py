"""A load generator that took a refusal for an answer would measure nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import pytest

from bench import load
from bench.load import HOST, Answers, Load, WrongAnswerError, answers_to


class Server(asyncio.Protocol):
    """Gives each request the same answer, piece by piece, and without an answer hangs up."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self.pieces = pieces

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, _: bytes) -> None:
        if not self.pieces:
            self.transport.close()
        self._send(self.pieces)

    def _send(self, pieces: tuple[bytes, ...]) -> None:
        # One timer after another: of several at once a late loop runs the overdue ones first, in another order.
        if pieces:
            self.transport.write(pieces[0])
            asyncio.get_running_loop().call_later(0.001, self._send, pieces[1:])


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[Load]:
    server = await asyncio.get_running_loop().create_server(lambda: Server(pieces), HOST, 0)
    async with server:
        yield Load(server.sockets[0].getsockname()[1], connections=2, seconds=0.1)


async def measured(asked: Load) -> Answers:
    return await answers_to(cycle([b"GET / HTTP/1.1\r\n\r\n"]), asked, 200)


async def test_an_answer_counts_when_it_is_whole():
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-", b"length: 10\r\n\r\n01234", b"56789") as whole:
        answers = await measured(whole)
    assert len(answers.latencies) > 2
    assert answers.latencies[0] >= 0.001
    assert answers.latencies[0] == answers.percentile(0) <= answers.percentile(50) <= answers.percentile(99)


async def test_another_status_ends_the_measurement():
    async with answering(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n") as refusing:
        with pytest.raises(WrongAnswerError, match=re.escape("401 Unauthorized")):
            await measured(refusing)


async def test_an_answer_that_never_ends_ends_the_measurement(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load, "PATIENCE_S", 0.1)
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234") as unanswered:
        with pytest.raises(WrongAnswerError, match=re.escape("no answer in 0.1 s")):
            await measured(unanswered)


async def test_a_server_that_hangs_up_ends_the_measurement():
    async with answering() as silent:
        with pytest.raises(WrongAnswerError, match="connection lost"):
            await measured(silent)

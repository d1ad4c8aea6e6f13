"""A load generator that took a refusal for an answer would measure nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import pytest

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
        for number, piece in enumerate(self.pieces):
            asyncio.get_running_loop().call_later(number / 1_000, self.transport.write, piece)


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[Load]:
    server = await asyncio.get_running_loop().create_server(lambda: Server(pieces), HOST, 0)
    async with server:
        yield Load(server.sockets[0].getsockname()[1], connections=2, seconds=0.1)


async def measured(load: Load) -> Answers:
    return await answers_to(cycle([b"GET / HTTP/1.1\r\n\r\n"]), load, 200)


async def test_an_answer_counts_when_it_is_whole():
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-", b"length: 10\r\n\r\n01234", b"56789") as load:
        answers = await measured(load)
    assert len(answers.latencies) > 2
    assert answers.latencies[0] >= 0.001
    assert answers.latencies[0] == answers.percentile(0) <= answers.percentile(50) <= answers.percentile(99)


async def test_another_status_ends_the_measurement():
    async with answering(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n") as load:
        with pytest.raises(WrongAnswerError, match=re.escape("401 Unauthorized")):
            await measured(load)


async def test_a_server_that_hangs_up_ends_the_measurement():
    async with answering() as load:
        with pytest.raises(WrongAnswerError, match="connection lost"):
            await measured(load)

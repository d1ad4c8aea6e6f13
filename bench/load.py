"""A load: so many connections, each with one request under way, for so many seconds."""

import asyncio
import re
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"
PATIENCE_S = 30.0
"""For the answers that are under way when the time is up."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


_WITHOUT_BODY = b"HTTP/1.1 304 "


class WrongAnswerError(Exception):
    """The service did not do what is measured: a quick refusal must not count as speed."""


@dataclass(frozen=True, slots=True)
class Load:
    port: int
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answers:
    """`latencies` in seconds, the shortest first; `own_cpu` is what this load generator used itself."""

    latencies: list[float]
    seconds: float
    own_cpu: float
    late: int
    """Those that were under way when the time was up: not measured, but the server worked for them too."""

    def percentile(self, percent: float) -> float:
        return self.latencies[int((len(self.latencies) - 1) * percent / 100)]


async def answers_to(requests: Iterator[bytes], load: Load, status: int) -> Answers:
    """Raises WrongAnswerError at the first answer with another status."""
    loop = asyncio.get_running_loop()
    latencies = array("d")
    connections = [_Connection(requests, status, latencies) for _ in range(load.connections)]
    for connection in connections:
        await loop.create_connection(lambda connection=connection: connection, HOST, load.port)
    began, cpu = time.perf_counter(), time.process_time()
    for connection in connections:
        connection.ask()
    ended = [connection.ended for connection in connections]
    await asyncio.wait(ended, timeout=load.seconds, return_when=asyncio.FIRST_COMPLETED)
    if latencies:
        seconds, cpu, measured = time.perf_counter() - began, time.process_time() - cpu, sorted(latencies)
        await _ended(connections)
    else:
        # Every answer takes longer than the round: then the round is as long as the answers.
        await _ended(connections)
        seconds, cpu, measured = time.perf_counter() - began, time.process_time() - cpu, sorted(latencies)
    return Answers(measured, seconds, cpu, late=len(latencies) - len(measured))


async def _ended(connections: "Sequence[_Connection]") -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(connection.end() for connection in connections))
    except TimeoutError:
        raise WrongAnswerError(f"no answer in {PATIENCE_S:g} s") from None
    finally:
        for connection in connections:
            connection.abort()


class _Connection(asyncio.Protocol):
    """Asks anew as soon as an answer is whole; plain HTTP/1.1, because a client library costs more than the server."""

    def __init__(self, requests: Iterator[bytes], status: int, latencies: "array[float]") -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._expected = b"HTTP/1.1 %d " % status
        self._latencies = latencies
        self._received = b""
        self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_whole():
            return
        self._latencies.append(time.perf_counter() - self._asked)
        answer, self._received = self._received, b""
        if not answer.startswith(self._expected):
            self._end(WrongAnswerError(answer.decode()))
        elif self._is_last:
            self._end()
        else:
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(WrongAnswerError(f"connection lost: {exc}"))

    async def end(self) -> None:
        """Wait for the answer that is under way, so that the next load finds the server idle."""
        self._is_last = True
        await self.ended

    def abort(self) -> None:
        self._transport.abort()

    def _is_whole(self) -> bool:
        head = self._received.find(b"\r\n\r\n")
        length = _LENGTH.search(self._received) if head >= 0 else None
        if head >= 0 and self._received.startswith(_WITHOUT_BODY):
            return True
        return length is not None and len(self._received) >= head + 4 + int(length[1])

    def _end(self, error: WrongAnswerError | None = None) -> None:
        if self.ended.done():
            return
        if error:
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)
        self._transport.close()

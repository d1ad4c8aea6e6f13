"""Each document of counts once for each revision of its city's ledger, however many ask for it."""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from app.core.database import Database
from app.core.shared import Shared
from app.core.turns import NoTurnError, Turns
from app.domain.errors import Unavailable
from app.schemas.metrics import MetricsQuery
from app.services import metrics, sums
from app.services.metrics import Asked, Document
from app.services.sums import Standing

FRESH_S = 0.5
"""How long a revision is believed; with the time to count, answers are less than a second behind a commit."""
COUNTED_AT_ONCE, WAIT_S = 2, 10
"""Of each queue. What anybody may ask, in ever other words, has a queue of its own: nobody else waits in it."""
MOST_KEPT_BYTES = 32_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Known(Generic[T]):
    value: T
    since: float


class Queue(StrEnum):
    OURS = "ours"
    """Of those who are signed in, of the service's own gauges, and for the documents that everybody polls."""
    ANYBODYS = "anybody's"


class Documents:
    """The documents of one process. Who may have them is not decided here."""

    def __init__(self, database: Database, most_kept_bytes: int = MOST_KEPT_BYTES) -> None:
        self._database = database
        self._turns = Turns(COUNTED_AT_ONCE, WAIT_S)
        self._most_kept_bytes = most_kept_bytes
        self._standings: dict[str, _Known[Standing]] = {}
        self._documents: OrderedDict[Asked, Document] = OrderedDict()
        self.kept_bytes = 0
        self._reports: OrderedDict[Hashable, _Known[Any]] = OrderedDict()
        self._standing_asked: Shared[Standing] = Shared()
        self._documents_asked: Shared[Document] = Shared()
        self._reports_asked: Shared[Any] = Shared()

    async def standing(self, city_id: str) -> Standing:
        """At most FRESH_S old: whoever comes first asks the database, for everybody. Raises NotFound."""
        known = self._standings.get(city_id)
        if known and known.since > time.monotonic() - FRESH_S:
            return known.value
        return await self._standing_asked.get(city_id, lambda: self._ask_standing(city_id))

    async def _ask_standing(self, city_id: str) -> Standing:
        asked_at = time.monotonic()
        standing = await sums.standing_of(self._database, None, city_id)
        self._learn(city_id, _Known(standing, asked_at))
        return standing

    def _learn(self, city_id: str, found: _Known[Standing]) -> None:
        """A document is often counted from a later revision than it was asked for: that is then the one to go by."""
        known = self._standings.get(city_id)
        if known is None or known.since < found.since:
            self._standings[city_id] = found

    async def polled(self, asked: Asked) -> Document:
        """At most a second behind. Raises as `get`."""
        return await self.get(asked, await self.standing(asked.city_id))

    async def get(self, asked: Asked, standing: Standing) -> Document:
        """The document of this revision, or a later one.

        Raises NotFound for a city, Invalid for a district, Unavailable when too many others are to be counted first.
        """
        known = self._documents.get(asked)
        if known and known.etag == metrics.tag(asked, standing):
            self._documents.move_to_end(asked)
            return known
        return await self._documents_asked.get((asked, standing.etag), lambda: self._count(asked, standing))

    async def _count(self, asked: Asked, standing: Standing) -> Document:
        is_anybodys = asked.is_public and asked.query != MetricsQuery()
        async with self._turn(Queue.ANYBODYS if is_anybodys else Queue.OURS):
            began = time.monotonic()
            counted_from, document = await metrics.document(self._database, asked, standing)
        self._learn(asked.city_id, _Known(counted_from, began))
        replaced = self._documents.pop(asked, None)
        self.kept_bytes += len(document.json) - len(replaced.json if replaced else b"")
        self._documents[asked] = document
        while self.kept_bytes > self._most_kept_bytes:
            _, forgotten = self._documents.popitem(last=False)
            self.kept_bytes -= len(forgotten.json)
        return document

    async def shared(self, question: Hashable, ask: Callable[[], Awaitable[T]], queue: Queue = Queue.ANYBODYS) -> T:
        """What `ask` gives, or gave to the same question at most FRESH_S ago; few are counted at a time.

        Raises Unavailable when too many others are to be counted first.
        """
        known = self._reports.get(question)
        if known and known.since > time.monotonic() - FRESH_S:
            return known.value
        return await self._reports_asked.get(question, lambda: self._report(question, ask, queue))

    async def _report(self, question: Hashable, ask: Callable[[], Awaitable[T]], queue: Queue) -> T:
        async with self._turn(queue):
            asked_at = time.monotonic()
            report = await ask()
        self._reports[question] = _Known(report, asked_at)
        self._reports.move_to_end(question)
        self._forget_stale_reports()
        return report

    def _forget_stale_reports(self) -> None:
        """Each may be megabytes, and after half a second nobody is given it any more."""
        while self._reports and next(iter(self._reports.values())).since <= time.monotonic() - FRESH_S:
            self._reports.popitem(last=False)

    @asynccontextmanager
    async def _turn(self, queue: Queue) -> AsyncGenerator[None]:
        try:
            async with self._turns.of(queue):
                yield
        except NoTurnError:
            raise Unavailable from None

    def fresh_until(self, asked: Asked, document: Document) -> float:
        """On the monotonic clock: how long this is the document to give; 0 if a later revision is known already."""
        known = self._standings.get(asked.city_id)
        is_newest = known is not None and metrics.tag(asked, known.value) == document.etag
        return known.since + FRESH_S if known and is_newest else 0

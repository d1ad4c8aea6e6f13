"""Each document of counts once for each revision of its city's ledger, however many ask for it."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.core.database import Database
from app.services import metrics, sums
from app.services.metrics import Asked, Document
from app.services.sums import Standing

FRESH_S = 0.5
"""How long a revision is believed; with the time to count, answers are less than a second behind a commit."""
COUNTED_AT_ONCE = 4
MOST_KEPT = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Known(Generic[T]):
    value: T
    since: float


class _Shared(Generic[T]):
    """What many wait for at a time is asked for once. What went wrong is told to all who waited, and not kept."""

    def __init__(self) -> None:
        self._asked: dict[object, asyncio.Task[T]] = {}

    async def get(self, key: object, ask: Callable[[], Awaitable[T]]) -> T:
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.ensure_future(self._answer(key, ask))
        # Shielded: others wait for the same answer when this one's caller has gone.
        return await asyncio.shield(task)

    async def _answer(self, key: object, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            return await ask()
        finally:
            del self._asked[key]


class Documents:
    """The documents of one process. Who may have them is not decided here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(COUNTED_AT_ONCE)
        self._standings: dict[str, _Known[Standing]] = {}
        self._documents: OrderedDict[Asked, Document] = OrderedDict()
        self._reports: OrderedDict[Hashable, _Known[Any]] = OrderedDict()
        self._standing_asked: _Shared[Standing] = _Shared()
        self._documents_asked: _Shared[Document] = _Shared()
        self._reports_asked: _Shared[Any] = _Shared()

    async def standing(self, city_id: str) -> Standing:
        """At most FRESH_S old: whoever comes first asks the database, for everybody. Raises NotFound."""
        known = self._standings.get(city_id)
        if known and known.since > time.monotonic() - FRESH_S:
            return known.value
        return await self._standing_asked.get(city_id, lambda: self._ask_standing(city_id))

    async def _ask_standing(self, city_id: str) -> Standing:
        asked_at = time.monotonic()
        standing = await sums.standing_of(self._database, None, city_id)
        self._standings[city_id] = _Known(standing, asked_at)
        return standing

    async def polled(self, asked: Asked) -> Document:
        """At most a second behind. Raises as `get`."""
        return await self.get(asked, await self.standing(asked.city_id))

    async def get(self, asked: Asked, standing: Standing) -> Document:
        """The document of this revision, or a later one. Raises NotFound for a city, Invalid for a district."""
        known = self._documents.get(asked)
        if known and known.etag == standing.etag:
            self._documents.move_to_end(asked)
            return known
        return await self._documents_asked.get((asked, standing.etag), lambda: self._count(asked, standing))

    async def _count(self, asked: Asked, standing: Standing) -> Document:
        async with self._turns:
            document = await metrics.document(self._database, asked, standing)
        self._documents[asked] = document
        if len(self._documents) > MOST_KEPT:
            self._documents.popitem(last=False)
        return document

    async def shared(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, or gave to the same question at most FRESH_S ago; few are counted at a time."""
        known = self._reports.get(question)
        if known and known.since > time.monotonic() - FRESH_S:
            return known.value
        return await self._reports_asked.get(question, lambda: self._report(question, ask))

    async def _report(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._turns:
            asked_at = time.monotonic()
            report = await ask()
        self._reports[question] = _Known(report, asked_at)
        if len(self._reports) > MOST_KEPT:
            self._reports.popitem(last=False)
        return report

    def at_hand(self, asked: Asked) -> Document | None:
        """The document if nobody has to be asked for it."""
        standing, document = self._standings.get(asked.city_id), self._documents.get(asked)
        if standing is None or document is None or standing.since <= time.monotonic() - FRESH_S:
            return None
        return document if document.etag == standing.value.etag else None

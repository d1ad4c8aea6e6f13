"""The city's totals for everybody: however many ask, the database is asked little."""

import asyncio
import time
from dataclasses import dataclass

from app.core.database import Database
from app.schemas.metrics import MetricsQuery
from app.services import metrics, sums
from app.services.metrics import Asked

FRESH_S = 1.0
AT_ONCE = 2
MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class _Asked:
    since: float
    answer: "asyncio.Task[bytes]"


class PublicTotals:
    """Answers the same question once a second and no more than two questions at a time.

    Anybody may ask, and a sum over the ledger is dear: without this an anonymous loop would take all connections.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asked: dict[tuple[str, MetricsQuery], _Asked] = {}

    async def get(self, city_id: str, query: MetricsQuery) -> bytes:
        """The JSON of `MetricsRead`, at most a second old. Raises NotFound for a city, Invalid for a district."""
        key = (city_id, query)
        known = self._asked.get(key)
        if known is None or known.since < time.monotonic() - FRESH_S:
            if len(self._asked) >= MOST_KEPT:
                self._asked.clear()
            known = self._asked[key] = _Asked(time.monotonic(), asyncio.create_task(self._read(city_id, query)))
        # Shielded: others wait for the same answer when this one's caller has gone.
        return await asyncio.shield(known.answer)

    async def _read(self, city_id: str, query: MetricsQuery) -> bytes:
        async with self._turns:
            standing = await sums.standing_of(self._database, None, city_id)
            return (await metrics.document(self._database, Asked(city_id, query, None), standing)).json

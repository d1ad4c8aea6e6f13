"""A city's revisions as they come, for those who would rather be told than ask."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from app.core.database import DatabaseUnavailableError
from app.domain.errors import Unauthenticated, Unavailable
from app.services.documents import FRESH_S, Documents
from app.services.sums import Standing

MOST_AT_ONCE = 1_000
"""Streams of one process: each is a connection that is held."""
SIGN_OF_LIFE_S = 15
ASK_AGAIN_S = 5

StillMay = Callable[[], Awaitable[None]]
"""Raises Unauthenticated once the reader's token no longer stands."""


class Revisions:
    """The streams of one process; however many follow a city, it is asked for once in FRESH_S seconds."""

    def __init__(self, documents: Documents, longest_s: float) -> None:
        self._documents = documents
        self._longest_s = longest_s
        self._under_way = 0

    def room(self) -> None:
        """Raises Unavailable when as many follow as one process bears."""
        if self._under_way >= MOST_AT_ONCE:
            raise Unavailable

    async def of_city(
        self, city_id: str, known: str, left_s: float, still_may: StillMay
    ) -> AsyncGenerator[Standing | None]:
        """Each standing that is not the one `known` by its tag, and None as a sign of life.

        Ends after `left_s` seconds or the longest that a stream may last, and when the reader may no longer read.
        """
        self._under_way += 1
        try:
            until = time.monotonic() + min(left_s, self._longest_s)
            told_at = asked_at = time.monotonic()
            while (now := time.monotonic()) < until:
                standing = await self._standing(city_id)
                if standing and standing.etag != known:
                    known, told_at = standing.etag, now
                    yield standing
                elif now - told_at > SIGN_OF_LIFE_S:
                    told_at = now
                    yield None
                if now - asked_at > ASK_AGAIN_S:
                    asked_at = now
                    await still_may()
                await asyncio.sleep(FRESH_S)
        except Unauthenticated:
            return
        finally:
            self._under_way -= 1

    async def _standing(self, city_id: str) -> Standing | None:
        """None while the database cannot be asked: the stream outlives a restart of it."""
        try:
            return await self._documents.standing(city_id)
        except DatabaseUnavailableError:
            return None

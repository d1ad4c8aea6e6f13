"""One answer for all who ask the same at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """What many wait for at a time is asked for once. What went wrong is told to all who waited, and not kept."""

    def __init__(self) -> None:
        self._asked: dict[object, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def __contains__(self, key: object) -> bool:
        return key in self._asked

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

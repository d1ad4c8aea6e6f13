import time
from math import ceil

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter


class ThrottledError(Exception):
    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class Throttle:
    """Counts attempts in this process; with several processes each allows as many."""

    def __init__(self, *, sign_ins_per_minute: int, applications_per_hour: int) -> None:
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._by_account = RateLimitItemPerMinute(sign_ins_per_minute)
        # A school behind one address signs in together.
        self._by_address = RateLimitItemPerMinute(sign_ins_per_minute * 10)
        self._applications = RateLimitItemPerHour(applications_per_hour)

    async def sign_in(self, login: str, address: str) -> None:
        """Count an attempt before it is checked, so that many at once cannot slip through. Raises ThrottledError."""
        await self._count(self._by_address, "address", address)
        await self._count(self._by_account, "account", login)

    async def signed_in(self, login: str) -> None:
        """The right password clears the account's count: only failures add up."""
        await self._limiter.clear(self._by_account, "account", login)

    async def application(self, address: str) -> None:
        await self._count(self._applications, "application", address)

    async def _count(self, limit: RateLimitItem, *key: str) -> None:
        if not await self._limiter.hit(limit, *key):
            window = await self._limiter.get_window_stats(limit, *key)
            raise ThrottledError(max(1, ceil(window.reset_time - time.time())))

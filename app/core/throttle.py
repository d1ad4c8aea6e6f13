import time
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network
from math import ceil

_MINUTE_S, _HOUR_S = 60, 3600
_KEYS_BEFORE_SWEEP = 1_000
_CODES_PER_MINUTE = 5


class ThrottledError(Exception):
    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class Throttle:
    """Counts attempts in this process; with several processes each allows as many."""

    def __init__(self, *, sign_ins_per_minute: int, applications_per_hour: int) -> None:
        self._by_both = Allowance(sign_ins_per_minute, _MINUTE_S)
        # A school behind one address signs in together.
        self._by_address = Allowance(sign_ins_per_minute * 10, _MINUTE_S)
        # Higher than what one address may: nobody can lock somebody else's account from a single place.
        self._by_account = Allowance(sign_ins_per_minute * 20, _MINUTE_S)
        self._applications = Allowance(applications_per_hour, _HOUR_S)
        self._codes = Allowance(_CODES_PER_MINUTE, _MINUTE_S)

    def sign_in(self, login: str, address: str) -> None:
        """Count an attempt before it is checked, so that many at once cannot slip through. Raises ThrottledError."""
        subscriber = _subscriber(address)
        self._by_address.take(subscriber)
        self._by_both.take(f"{subscriber} {login}")
        self._by_account.take(login)

    def signed_in(self, login: str, address: str) -> None:
        """The right password clears the account's counts: only failures add up."""
        self._by_both.clear(f"{_subscriber(address)} {login}")
        self._by_account.clear(login)

    def raid_code(self, account: str) -> None:
        """As `sign_in`, for the code that a lead shows: three of a million are good at any moment."""
        self._codes.take(account)

    def was_there(self, account: str) -> None:
        self._codes.clear(account)

    def application(self, address: str) -> None:
        self._applications.take(_subscriber(address))


class Allowance:
    """So many attempts at once, given back one by one over the period (GCRA, a leaky bucket).

    Of each key only the moment is kept at which it has all attempts back. Made-up keys are forgotten after it,
    so they take no more memory than one period's worth of attempts, twice.
    """

    def __init__(self, attempts: int, period_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._period_s = period_s
        self._attempt_s = period_s / attempts
        self._clock = clock
        self._whole_at: dict[str, float] = {}
        self._sweep_at = _KEYS_BEFORE_SWEEP

    def __len__(self) -> int:
        return len(self._whole_at)

    def take(self, key: str) -> None:
        now = self._clock()
        whole_at = max(now, self._whole_at.get(key, now)) + self._attempt_s
        too_soon_by = whole_at - now - self._period_s
        if too_soon_by > self._attempt_s / 2:  # not 0: sums of fractions are not exact
            raise ThrottledError(max(1, ceil(too_soon_by)))
        self._whole_at[key] = whole_at
        if len(self._whole_at) > self._sweep_at:
            self._sweep(now)

    def clear(self, key: str) -> None:
        self._whole_at.pop(key, None)

    def _sweep(self, now: float) -> None:
        self._whole_at = {key: whole_at for key, whole_at in self._whole_at.items() if whole_at > now}
        self._sweep_at = max(_KEYS_BEFORE_SWEEP, 2 * len(self._whole_at))


def _subscriber(address: str) -> str:
    """One customer of a provider: an IPv6 one is given a whole /64 to choose addresses from."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))

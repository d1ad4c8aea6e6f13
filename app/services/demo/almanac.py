"""The year that is made up: its days, the moments in them, and ids that sort by moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate, pairwise
from random import Random
from typing import Any
from uuid import UUID

from app.core.clock import moment_in
from app.schemas.cities import NewCity

DAYS = 365
# Volunteers are pupils and students: weekends, and least in the frost and the summer holidays.
_WEEKDAYS = (0.4, 0.5, 0.8, 0.5, 0.7, 3.0, 2.0)
_MONTHS = (0.5, 0.6, 1.0, 1.3, 1.4, 1.0, 0.7, 0.7, 1.4, 1.3, 0.9, 0.5)


@dataclass(frozen=True)
class Almanac:
    """Same seed and same `until`, same year."""

    city: NewCity
    until: date
    """The day that is left to the visitor: all that happened, happened before its midnight."""
    seed: int

    @cached_property
    def days(self) -> list[date]:
        return [self.until - timedelta(days=ago) for ago in range(DAYS, 0, -1)]

    @property
    def end(self) -> datetime:
        return self.at(self.until, time(0))

    def dice(self, subject: str) -> Random:
        """Each subject throws its own, so that more of one does not change the others."""
        return Random(f"{self.seed} {self.until} {subject}")  # noqa: S311 a demonstration, not a secret

    def at(self, day: date, clock: time) -> datetime:
        """The moment when clocks in the city show this."""
        return moment_in(self.city.time_zone, day, clock)

    def by_day(self, dice: Random, day: date) -> datetime:
        """Some moment between 9:00 and 21:00 of a day in the city."""
        return self.at(day, time(9)) + timedelta(seconds=dice.randrange(12 * 3600))

    def new(self, dice: Random, at: datetime) -> dict[str, Any]:
        """What every row of the city begins with."""
        return {"city_id": self.city.id, "id": id_at(dice, at), "created_at": at}


def id_at(dice: Random, moment: datetime) -> UUID:
    """A UUIDv7 (RFC 9562, section 5.7) of that moment; `app.core.ids` makes those of this one."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(
        int=milliseconds << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 2 << 62 | dice.getrandbits(62),
    )


def busy_days(dice: Random, days: Sequence[date], count: int) -> list[date]:
    """So many of the days, in order and some more than once, as weekday and season have it."""
    weights = [_WEEKDAYS[day.weekday()] * _MONTHS[day.month - 1] for day in days]
    return sorted(dice.choices(days, weights, k=count))


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """Whole parts of `total` in proportion to the weights, which add up to it exactly."""
    whole = sum(weights)
    bounds = [0, *(round(total * reached / whole) for reached in accumulate(weights))]
    return [after - before for before, after in pairwise(bounds)]

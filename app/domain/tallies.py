"""How days are put together from sums that are kept: any range is a few whole years, months and days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""No fact is dated before or after."""
WHOLE_CITY = "*"
NO_DISTRICT = ""
"""The area of facts whose district is not known."""
TEN_DAYS_START = (1, 11, 21)
"""The days of the month on which its thirds begin."""
_QUARTERS_START = (1, 4, 7, 10)
_ONE_DAY = timedelta(days=1)


class Span(StrEnum):
    """So many days have one sum."""

    DAY = "day"
    TEN_DAYS = "ten_days"
    """A third of a month; the last one has eight to eleven days."""
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    EVER = "ever"


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the city, the first and the last included; empty when the last is before the first."""

    name: str
    first: date = FIRST_DAY
    last: date = LAST_DAY

    def touches(self, first: date, last: date) -> bool:
        """Whether they have a day in common."""
        return self.first <= last and first <= self.last

    def spans(self) -> Iterator[tuple[Span, date]]:
        """The spans that make up the period, each by its first day: at most 34 and some years.

        PostgreSQL has `spans_of`, which makes it up of days, months and years alone, as most declared totals are.
        """
        if (self.first, self.last) == (FIRST_DAY, LAST_DAY):
            yield Span.EVER, FIRST_DAY
            return
        day = self.first
        while day <= self.last:
            span, last = next(found for found in _starting(day) if found[1] <= self.last)
            yield span, day
            day = last + _ONE_DAY


def _starting(day: date) -> Iterator[tuple[Span, date]]:
    """The spans that start on the day, the longest first, with their last days."""
    if (day.month, day.day) == (1, 1):
        yield Span.YEAR, date(day.year, 12, 31)
    if day.day == 1 and day.month in _QUARTERS_START:
        yield Span.QUARTER, month_after(day, 3) - _ONE_DAY
    if day.day == 1:
        yield Span.MONTH, month_after(day) - _ONE_DAY
    if day.day in TEN_DAYS_START:
        yield Span.TEN_DAYS, (month_after(day) if day.day == TEN_DAYS_START[-1] else day + 10 * _ONE_DAY) - _ONE_DAY
    yield Span.DAY, day


def month_after(day: date, months: int = 1) -> date:
    """The first day of the month so many later."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


@dataclass(frozen=True, slots=True)
class Count:
    recorded: int = 0
    declared: int = 0
    overlap: bool = False
    """Some of it may be counted twice; see `Parts`."""

    @property
    def total(self) -> int:
        return self.recorded + self.declared

    def __add__(self, other: "Count") -> "Count":
        overlap = self.overlap or other.overlap
        return Count(self.recorded + other.recorded, self.declared + other.declared, overlap)

    def parts(self) -> dict[str, Any]:
        """The fields of `Parts`."""
        names = ("total", "recorded", "declared", "overlap")
        return {name: getattr(self, name) for name in names}

"""How counts are laid out for a report: the buckets of a series, and how few are too few to show."""

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice

from app.domain.errors import Fault, Invalid
from app.domain.tallies import FIRST_DAY, Period, month_after

MOST_BUCKETS = 400
"""More than a year by day, or seven by week: what a screen can still draw, and the database adds up in 0.1 s."""
MOST_CELLS = 20_000
"""Hexagons of one map: 5 MB of GeoJSON."""
MOST_CREW_DAYS = 366
"""Of a leaderboard of crews: a year."""
SMALLEST_SHOWN = 5
"""A cell of a map with fewer says where an advertisement is today, and a crew of fewer who they are (rule 11)."""
_ONE_DAY = timedelta(days=1)
_MONTHS_IN_A_QUARTER = 3


class By(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


_SHOWN_AT_FIRST = {By.DAY: 30, By.WEEK: 13, By.MONTH: 12, By.QUARTER: 8}
"""How many buckets there are where no first day is asked for."""


def start_of_series(by: By, last: date) -> date:
    """The first day of a series that ends on `last`, where none is asked for."""
    start = _first_of(by, last)
    for _ in range(_SHOWN_AT_FIRST[by] - 1):
        start = _first_of(by, start - _ONE_DAY) if start > FIRST_DAY else start
    return max(start, FIRST_DAY)


def buckets(by: By, first: date, last: date) -> list[Period]:
    """The days from first to last, each in one bucket; the outer buckets have only those of their days.

    Weeks are those of ISO 8601, from Monday; a bucket's name is `2026-03-01`, `2026-W09`, `2026-03` or `2026-Q1`.
    Raises Invalid `too_many_buckets`.
    """
    found = list(islice(_buckets(by, first, last), MOST_BUCKETS + 1))
    if len(found) > MOST_BUCKETS:
        raise Invalid(Fault("too_many_buckets", "/query/by", {"limit": MOST_BUCKETS}))
    return found


def _buckets(by: By, first: date, last: date) -> Iterator[Period]:
    day = first
    while day <= last:
        end = min(_last_of(by, day), last)
        yield Period(_name_of(by, day), day, end)
        day = end + _ONE_DAY


def _first_of(by: By, day: date) -> date:
    match by:
        case By.DAY:
            return day
        case By.WEEK:
            return day - timedelta(days=day.weekday())
        case By.MONTH:
            return day.replace(day=1)
        case By.QUARTER:
            return date(day.year, _quarter(day) * _MONTHS_IN_A_QUARTER - 2, 1)


def _last_of(by: By, day: date) -> date:
    match by:
        case By.DAY:
            return day
        case By.WEEK:
            return _first_of(by, day) + timedelta(days=6)
        case By.MONTH:
            return month_after(day) - _ONE_DAY
        case By.QUARTER:
            return month_after(date(day.year, _quarter(day) * _MONTHS_IN_A_QUARTER, 1)) - _ONE_DAY


def _name_of(by: By, day: date) -> str:
    match by:
        case By.DAY:
            return day.isoformat()
        case By.WEEK:
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02}"
        case By.MONTH:
            return f"{day:%Y-%m}"
        case By.QUARTER:
            return f"{day.year}-Q{_quarter(day)}"


def _quarter(day: date) -> int:
    return (day.month - 1) // _MONTHS_IN_A_QUARTER + 1

"""When somebody can come, week by week, in minutes since Monday 00:00 of the city's clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
MAX_SLOTS = 28
"""Four a day."""


class Minutes(NamedTuple):
    """From `starts` to just before `ends`."""

    starts: int
    ends: int


def minutes_of(weekday: int, starts: str, ends: str) -> Minutes:
    """Of a slot such as (1, "18:00", "21:00"): Monday is 1, and a day ends at 24:00."""
    midnight = (weekday - 1) * DAY_MINUTES
    return Minutes(midnight + _clock(starts), midnight + _clock(ends))


def first_overlap(slots: Sequence[Minutes]) -> int | None:
    """The place in the list of a slot that overlaps an earlier one of the week; those that only touch do not."""
    order = sorted(range(len(slots)), key=slots.__getitem__)
    for before, after in pairwise(order):
        if slots[after].starts < slots[before].ends:
            return after
    return None


def part_of_week(starts_at: datetime, ends_at: datetime, time_zone: str) -> list[Minutes]:
    """The minutes of the city's week that an outing of less than one takes up; begun minutes count in full."""
    zone = ZoneInfo(time_zone)
    starts, ends = (moment.astimezone(zone).replace(tzinfo=None) for moment in (starts_at, ends_at))
    monday = (starts - timedelta(days=starts.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = (starts - monday) // timedelta(minutes=1), -((monday - ends) // timedelta(minutes=1))
    if last <= WEEK_MINUTES:
        return [Minutes(first, max(last, first + 1))]
    return [Minutes(0, last - WEEK_MINUTES), Minutes(first, WEEK_MINUTES)]


def _clock(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)

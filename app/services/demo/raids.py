"""The raids of the demonstration city."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from functools import reduce
from random import Random

from app.domain.raids import RAID_FLOW, RaidAction, RaidStatus
from app.models.raids import Raid
from app.services.demo.almanac import Almanac, busy_days
from app.services.demo.people import COORDINATOR, People
from app.services.demo.places import Places
from app.services.demo.words import WORDS

HELD, CALLED_OFF, UNDER_WAY, OPEN, DRAFTS = 210, 14, 2, 9, 5
"""210 held, as the programme says of its year."""
_FIRST_DAY = 28
"""Of the year; until then there are too few volunteers."""
_CAPACITIES = (12, 15, 20, 25, 30, 40)
_SATURDAY = 5
_HELD = (RaidAction.PUBLISH, RaidAction.START, RaidAction.FINISH)
_CANCELLED = ((RaidAction.CANCEL,), (RaidAction.PUBLISH, RaidAction.CANCEL))

Steps = tuple[RaidAction, ...]


def invent(almanac: Almanac, people: People, places: Places) -> list[Raid]:
    dice = almanac.dice("raids")
    coordinator = people.staff(COORDINATOR)
    raids: list[Raid] = []
    for day, steps in _calendar(almanac, dice):
        raid = _raid(almanac, dice, places, day, steps)
        raid.planned_by = coordinator.id
        raids.append(raid)
    return raids


def _calendar(almanac: Almanac, dice: Random) -> Iterator[tuple[date, Steps]]:
    past = almanac.days[_FIRST_DAY:]
    to_come = [almanac.until + timedelta(days=ahead) for ahead in range(2, 22)]
    for day in busy_days(dice, past, HELD):
        yield day, _HELD
    for day in busy_days(dice, past, CALLED_OFF):
        yield day, dice.choice(_CANCELLED)
    for day in [past[-1]] * UNDER_WAY:
        yield day, (RaidAction.PUBLISH, RaidAction.START)
    for day in busy_days(dice, to_come, OPEN):
        yield day, (RaidAction.PUBLISH,)
    for day in busy_days(dice, to_come, DRAFTS):
        yield day, ()


def _raid(almanac: Almanac, dice: Random, places: Places, day: date, steps: Steps) -> Raid:
    # All are home by 22:00, minors too.
    clocks = (time(10), time(11), time(15)) if day.weekday() >= _SATURDAY else (time(17, 30), time(18))
    starts_at = almanac.at(day, dice.choice(clocks))
    planned_on = min(day, almanac.until) - timedelta(days=dice.randint(2, 14))
    place = places.somewhere(dice)
    return Raid(
        **almanac.new(dice, almanac.by_day(dice, planned_on)),
        version=1 + len(steps),
        title=dice.choice(WORDS.raid_titles),
        status=reduce(RAID_FLOW.after, steps, RaidStatus.DRAFT),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3),
        meeting_point=dice.choice(WORDS.meeting_points),
        latitude=place.latitude,
        longitude=place.longitude,
        district_id=place.district_id,
        capacity=dice.choice(_CAPACITIES),
        cancel_reason=dice.choice(WORDS.cancel_reasons) if RaidAction.CANCEL in steps else None,
    )


def was_published(raid: Raid) -> bool:
    """A raid called off as a draft was never open to sign-ups."""
    if raid.status is RaidStatus.CANCELLED:
        return raid.version > 1 + len(_CANCELLED[0])
    return raid.status is not RaidStatus.DRAFT

"""The raids of the demonstration city and who went on them."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import reduce
from random import Random
from uuid import UUID

from app.domain.assignments import ASSIGNMENT_FLOW, AssignmentAction, AssignmentStatus
from app.domain.raids import RAID_FLOW, RaidAction, RaidStatus
from app.domain.volunteers import Programme
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.models.volunteers import Volunteer
from app.services.demo.almanac import Almanac, busy_days
from app.services.demo.people import COORDINATOR, Crowd, People
from app.services.demo.places import Places
from app.services.demo.words import WORDS

HELD, CALLED_OFF, UNDER_WAY, OPEN, DRAFTS = 210, 14, 2, 9, 5
"""210 held, as the programme says of its year."""
_FIRST_DAY = 28
"""Of the year; until then there are too few volunteers."""
_CAPACITIES = (12, 15, 20, 25, 30, 40)
_SATURDAY = 5
_ABSENT = 0.06
"""The share of a crew that did not come."""
_HELD = (RaidAction.PUBLISH, RaidAction.START, RaidAction.FINISH)
_CANCELLED = ((RaidAction.CANCEL,), (RaidAction.PUBLISH, RaidAction.CANCEL))

Steps = tuple[RaidAction, ...]


@dataclass(slots=True)
class Raids:
    raids: list[Raid] = field(default_factory=list[Raid])
    assignments: list[Assignment] = field(default_factory=list[Assignment])


def invent(almanac: Almanac, people: People, places: Places) -> Raids:
    dice = almanac.dice("raids")
    coordinator = people.staff(COORDINATOR)
    made = Raids()
    for day, steps in _calendar(almanac, dice):
        raid = _raid(almanac, dice, places, day, steps)
        raid.planned_by = coordinator.id
        made.raids.append(raid)
    made.assignments += _assignments(almanac, made.raids, people.active_in(Programme.STREET))
    return made


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


def _assignments(almanac: Almanac, raids: list[Raid], street: Crowd) -> Iterator[Assignment]:
    """Nobody is on two raids of one day."""
    dice = almanac.dice("assignments")
    out_on: dict[date, set[UUID]] = defaultdict(set)
    for raid in raids:
        places = _places_to_take(dice, raid)
        if places == 0:
            continue
        out = out_on[raid.starts_at.date()]
        free = [volunteer for volunteer in street.before(raid.created_at) if volunteer.id not in out]
        crew = dice.sample(free, places)
        out.update(volunteer.id for volunteer in crew)
        withdrawn = min(dice.randint(0, 3), places)
        yield from (
            _assignment(almanac, dice, raid, volunteer, *_outcome(dice, raid)) for volunteer in crew[withdrawn:]
        )
        yield from (_assignment(almanac, dice, raid, gone, AssignmentAction.WITHDRAW) for gone in crew[:withdrawn])
        raid.places_taken = places - withdrawn
        raid.version += places + withdrawn


def _places_to_take(dice: Random, raid: Raid) -> int:
    match raid.status:
        case RaidStatus.DRAFT:
            return 0
        case RaidStatus.OPEN | RaidStatus.CANCELLED:
            # A raid called off as a draft was never open to sign-ups.
            return (
                0 if raid.version == 1 + len(_CANCELLED[0]) and raid.cancel_reason else dice.randint(1, raid.capacity)
            )
        case _:
            return dice.randint(math.ceil(raid.capacity * 0.6), raid.capacity)


def _assignment(
    almanac: Almanac, dice: Random, raid: Raid, volunteer: Volunteer, *actions: AssignmentAction
) -> Assignment:
    return Assignment(
        **almanac.new(dice, _signed_up_at(almanac, dice, raid)),
        version=1 + len(actions),
        raid_id=raid.id,
        volunteer_id=volunteer.id,
        status=reduce(ASSIGNMENT_FLOW.after, actions, AssignmentStatus.ACCEPTED),
    )


def _outcome(dice: Random, raid: Raid) -> tuple[AssignmentAction, ...]:
    """What became of a member of the crew; nobody took the times."""
    if raid.status not in {RaidStatus.UNDER_WAY, RaidStatus.DONE}:
        return ()
    if dice.random() < _ABSENT:
        return (AssignmentAction.MARK_ABSENT,)
    is_over = raid.status is RaidStatus.DONE
    return (AssignmentAction.MARK_PRESENT, *([AssignmentAction.ATTEND] if is_over else []))


def _signed_up_at(almanac: Almanac, dice: Random, raid: Raid) -> datetime:
    """Between the plan and the start, or the end of the year."""
    return raid.created_at + dice.random() * (min(raid.starts_at, almanac.end) - raid.created_at)

"""Who went on the raids of the demonstration city, who led them, and who waits for a place on the next ones."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import count, islice

from app.domain.assignments import ASSIGNMENT_FLOW, FIRST_STEPS, OFFER_STANDS, AssignmentAction, AssignmentStatus
from app.domain.attendance import minutes_between
from app.domain.raids import RaidStatus
from app.domain.volunteers import ADULT_AGE_YEARS, Programme, age_on
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.models.volunteers import Volunteer
from app.services.demo.almanac import Almanac
from app.services.demo.people import People
from app.services.demo.raids import was_published

_LEADS = 14
"""Of the first who came, those who lead the raids in turn."""
_ABSENT = 0.06
"""The share of a crew that did not come."""
_FULL = 4
"""Of the raids that are open, so many are full, with a line behind them."""
_JOIN, _WAIT, _OFFER = AssignmentAction.JOIN, AssignmentAction.WAIT, AssignmentAction.OFFER
_LINE_BEGINS = ((_WAIT, _OFFER, AssignmentAction.DECLINE), (_WAIT, _OFFER, AssignmentAction.LAPSE), (_WAIT, _OFFER))

Steps = tuple[AssignmentAction, ...]


def invent(almanac: Almanac, people: People, raids: Sequence[Raid]) -> list[Assignment]:
    """Also names the raids' leads, and counts their places."""
    crews = _Crews(almanac, people)
    full = {raid.id for raid in [raid for raid in raids if raid.status is RaidStatus.OPEN][:_FULL]}
    return [
        assignment for raid in raids if was_published(raid) for assignment in crews.of(raid, is_full=raid.id in full)
    ]


class _Crews:
    def __init__(self, almanac: Almanac, people: People) -> None:
        self._almanac = almanac
        self._dice = almanac.dice("assignments")
        self._street = people.active_in(Programme.STREET)
        first = almanac.days[0]
        members = enumerate(self._street.members)
        adults = ((place, each) for place, each in members if age_on(each.birth_on, first) >= ADULT_AGE_YEARS)
        self._leads = list(islice(adults, _LEADS))
        # By phone: its hash is kept, that of an id is made anew for each question.
        self._out_on: dict[date, set[str]] = defaultdict(set)

    def of(self, raid: Raid, *, is_full: bool) -> Iterator[Assignment]:
        """Nobody is on two raids of one day."""
        dice, out = self._dice, self._out_on[raid.starts_at.date()]
        line = [*_LINE_BEGINS, *([(_WAIT,)] * dice.randint(3, 9))] if is_full else []
        taken, withdrawn = raid.capacity if is_full else self._places_to_take(raid), dice.randint(0, 3)
        offered = sum(steps[-1] is _OFFER for steps in line)
        there = self._street.before(raid.created_at)
        free = [each for each in there if each.phone not in out] if out else there
        lead = self._one_of(self._leads_among(len(there), out) or free)
        chosen = dice.sample([each for each in free if each is not lead], taken - offered + withdrawn + len(line) - 1)
        out.update(each.phone for each in (lead, *chosen))
        people, numbers = iter(chosen), count(1)
        raid.lead_id, raid.places_taken, raid.line_length = lead.id, taken, len(line)
        raid.version += taken + 2 * withdrawn + len(line)
        yield self._member(raid, lead, self._outcome(raid, may_be_absent=False))
        for _ in range(withdrawn):
            yield self._member(raid, next(people), (_JOIN, AssignmentAction.WITHDRAW))
        for _ in range(taken - offered - 1):
            yield self._member(raid, next(people), self._outcome(raid))
        yield from (self._waiting(raid, each, steps, next(numbers)) for each, steps in zip(people, line, strict=True))

    def _leads_among(self, first: int, out: set[str]) -> list[Volunteer]:
        """Who has come to lead and is free, among so many who came first."""
        return [lead for place, lead in self._leads if place < first and lead.phone not in out]

    def _one_of(self, people: Sequence[Volunteer]) -> Volunteer:
        """Who came earlier is asked more often."""
        return people[min(self._dice.randrange(len(people)), self._dice.randrange(len(people)))]

    def _places_to_take(self, raid: Raid) -> int:
        is_over = raid.status in {RaidStatus.UNDER_WAY, RaidStatus.DONE}
        return self._dice.randint(math.ceil(raid.capacity * 0.6) if is_over else 1, raid.capacity)

    def _member(self, raid: Raid, volunteer: Volunteer, steps: Steps) -> Assignment:
        assignment = self._assignment(raid, volunteer, steps, self._signed_up_at(raid))
        dice = self._dice
        if assignment.status in {AssignmentStatus.PRESENT, AssignmentStatus.ATTENDED}:
            assignment.checked_in_at = raid.starts_at + timedelta(minutes=dice.randint(-5, 20))
        if assignment.status is AssignmentStatus.ATTENDED and assignment.checked_in_at:
            assignment.checked_out_at = raid.ends_at - timedelta(minutes=dice.randint(0, 30))
            assignment.minutes = minutes_between(assignment.checked_in_at, assignment.checked_out_at)
        return assignment

    def _waiting(self, raid: Raid, volunteer: Volunteer, steps: Steps, number: int) -> Assignment:
        """An offer stands, for once, as long as the visitor's day: two hours after midnight nobody would see it."""
        at = self._almanac.end - timedelta(minutes=60 - number)
        assignment = self._assignment(raid, volunteer, steps, at)
        assignment.line_number = number
        if _OFFER in steps:
            is_open = assignment.status is AssignmentStatus.OFFERED
            assignment.offer_expires_at = self._almanac.end + timedelta(days=1) if is_open else at + OFFER_STANDS
        return assignment

    def _assignment(self, raid: Raid, volunteer: Volunteer, steps: Steps, at: datetime) -> Assignment:
        return Assignment(
            **self._almanac.new(self._dice, at),
            version=len(steps),
            raid_id=raid.id,
            volunteer_id=volunteer.id,
            status=reduce(ASSIGNMENT_FLOW.after, steps[1:], FIRST_STEPS[steps[0]]),
        )

    def _outcome(self, raid: Raid, *, may_be_absent: bool = True) -> Steps:
        """What became of a member of the crew."""
        if raid.status not in {RaidStatus.UNDER_WAY, RaidStatus.DONE}:
            return (_JOIN,)
        if may_be_absent and self._dice.random() < _ABSENT:
            return (_JOIN, AssignmentAction.MARK_ABSENT)
        is_over = raid.status is RaidStatus.DONE
        return (_JOIN, AssignmentAction.MARK_PRESENT, *([AssignmentAction.ATTEND] if is_over else []))

    def _signed_up_at(self, raid: Raid) -> datetime:
        """Between the plan and the start, or the end of the year."""
        latest = min(raid.starts_at, self._almanac.end)
        return raid.created_at + self._dice.random() * (latest - raid.created_at)

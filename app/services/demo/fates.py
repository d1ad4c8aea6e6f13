"""What was observed of the demonstration city's resources after the authority had answered, and what followed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from app.core.clock import day_in
from app.domain.observations import PERIOD, State
from app.domain.referrals import Answer
from app.domain.resources import RESOURCE_FLOW, ResourceAction
from app.models.observations import Observation
from app.models.referrals import ReferralItem
from app.models.resources import Resource, ResourceEvent
from app.services.demo.almanac import Almanac
from app.services.demo.online import Online
from app.services.demo.people import MODERATOR, SECOND_MODERATOR, People
from app.services.demo.ways import entered

Seen = tuple[State, ResourceAction | None]
"""And what follows from it."""
_BLOCKED: tuple[Seen, ...] = ((State.BLOCKED, None), (State.BLOCKED, ResourceAction.VERIFY_BLOCK))
_DOWN: tuple[Seen, ...] = ((State.DOWN, None), (State.DOWN, ResourceAction.GO_OFFLINE))
_AFTER: dict[Answer, dict[tuple[Seen, ...], int]] = {
    Answer.BLOCKED: {_BLOCKED: 60, (*_BLOCKED, (State.UP, ResourceAction.REAPPEAR)): 10, _BLOCKED[:1]: 15, (): 15},
    Answer.REFUSED: {((State.REMOVED, ResourceAction.REMOVE),): 6, _DOWN: 5, ((State.UP, None),): 30, (): 59},
}
"""What is observed after an answer, by its weight."""
_ASNS = (64_496, 64_497)
"""Taken in turns. The numbers are kept for examples (RFC 5398): no operator has them."""
_GIVEN_BACK = 9
_DAYS_TO_DECIDE = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Fates:
    observations: list[Observation]
    events: list[ResourceEvent]


def invent(almanac: Almanac, people: People, online: Online) -> Fates:
    """Changes the resources, and the items of those that were given back."""
    observers = [people.staff(login).id for login in (MODERATOR, SECOND_MODERATOR)]
    watch = _Watch(almanac, observers, {resource.id: resource for resource in online.resources})
    answered = [item for item in online.items if item.answer]
    for item in answered:
        watch.observe(item)
    watch.give_back(answered)
    return watch.made


class _Watch:
    def __init__(self, almanac: Almanac, observers: list[UUID], resources: dict[UUID, Resource]) -> None:
        self.made = Fates([], [])
        self._almanac = almanac
        self._dice = almanac.dice("fates")
        self._observers = observers
        self._resources = resources

    def observe(self, item: ReferralItem) -> None:
        """From the day after the answer, as far as the year goes."""
        assert item.answer
        assert item.answered_on
        ways = _AFTER[item.answer]
        (way,) = self._dice.choices([*ways], [*ways.values()])
        at = self._almanac.by_day(self._dice, item.answered_on + timedelta(days=1))
        resource = self._resources[item.resource_id]
        for number, (state, action) in enumerate(way):
            if at < self._almanac.end:
                observation = self._observation(resource, at, state, _ASNS[number % len(_ASNS)])
                self.made.observations.append(observation)
                if action:
                    self._take(resource, action, at, observation.id)
            at += PERIOD + timedelta(minutes=self._dice.randrange(5 * 24 * 60))

    def give_back(self, items: Iterable[ReferralItem]) -> None:
        """A few of the blocked ones, long after."""
        for item in self._dice.sample([item for item in items if self._may_be_given_back(item)], _GIVEN_BACK):
            assert item.answered_on
            item.restored_on, item.restored_reason = item.answered_on + _DAYS_TO_DECIDE, "An owner's appeal (made up)"
            since = self._almanac.at(item.restored_on, time(0))
            self._take(self._resources[item.resource_id], ResourceAction.RESTORE, since)

    def _may_be_given_back(self, item: ReferralItem) -> bool:
        assert item.answered_on
        resource = self._resources[item.resource_id]
        is_over = item.answered_on + _DAYS_TO_DECIDE < self._almanac.until
        return is_over and RESOURCE_FLOW.allows(resource.status, ResourceAction.RESTORE)

    def _observation(self, resource: Resource, at: datetime, state: State, asn: int) -> Observation:
        return Observation(
            **self._almanac.new(self._dice, at),
            resource_id=resource.id,
            observed_at=at,
            asn=asn,
            state=state,
            control_reachable=True,
            note="The platform says that it has removed this (made up)" if state is State.REMOVED else None,
            observed_by=self._dice.choice(self._observers),
        )

    def _take(
        self, resource: Resource, action: ResourceAction, since: datetime, observation_id: UUID | None = None
    ) -> None:
        resource.status, resource.version = RESOURCE_FLOW.after(resource.status, action), resource.version + 1
        if observation_id:
            resource.settled_at = since
        if action is ResourceAction.REAPPEAR:
            resource.watched_since = since
        day = day_in(self._almanac.city.time_zone, since)
        what = {"status": resource.status, "observation_id": observation_id}
        self.made.events.append(entered(self._almanac, self._dice, resource, day, **what))

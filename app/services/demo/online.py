"""What the online volunteers of the demonstration city found, and what became of it.

Every address ends in `.example`, which nobody can register (RFC 2606): no real site, channel or shop is named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import reduce
from random import Random
from uuid import UUID

from app.domain.referrals import ANSWER_STEPS, REFERRAL_FLOW, Answer, ReferralAction, ReferralStatus
from app.domain.resources import (
    RESOURCE_FLOW,
    REVIEW_LEASE,
    RejectionReason,
    ResourceAction,
    ResourceKind,
    ResourceStatus,
)
from app.domain.volunteers import Programme
from app.models.referrals import Referral, ReferralItem
from app.models.resources import Finding, Resource
from app.services.demo.almanac import Almanac, shares
from app.services.demo.people import MODERATOR, SECOND_MODERATOR, Crowd, People

REFERRED, BLOCKED = 2_964, 797
""""Almost 3,000" and "797", as the programme says of its year."""
DRAFTED = 40
REST = {
    (): 260,
    (ResourceAction.REVIEW,): 25,
    (ResourceAction.REVIEW, ResourceAction.CONFIRM): 80,
    (ResourceAction.REVIEW, ResourceAction.REJECT): 310,
}
_CONFIRMED = (ResourceAction.REVIEW, ResourceAction.CONFIRM)
_FIRST_DAY = 21
_THURSDAY = 3
_DAYS_TO_ANSWER = timedelta(days=30)
_DAYS_TO_TAKE_UP = timedelta(days=4)
_ANSWERED_WHOLLY, _ANSWERED_PARTLY = 16, 36
"""The oldest so many referrals have all their answers, those up to the next number some."""
_KINDS = (ResourceKind.SITE, ResourceKind.CHANNEL, ResourceKind.ACCOUNT)


@dataclass(slots=True)
class Online:
    resources: list[Resource] = field(default_factory=list[Resource])
    findings: list[Finding] = field(default_factory=list[Finding])
    referrals: list[Referral] = field(default_factory=list[Referral])
    items: list[ReferralItem] = field(default_factory=list[ReferralItem])


def invent(almanac: Almanac, people: People) -> Online:
    desk = _Desk(almanac, almanac.dice("online"), people)
    for number, (sent_on, size) in enumerate(_mailings(almanac)):
        desk.refer(size, sent_on, number)
    desk.refer(DRAFTED, almanac.until, None)
    for actions, count in REST.items():
        for _ in range(count):
            desk.find(almanac.days[-1 - desk.dice.randrange(21)], *actions)
    _answer(desk)
    return desk.made


def _mailings(almanac: Almanac) -> Iterator[tuple[date, int]]:
    """A referral every Thursday."""
    thursdays = [day for day in almanac.days[_FIRST_DAY:] if day.weekday() == _THURSDAY]
    yield from zip(thursdays, shares(REFERRED, [1] * len(thursdays)), strict=True)


class _Desk:
    """Where findings come in, and referrals go out."""

    def __init__(self, almanac: Almanac, dice: Random, people: People) -> None:
        self.made = Online()
        self.dice = dice
        self.almanac = almanac
        self._watchers: Crowd = people.active_in(Programme.ONLINE)
        self._moderators = [people.staff(MODERATOR).id, people.staff(SECOND_MODERATOR).id]

    def find(self, day: date, *actions: ResourceAction) -> Resource:
        """Found on that day by one to three volunteers, and taken through the steps by one moderator."""
        dice, at = self.dice, self.almanac.by_day(self.dice, day)
        kind = dice.choices(_KINDS, (60, 30, 10))[0]
        address = f"demo-{kind}-{len(self.made.resources):04}.example"
        reporters = dice.sample(self._watchers.before(at), dice.choices((1, 2, 3), (80, 15, 5))[0])
        resource = Resource(
            **self.almanac.new(dice, at),
            version=1 + len(reporters) + len(actions),
            address=address,
            address_key=address,
            kind=kind,
            status=reduce(RESOURCE_FLOW.after, actions, ResourceStatus.REPORTED),
            findings=len(reporters),
            reviewer_id=dice.choice(self._moderators) if actions else None,
            review_until=self.almanac.end + REVIEW_LEASE if actions == (ResourceAction.REVIEW,) else None,
            rejection_reason=dice.choice(list(RejectionReason)) if ResourceAction.REJECT in actions else None,
        )
        self.made.resources.append(resource)
        self.made.findings += (self._finding(resource, reporter.account_id) for reporter in reporters)
        return resource

    def refer(self, size: int, day: date, number: int | None) -> None:
        """So many resources in one referral, found in the days before; without a number it is a draft."""
        is_sent = number is not None
        actions = (*_CONFIRMED, ResourceAction.REFER) if is_sent else _CONFIRMED
        drafted_at = self.almanac.at(day - timedelta(days=1), time(16))
        referral = Referral(
            **self.almanac.new(self.dice, drafted_at),
            version=1 + is_sent,
            authority="Demo regulator (made up)",
            status=REFERRAL_FLOW.after(ReferralStatus.DRAFT, ReferralAction.SEND) if is_sent else ReferralStatus.DRAFT,
            items=size,
            outgoing_number=f"DEMO-{day.year}/{number + 1:03}" if is_sent else None,
            sent_on=day if is_sent else None,
            due_on=day + _DAYS_TO_ANSWER if is_sent else None,
        )
        self.made.referrals.append(referral)
        for _ in range(size):
            resource = self.find(day - timedelta(days=self.dice.randint(3, 12)), *actions)
            new = self.almanac.new(self.dice, drafted_at)
            cycle = resource.cycle if is_sent else None
            self.made.items.append(ReferralItem(**new, referral_id=referral.id, resource_id=resource.id, cycle=cycle))

    def _finding(self, resource: Resource, reported_by: UUID | None) -> Finding:
        assert reported_by
        return Finding(
            **self.almanac.new(self.dice, resource.created_at),
            resource_id=resource.id,
            reported_by=reported_by,
            address_typed=resource.address,
        )


def _answer(desk: _Desk) -> None:
    """What the regulator has said so far: exactly BLOCKED of it that a resource is blocked."""
    referrals = {referral.id: referral for referral in desk.made.referrals}
    resources = {resource.id: resource for resource in desk.made.resources}
    _acknowledge(desk, referrals, resources)
    answered = list(_answered(desk))
    blocked = set(desk.dice.sample(range(len(answered)), BLOCKED))
    for index, item in enumerate(answered):
        referral, resource = referrals[item.referral_id], resources[item.resource_id]
        assert referral.sent_on
        item.answer = Answer.BLOCKED if index in blocked else Answer.REFUSED
        item.answered_on = referral.sent_on + timedelta(days=desk.dice.randint(5, 40))
        resource.status = RESOURCE_FLOW.after(resource.status, ANSWER_STEPS[item.answer])
        resource.version += 1
        referral.version += 1
        referral.answered += 1
        if referral.answered == referral.items:
            referral.status = REFERRAL_FLOW.after(referral.status, ReferralAction.ANSWER)


def _acknowledge(desk: _Desk, referrals: Mapping[UUID, Referral], resources: Mapping[UUID, Resource]) -> None:
    """Three of four referrals within days, before the first answer to any."""
    dice = desk.almanac.dice("acknowledgements")
    for referral in referrals.values():
        if referral.sent_on and referral.sent_on + _DAYS_TO_TAKE_UP < desk.almanac.until and dice.random() < 3 / 4:
            referral.acknowledged_on = referral.sent_on + timedelta(days=dice.randint(1, _DAYS_TO_TAKE_UP.days))
            referral.version += 1
    for item in desk.made.items:
        if referrals[item.referral_id].acknowledged_on:
            resource = resources[item.resource_id]
            resource.status = RESOURCE_FLOW.after(resource.status, ResourceAction.ACKNOWLEDGE)
            resource.version += 1


def _answered(desk: _Desk) -> Iterator[ReferralItem]:
    """All items of the oldest referrals, and about a third of those of the next."""
    age = {referral.id: number for number, referral in enumerate(desk.made.referrals)}
    for item in desk.made.items:
        number = age[item.referral_id]
        if number < _ANSWERED_WHOLLY or (number < _ANSWERED_PARTLY and desk.dice.random() < 1 / 3):
            yield item

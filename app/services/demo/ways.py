"""On which days the resources of the demonstration city entered their statuses."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from random import Random
from typing import Any

from app.core.clock import day_in
from app.domain.referrals import ANSWER_STEPS
from app.domain.resources import RESOURCE_FLOW, ResourceStatus
from app.models.referrals import Referral, ReferralItem
from app.models.resources import Resource, ResourceEvent
from app.services.demo.almanac import Almanac
from app.services.demo.online import Online

_ONE_DAY = timedelta(days=1)
_JUDGED_WITHIN = 2
"""Days: a referral has what was found three days before, or earlier."""
Step = tuple[ResourceStatus, date]


def ways(almanac: Almanac, online: Online) -> list[ResourceEvent]:
    """Each recorded at the midnight that ends its day, as the ledger has them. Says since when each is observed."""
    dice = almanac.dice("ways")
    referrals = {referral.id: referral for referral in online.referrals}
    items = {item.resource_id: item for item in online.items}
    made: list[ResourceEvent] = []
    for resource in online.resources:
        found_on = day_in(almanac.city.time_zone, resource.created_at)
        judged_on = min(found_on + timedelta(days=dice.randint(0, _JUDGED_WITHIN)), almanac.until - _ONE_DAY)
        steps = [(ResourceStatus.REPORTED, found_on), *_judged(resource, judged_on)]
        if item := items.get(resource.id):
            steps += _answered(item, referrals[item.referral_id])
        made += (entered(almanac, dice, resource, day, status=status) for status, day in steps)
        resource.settled_at = resource.watched_since = max(resource.created_at, almanac.at(judged_on, time(0)))
    return made


def entered(almanac: Almanac, dice: Random, resource: Resource, day: date, **what: Any) -> ResourceEvent:
    new = almanac.new(dice, almanac.at(day + _ONE_DAY, time(0)))
    return ResourceEvent(**new, resource_id=resource.id, occurred_on=day, **what)


def _judged(resource: Resource, day: date) -> Iterator[Step]:
    if resource.status is not ResourceStatus.REPORTED:
        yield ResourceStatus.IN_REVIEW, day
    if resource.status not in {ResourceStatus.REPORTED, ResourceStatus.IN_REVIEW}:
        yield resource.status if resource.rejection_reason else ResourceStatus.CONFIRMED, day


def _answered(item: ReferralItem, referral: Referral) -> Iterator[Step]:
    if referral.sent_on:
        yield ResourceStatus.REFERRED, referral.sent_on
    if referral.acknowledged_on:
        yield ResourceStatus.ACKNOWLEDGED, referral.acknowledged_on
    if item.answer and item.answered_on:
        step = ANSWER_STEPS[item.answer]
        yield RESOURCE_FLOW.after(ResourceStatus.REFERRED, step), item.answered_on

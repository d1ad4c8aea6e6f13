"""How many resources get how far, and how long they wait; those that still wait are counted too."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import day_in, utc_now
from app.core.ids import new_id
from app.domain.permissions import Role
from app.domain.resources import ResourceKind, ResourceStatus
from app.models.resources import Resource, ResourceEvent
from tests.city import TestCity

DAY = date(2026, 3, 1)
Steps = dict[str, dict[str, Any]]
REPORTED, CONFIRMED, REJECTED = ResourceStatus.REPORTED, ResourceStatus.CONFIRMED, ResourceStatus.REJECTED
REFERRED, BLOCKED, REFUSED = ResourceStatus.REFERRED, ResourceStatus.BLOCK_REPORTED, ResourceStatus.REFUSED
ACKNOWLEDGED, VERIFIED = ResourceStatus.ACKNOWLEDGED, ResourceStatus.BLOCK_VERIFIED
OFFLINE, REAPPEARED = ResourceStatus.OFFLINE, ResourceStatus.REAPPEARED
REMOVED, RESTORED = ResourceStatus.REMOVED, ResourceStatus.RESTORED


async def resource(city: TestCity, days: Mapping[ResourceStatus, int]) -> UUID:
    """That entered each status so many days after the first of March."""
    address = f"{new_id()}.example"
    made = Resource(
        city_id=city.id, address=address, address_key=address, kind=ResourceKind.SITE, status=[*days][-1], findings=1
    )
    await city.add(made)
    await city.add(
        *(
            ResourceEvent(city_id=city.id, resource_id=made.id, status=status, occurred_on=DAY + timedelta(days=day))
            for status, day in days.items()
        )
    )
    return made.id


async def funnel(city: TestCity, **query: str) -> Steps:
    answer = await (await city.as_(Role.ANALYST)).get("/metrics/funnel", params=query)
    assert answer.status_code == 200, answer.text
    return {step["step"]: step for step in answer.json()["steps"]}


async def test_each_step_has_its_rate_and_its_denominator(city: TestCity):
    await resource(city, {REPORTED: 0, CONFIRMED: 2, REFERRED: 5, BLOCKED: 15})
    await resource(city, {REPORTED: 0, CONFIRMED: 4, REFERRED: 5, REFUSED: 6})
    await resource(city, {REPORTED: 1, CONFIRMED: 1})
    await resource(city, {REPORTED: 1, REJECTED: 3})
    found = await funnel(city)
    assert [*found] == [
        *("reported", "confirmed", "referred", "acknowledged"),
        *("block_reported", "block_verified", "reappeared"),
    ]
    told = {name: (step["resources"], step["of"], step["of_resources"], step["rate"]) for name, step in found.items()}
    assert told == {
        "reported": (4, None, None, None),
        "confirmed": (3, "reported", 4, 0.75),
        "referred": (2, "confirmed", 3, 0.6667),
        "acknowledged": (0, "referred", 2, 0),
        "block_reported": (1, "referred", 2, 0.5),
        "block_verified": (0, "block_reported", 1, 0),
        "reappeared": (0, "block_reported", 1, 0),
    }


async def test_the_median_counts_those_that_still_wait(city: TestCity):
    for days in (2, 4, 6):
        await resource(city, {REPORTED: 0, CONFIRMED: days})
    assert (await funnel(city))["confirmed"]["median_days"] == 4
    for _ in range(2):
        await resource(city, {REPORTED: 0})
    found = (await funnel(city))["confirmed"]
    assert (found["median_days"], found["waiting"]) == (6, 2)
    await resource(city, {REPORTED: 0})
    await resource(city, {REPORTED: 0})
    assert (await funnel(city))["confirmed"]["median_days"] is None


async def test_what_was_rejected_or_refused_is_not_waited_for(city: TestCity):
    await resource(city, {REPORTED: 0, CONFIRMED: 5})
    # Seen open until the third day, which is before the fifth.
    for _ in range(3):
        await resource(city, {REPORTED: 0, REJECTED: 3})
    found = (await funnel(city))["confirmed"]
    assert (found["median_days"], found["waiting"], found["rate"]) == (5, 0, 0.25)


async def test_the_last_steps_are_of_what_was_reported_blocked(city: TestCity):
    steps = {REPORTED: 0, CONFIRMED: 0, REFERRED: 0, ACKNOWLEDGED: 2, BLOCKED: 10}
    await resource(city, {**steps, VERIFIED: 13})
    await resource(city, {**steps, VERIFIED: 15, REAPPEARED: 40})
    await resource(city, steps)
    found = await funnel(city)
    told = {name: (step["resources"], step["of_resources"], step["median_days"]) for name, step in found.items()}
    assert told["acknowledged"] == (3, 3, 2)
    assert told["block_verified"] == (2, 3, 5)
    assert told["reappeared"] == (1, 3, None)


async def test_what_has_gone_is_waited_for_again_once_it_is_back(city: TestCity):
    await resource(city, {REPORTED: 0, CONFIRMED: 1, OFFLINE: 4})
    assert (await funnel(city))["referred"]["waiting"] == 0
    await resource(city, {REPORTED: 0, CONFIRMED: 1, OFFLINE: 4, REAPPEARED: 4})
    assert (await funnel(city))["referred"]["waiting"] == 1
    back = await resource(city, {REPORTED: 0, CONFIRMED: 1, OFFLINE: 4, REAPPEARED: 6})
    await city.add(
        ResourceEvent(city_id=city.id, resource_id=back, status=REMOVED, occurred_on=DAY + timedelta(days=6))
    )
    assert (await funnel(city))["referred"]["waiting"] == 1


async def test_what_was_back_before_the_block_has_not_come_back_from_it(city: TestCity):
    await resource(city, {REPORTED: 0, CONFIRMED: 1, OFFLINE: 4, REAPPEARED: 6, REFERRED: 7, BLOCKED: 9})
    found = await funnel(city)
    told = [(found[name]["resources"], found[name]["waiting"]) for name in ("block_reported", "reappeared")]
    assert told == [(1, 0), (0, 1)]


@pytest.mark.parametrize(
    ("end", "step"),
    [
        (BLOCKED, "acknowledged"),
        (REMOVED, "acknowledged"),
        (RESTORED, "block_verified"),
        (REAPPEARED, "block_verified"),
    ],
)
async def test_what_can_no_longer_come_is_not_waited_for(city: TestCity, end: ResourceStatus, step: str):
    before = {REPORTED: 0, CONFIRMED: 0, REFERRED: 0}
    await resource(city, before | ({end: 3} if step == "acknowledged" else {BLOCKED: 1, end: 3}))
    found = (await funnel(city))[step]
    assert (found["of_resources"], found["resources"], found["waiting"]) == (1, 0, 0)


async def test_a_letter_dated_before_the_decision_took_no_time(city: TestCity):
    await resource(city, {REPORTED: 0, CONFIRMED: 3, REFERRED: 1})
    assert (await funnel(city))["referred"]["median_days"] == 0


async def test_an_empty_city_has_no_rates(city: TestCity):
    found = await funnel(city)
    assert {step["resources"] for step in found.values()} == {0}
    assert {step["rate"] for step in found.values()} == {step["median_days"] for step in found.values()} == {None}


async def test_the_range_is_of_the_first_reports(city: TestCity):
    await resource(city, {REPORTED: 0, CONFIRMED: 20})
    await resource(city, {REPORTED: 10, CONFIRMED: 20})
    found = await funnel(city, **{"from": f"{DAY}", "to": f"{DAY + timedelta(days=9)}"})
    assert (found["reported"]["resources"], found["confirmed"]["resources"]) == (1, 1)


async def test_what_was_recorded_later_has_not_happened_as_of_before(city: TestCity):
    known = await resource(city, {REPORTED: 0})
    between = utc_now()
    await city.add(ResourceEvent(city_id=city.id, resource_id=known, status=CONFIRMED, occurred_on=DAY))
    assert (await funnel(city, as_of=between.isoformat()))["confirmed"]["resources"] == 0
    assert (await funnel(city))["confirmed"]["resources"] == 1


async def test_the_way_of_a_resource_fills_it(city: TestCity):
    volunteer, moderator, coordinator = [
        await city.as_(role) for role in (Role.VOLUNTEER, Role.MODERATOR, Role.COORDINATOR)
    ]
    ids = [
        (await volunteer.post("/findings", json={"address": f"https://{name}.example"})).json()["resource_id"]
        for name in ("one", "two", "three")
    ]
    # Two who report it are one resource, and a review taken again is no second one.
    await moderator.post("/findings", json={"address": "https://three.example"})
    for resource_id in ids[:2]:
        for step in ("review", "review", "confirm"):
            await moderator.post(f"/resources/{resource_id}/{step}")
    drafted = {"authority": "Ministry", "resource_ids": ids[:2]}
    referral = (await coordinator.post("/referrals", json=drafted)).json()["id"]
    today = f"{day_in('Asia/Almaty', utc_now())}"
    sending = {"outgoing_number": "1", "sent_on": today, "due_on": today}
    await coordinator.post(f"/referrals/{referral}/send", json=sending)
    for resource_id, answer in zip(ids, ("blocked", "refused"), strict=False):
        answered = {"answer": answer, "answered_on": today}
        await coordinator.post(f"/referrals/{referral}/items/{resource_id}/answer", json=answered)
    found = await funnel(city)
    assert [step["resources"] for step in found.values()] == [3, 2, 2, 0, 1, 0, 0]
    assert {step["median_days"] for step in found.values() if step["resources"] and step["of"]} == {0}
    events = [event.status for event in await city.rows(ResourceEvent) if event.resource_id == UUID(ids[1])]
    assert sorted(events) == ["confirmed", "in_review", "referred", "refused", "reported"]


async def test_it_is_sent_again_only_when_something_has_changed(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    known = {"If-None-Match": (await analyst.get("/metrics/funnel")).headers["ETag"]}
    assert (await analyst.get("/metrics/funnel", headers=known)).status_code == 304
    # No entry of the ledger, and yet another funnel.
    await resource(city, {REPORTED: 0, REJECTED: 1})
    assert (await analyst.get("/metrics/funnel", headers=known)).status_code == 200


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "/query/to"),
        ({"as_of": "2099-01-01T00:00:00Z"}, "/query/as_of"),
        ({"from": "0001-01-01"}, "/query/from"),
        ({"to": "9999-12-31"}, "/query/to"),
        ({"district": "west"}, "/query/district"),
    ],
)
async def test_what_cannot_be_asked_is_refused(city: TestCity, query: dict[str, str], pointer: str):
    refused = await (await city.as_(Role.MODERATOR)).get("/metrics/funnel", params=query)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_funnel_is_for_those_who_are_signed_in(city: TestCity):
    assert (await city.anonymous.get("/metrics/funnel")).status_code == 401

"""The line behind a full raid: who is next, and until when."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.domain.assignments import offer_deadline
from app.domain.permissions import Role
from app.models.assignments import Assignment
from app.models.raids import Raid
from tests.city import Client, TestCity

TOMORROW = timedelta(days=1)


async def raid_in(city: TestCity, ahead: timedelta = TOMORROW, **changes: Any) -> str:
    starts_at = datetime.now(UTC) + ahead
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=2)).isoformat()}
    return (await city.open_raid(**times, **changes))["id"]


async def crowd(city: TestCity, raid_id: str, size: int) -> list[Client]:
    """Signed up one after another."""
    clients = [(await city.volunteer())[1] for _ in range(size)]
    for client in clients:
        assert (await client.post(f"/raids/{raid_id}/sign-up")).status_code == 201
    return clients


async def places(clients: list[Client], raid_id: str) -> list[tuple[str, int | None]]:
    found = [(await client.get(f"/raids/{raid_id}/place")).json() for client in clients]
    return [(place["status"], place["position"]) for place in found]


async def test_who_comes_to_a_full_raid_waits_in_order(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    clients = await crowd(city, raid_id, 3)
    assert await places(clients, raid_id) == [("accepted", None), ("waiting", 1), ("waiting", 2)]
    assert (await clients[1].post(f"/raids/{raid_id}/sign-up")).json()["code"] == "already_on_raid"


async def test_a_withdrawal_offers_the_place_to_the_next_with_a_deadline(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    first, second, third = await crowd(city, raid_id, 3)

    await first.post(f"/raids/{raid_id}/withdraw")

    assert await places([second, third], raid_id) == [("offered", None), ("waiting", 1)]
    offer = (await second.get(f"/raids/{raid_id}/place")).json()
    deadline = datetime.fromisoformat(offer["offer_expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < deadline <= timedelta(hours=2)
    assert (await city.one(Raid, raid_id)).places_taken == 1
    accepted = await second.post(f"/raids/{raid_id}/accept")
    assert accepted.json()["status"] == "accepted"


async def test_a_declined_place_goes_on_to_the_next(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    first, second, third = await crowd(city, raid_id, 3)
    await first.post(f"/raids/{raid_id}/withdraw")
    assert (await second.post(f"/raids/{raid_id}/decline")).json()["status"] == "declined"
    assert await places([third], raid_id) == [("offered", None)]


async def test_who_leaves_the_line_is_not_offered_a_place(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    first, second, third = await crowd(city, raid_id, 3)
    assert (await second.post(f"/raids/{raid_id}/withdraw")).json()["status"] == "withdrawn"
    await first.post(f"/raids/{raid_id}/withdraw")
    assert await places([second, third], raid_id) == [("withdrawn", None), ("offered", None)]


async def test_who_comes_again_stands_at_the_end(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    _, second, third = await crowd(city, raid_id, 3)
    await second.post(f"/raids/{raid_id}/withdraw")
    await second.post(f"/raids/{raid_id}/sign-up")
    assert await places([third, second], raid_id) == [("waiting", 1), ("waiting", 2)]


async def test_who_may_not_go_any_more_is_passed_over_and_keeps_waiting(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    first, second, third = await crowd(city, raid_id, 3)
    other = await raid_in(city)
    await second.post(f"/raids/{other}/sign-up")
    await first.post(f"/raids/{raid_id}/withdraw")
    assert await places([second, third], raid_id) == [("waiting", 1), ("offered", None)]


async def test_a_larger_raid_takes_in_those_who_wait(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    clients = await crowd(city, raid_id, 4)
    coordinator = await city.as_(Role.COORDINATOR)
    version = (await coordinator.get(f"/raids/{raid_id}")).headers["etag"]
    await coordinator.patch(f"/raids/{raid_id}", json={"capacity": 3}, headers={"If-Match": version})
    statuses = [status for status, _ in await places(clients, raid_id)]
    assert statuses == ["accepted", "offered", "offered", "waiting"]


async def test_an_offer_ends_at_its_second_and_the_late_answer_still_moves_the_line(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    first, second, third = await crowd(city, raid_id, 3)
    await first.post(f"/raids/{raid_id}/withdraw")
    await expire(city, raid_id)

    assert await places([second], raid_id) == [("lapsed", None)]
    late = await second.post(f"/raids/{raid_id}/accept")

    assert (late.status_code, late.json()["code"]) == (409, "offer_lapsed")
    assert await places([second, third], raid_id) == [("lapsed", None), ("offered", None)]
    assert (await city.one(Raid, raid_id)).places_taken == 1


async def test_whoever_touches_the_raid_next_sees_a_lapsed_place_as_free(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    first, second = await crowd(city, raid_id, 2)
    await first.post(f"/raids/{raid_id}/withdraw")
    await expire(city, raid_id)
    (newcomer,) = await crowd(city, raid_id, 1)
    assert await places([second, newcomer], raid_id) == [("lapsed", None), ("accepted", None)]


async def expire(city: TestCity, raid_id: str) -> None:
    """The deadlines of the raid's offers have just passed."""
    offers = sa.update(Assignment).where(Assignment.city_id == city.id, Assignment.raid_id == UUID(raid_id))
    async with city.database.transaction() as session:
        await session.exec(offers.values(offer_expires_at=datetime.now(UTC)))


async def test_a_coordinator_offers_a_place_that_is_kept(city: TestCity):
    raid_id = await raid_in(city, capacity=1)
    volunteer, client = await city.volunteer()
    coordinator = await city.as_(Role.COORDINATOR)
    offered = await coordinator.post(f"/raids/{raid_id}/offers", json={"volunteer_id": str(volunteer.id)})
    assert (offered.status_code, offered.json()["status"]) == (201, "offered")
    (newcomer,) = await crowd(city, raid_id, 1)
    assert await places([newcomer], raid_id) == [("waiting", 1)]
    assert (await client.post(f"/raids/{raid_id}/accept")).json()["status"] == "accepted"
    other, _ = await city.volunteer()
    full = await coordinator.post(f"/raids/{raid_id}/offers", json={"volunteer_id": str(other.id)})
    assert full.json()["code"] == "raid_full"


async def test_an_offer_is_refused_with_every_reason(city: TestCity):
    raid_id = await raid_in(city)
    volunteer, _ = await city.volunteer(status="suspended", programmes=["online"])
    coordinator = await city.as_(Role.COORDINATOR)
    refused = await coordinator.post(f"/raids/{raid_id}/offers", json={"volunteer_id": str(volunteer.id)})
    assert refused.json()["code"] == "not_eligible"
    assert {fault["code"] for fault in refused.json()["errors"]} == {"not_active", "not_in_programme"}


async def test_what_came_between_is_judged_when_the_offer_is_accepted(city: TestCity):
    raid_id, other = await raid_in(city), await raid_in(city)
    volunteer, client = await city.volunteer()
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/raids/{raid_id}/offers", json={"volunteer_id": str(volunteer.id)})
    await client.post(f"/raids/{other}/sign-up")
    refused = await client.post(f"/raids/{raid_id}/accept")
    assert [fault["code"] for fault in refused.json()["errors"]] == ["overlaps"]


@pytest.mark.parametrize(("ahead", "is_late"), [(timedelta(hours=11), True), (timedelta(hours=13), False)])
async def test_a_withdrawal_within_twelve_hours_leaves_a_mark(city: TestCity, ahead: timedelta, *, is_late: bool):
    raid_id = await raid_in(city, ahead)
    (client,) = await crowd(city, raid_id, 1)
    assert (await client.post(f"/raids/{raid_id}/withdraw")).json()["withdrew_late"] is is_late


@pytest.mark.parametrize(
    ("ahead", "stands"),
    [
        (timedelta(days=2), timedelta(hours=2)),
        (timedelta(hours=2), timedelta(hours=1)),
        (timedelta(minutes=70), timedelta(minutes=15)),
        (timedelta(minutes=-5), timedelta(minutes=15)),
    ],
)
def test_an_offer_stands_two_hours_or_until_an_hour_before_the_start(ahead: timedelta, stands: timedelta):
    now = datetime(2026, 6, 6, 12, tzinfo=UTC)
    assert offer_deadline(now, now + ahead) - now == stands

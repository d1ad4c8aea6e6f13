"""Many at once, over connections of their own; what is asserted is what the database holds in the end.

Without the lock on the raid, or on who signs up, at least four rounds in five break a rule. How long two hundred wait,
in twenty rounds, is measured by bench/crowd.py.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlmodel import select

from app.domain.assignments import HOLDING, AssignmentStatus
from app.domain.permissions import Role
from app.domain.spots import SpotStatus
from app.models.assignments import Assignment
from app.models.ledger import LedgerEntry
from app.models.raids import Raid, RaidStop
from app.models.spots import Spot
from tests.city import TestCity, found_city, removal
from tests.raids.test_stops import confirmed, planned
from tests.raids.test_waiting_list import crowd, raid_in

ROUNDS, CROWDS = range(5), range(3)


async def state(city: TestCity, raid_id: str) -> tuple[Raid, list[Assignment]]:
    raid = await city.one(Raid, raid_id)
    async with city.database.transaction() as session:
        of_raid = select(Assignment).where(Assignment.city_id == city.id, Assignment.raid_id == raid.id)
        return raid, list(await session.exec(of_raid))


def line(crew: list[Assignment]) -> list[int]:
    return sorted(row.line_number or 0 for row in crew if row.status is AssignmentStatus.WAITING)


@pytest.fixture(scope="module")
async def school(app: FastAPI) -> AsyncIterator[tuple[TestCity, list[str]]]:
    """A city, and two hundred volunteers' tokens."""
    async with found_city(app) as city:
        yield city, [(await city.volunteer())[1].headers["Authorization"] for _ in range(200)]


@pytest.mark.parametrize("attempt", CROWDS)
async def test_two_hundred_for_twenty_places(school: tuple[TestCity, list[str]], attempt: int):
    city, tokens = school
    raid_id = await raid_in(city, ahead=timedelta(days=1 + attempt), capacity=20)
    path = f"/raids/{raid_id}/sign-up"

    answers = await asyncio.gather(*(city.anonymous.post(path, headers={"Authorization": token}) for token in tokens))

    raid, crew = await state(city, raid_id)
    assert Counter(answer.status_code for answer in answers) == {201: 200}
    assert Counter(row.status for row in crew) == {AssignmentStatus.ACCEPTED: 20, AssignmentStatus.WAITING: 180}
    assert (raid.places_taken, line(crew)) == (20, list(range(1, 181)))


@pytest.mark.parametrize("attempt", ROUNDS)
async def test_one_volunteer_for_two_raids_at_one_time(city: TestCity, attempt: int):
    raids = [await raid_in(city) for _ in range(2)]
    _, client = await city.volunteer()

    answers = await asyncio.gather(*(client.post(f"/raids/{raid_id}/sign-up") for raid_id in raids))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await city.count(Assignment) == 1


@pytest.mark.parametrize("attempt", ROUNDS)
async def test_withdrawals_and_sign_ups(city: TestCity, attempt: int):
    raid_id = await raid_in(city, capacity=4)
    inside = await crowd(city, raid_id, 6)
    newcomers = [(await city.volunteer())[1] for _ in range(6)]

    answers = await asyncio.gather(
        *(client.post(f"/raids/{raid_id}/withdraw") for client in inside[:5]),
        *(client.post(f"/raids/{raid_id}/sign-up") for client in newcomers),
    )

    assert {answer.status_code for answer in answers} == {200, 201}
    raid, crew = await state(city, raid_id)
    held = sum(row.status in HOLDING for row in crew)
    assert held == raid.places_taken == raid.capacity  # 12 came, 5 left: 7 for 4 places
    assert len(line(crew)) == 3


@pytest.mark.parametrize("attempt", ROUNDS)
async def test_offers_and_those_they_are_for(city: TestCity, attempt: int):
    """The coordinator holds the raid and points to volunteers; each holds their own row and waits for the raid."""
    raid_id = await raid_in(city, capacity=3)
    people = [await city.volunteer() for _ in range(6)]
    coordinator = await city.as_(Role.COORDINATOR)

    answers = await asyncio.gather(
        *(coordinator.post(f"/raids/{raid_id}/offers", json={"volunteer_id": str(one.id)}) for one, _ in people),
        *(client.post(f"/raids/{raid_id}/sign-up") for _, client in people),
    )

    assert {answer.status_code for answer in answers} <= {201, 409}
    raid, crew = await state(city, raid_id)
    assert sum(row.status in HOLDING for row in crew) == raid.places_taken == 3


@pytest.mark.parametrize("attempt", ROUNDS)
@pytest.mark.parametrize("step", ["start", "finish"])
async def test_two_starts_or_finishes(city: TestCity, step: str, attempt: int):
    raid = await (city.open_raid() if step == "start" else city.raid_under_way())
    coordinator = await city.as_(Role.COORDINATOR)
    if step == "finish":
        await coordinator.post(f"/raids/{raid['id']}/removals", json=removal())

    answers = await asyncio.gather(*(coordinator.post(f"/raids/{raid['id']}/{step}") for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await city.count(LedgerEntry) == (2 if step == "finish" else 0)
    assert (await city.one(Raid, raid["id"])).status == ("done" if step == "finish" else "under_way")


@pytest.mark.parametrize("attempt", ROUNDS)
async def test_a_merger_and_a_raid_that_is_being_planned(city: TestCity, attempt: int):
    here, there = await confirmed(city), await confirmed(city, 76.6)
    raid_id = await planned(city)
    coordinator, admin = await city.as_(Role.COORDINATOR), await city.as_(Role.ADMIN)

    answers = await asyncio.gather(
        coordinator.put(f"/raids/{raid_id}/stops", json={"spot_ids": [there]}),
        admin.post(f"/spots/{here}/merge", json={"spot_id": there}),
    )

    assert {answer.status_code for answer in answers} <= {200, 409}
    statuses = {row.id: row.status for row in await city.rows(Spot)}
    assert [statuses[stop.spot_id] for stop in await city.rows(RaidStop)] == [
        status for status in statuses.values() if status is SpotStatus.SCHEDULED
    ]


@pytest.mark.parametrize("attempt", ROUNDS)
async def test_an_offer_that_is_accepted_while_the_raid_is_called_off(city: TestCity, attempt: int):
    raid_id = await raid_in(city, capacity=1)
    first, second = await crowd(city, raid_id, 2)
    await first.post(f"/raids/{raid_id}/withdraw")
    coordinator = await city.as_(Role.COORDINATOR)

    accepted, cancelled = await asyncio.gather(
        second.post(f"/raids/{raid_id}/accept"),
        coordinator.post(f"/raids/{raid_id}/cancel", json={"reason": "Rain"}),
    )

    assert (cancelled.status_code, accepted.status_code in {200, 409}) == (200, True)
    raid, crew = await state(city, raid_id)
    assert raid.status == "cancelled"
    assert raid.places_taken == sum(row.status in HOLDING for row in crew) == int(accepted.status_code == 200)

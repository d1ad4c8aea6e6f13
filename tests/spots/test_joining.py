"""Same place, same spot (rule 10)."""

import asyncio

import pytest

from app.domain.permissions import Role
from app.models.cities import City
from app.models.spots import Sighting, Spot
from tests.city import IN_WEST, TestCity
from tests.spots.walls import METRE, ago, north_of, report, sighting, spot, spot_of

ROUNDS = 20
# On the border of two tiles of the locks, east and west of it, and where four of them meet.
BORDERS = [
    {"latitude": 43.501, "longitude": 76.501},
    {"latitude": 43.502, "longitude": 76.501},
    {"latitude": 43.501, "longitude": 76.502},
    {"latitude": 43.502, "longitude": 76.502},
]


@pytest.mark.parametrize(("metres", "is_same"), [(0, True), (14.9, True), (15.1, False), (200, False)])
async def test_a_sighting_within_15_metres_joins(city: TestCity, metres: float, *, is_same: bool):
    first = await spot_of(city)
    assert (await spot_of(city, point=north_of(IN_WEST, metres)) == first) == is_same


async def test_a_metre_to_the_east_is_as_long_as_one_to_the_north(city: TestCity):
    first = await spot_of(city)
    degree = METRE / 0.7254  # the cosine of 43.5 degrees
    for metres, is_same in ((14.9, True), (15.2, False)):
        east = {**IN_WEST, "longitude": IN_WEST["longitude"] + metres * degree}
        assert (await spot_of(city, point=east) == first) == is_same


async def test_the_nearest_of_two_is_joined(city: TestCity):
    south = await spot_of(city)
    north = await spot_of(city, point=north_of(IN_WEST, 20))
    assert south != north
    assert await spot_of(city, point=north_of(IN_WEST, 11)) == north
    assert await spot_of(city, point=north_of(IN_WEST, 9)) == south


async def test_a_city_sets_its_own_distance(city: TestCity):
    async with city.database.transaction() as session:
        (await session.get(City, city.id)).same_spot_metres = 50
    first = await spot_of(city)
    assert await spot_of(city, point=north_of(IN_WEST, 49)) == first


async def test_a_spot_keeps_count_and_is_filled_in_by_those_who_join(city: TestCity):
    spot_id = await spot_of(city, seen_at=ago(hours=1))
    last = ago(minutes=1)
    await report(city, seen_at=last, surface="concrete", address="Abay 52")
    await report(city, seen_at=ago(days=9), surface="brick")
    there = await spot(city, spot_id)
    assert (there["sightings"], there["surface"], there["address"]) == (3, "concrete", "Abay 52")
    assert there["last_seen_at"][:19] == last[:19]


async def test_a_dismissed_place_is_looked_at_again(city: TestCity):
    spot_id = await spot_of(city)
    await (await city.as_(Role.COORDINATOR)).post(f"/spots/{spot_id}/dismiss", json={"reason": "Nothing there"})
    assert await spot_of(city) != spot_id


async def test_without_a_point_the_address_is_the_place(city: TestCity):
    spot_id = await spot_of(city, point=None, address="Абай  52")
    assert await spot_of(city, point=None, address="абай 52") == spot_id
    assert await spot_of(city, point=None, address="Абай 54") != spot_id
    assert await spot_of(city, address="Абай 52") != spot_id
    assert (await spot(city, spot_id))["latitude"] is None


async def test_neither_point_nor_address_is_nowhere(city: TestCity):
    refused = await (await city.as_(Role.COORDINATOR)).post("/sightings", json=sighting(point=None))
    assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [("point_or_address", "/body")]


async def test_fifty_reports_of_one_wall_at_once_are_one_spot(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    for number in range(4):  # without the lock each of twenty rounds had several spots
        wall = {**IN_WEST, "latitude": 43.1 + number * 0.01}
        before = await city.count(Spot), await city.count(Sighting)
        points = [north_of(wall, metres % 7) for metres in range(50)]
        answers = await asyncio.gather(
            *(coordinator.post("/sightings", json=sighting(point=point)) for point in points)
        )
        assert {answer.status_code for answer in answers} == {201}
        assert (await city.count(Spot), await city.count(Sighting)) == (before[0] + 1, before[1] + 50)
        (spot_id,) = {answer.json()["spot_id"] for answer in answers}
        assert (await city.one(Spot, spot_id)).sightings == 50


@pytest.mark.parametrize("corner", BORDERS, ids=["inside", "north", "east", "corner"])
async def test_two_reports_from_both_sides_of_a_lock_s_border_are_one_spot(city: TestCity, corner: dict[str, float]):
    coordinator = await city.as_(Role.COORDINATOR)
    for number in range(ROUNDS):
        # The tiles repeat every 0.002 degrees.
        wall = {**corner, "latitude": corner["latitude"] + number * 0.004}
        sides = [
            {"latitude": wall["latitude"] + side * 4 * METRE, "longitude": wall["longitude"] + side * 6 * METRE}
            for side in (-1, 1)
        ]
        answers = await asyncio.gather(*(coordinator.post("/sightings", json=sighting(point=side)) for side in sides))
        assert len({answer.json()["spot_id"] for answer in answers}) == 1
    assert await city.count(Spot) == ROUNDS


async def test_reports_without_a_point_at_once_are_one_spot(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    body = sighting(point=None, address="Abay 52")
    await asyncio.gather(*(coordinator.post("/sightings", json=body) for _ in range(20)))
    assert (await city.count(Spot), await city.count(Sighting)) == (1, 20)

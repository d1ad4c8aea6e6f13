"""Points that a phone gets wrong."""

from typing import Any

import pytest

from app.domain.permissions import Role
from app.models.cities import City
from app.models.raids import Raid
from app.models.spots import Sighting, Spot
from tests.city import IN_EAST, OUTSIDE, TestCity, raid_plan, removal
from tests.spots.walls import sighting


async def refused(city: TestCity, point: Any) -> list[tuple[str, str]]:
    answer = await (await city.as_(Role.COORDINATOR)).post("/sightings", json=sighting(point=point))
    assert answer.status_code == 422
    assert await city.count(Spot) == await city.count(Sighting) == 0
    return [(error["code"], error["pointer"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("point", "code"),
    [
        ({"latitude": 0, "longitude": 0}, "point_null_island"),
        ({"latitude": IN_EAST["longitude"], "longitude": IN_EAST["latitude"]}, "point_swapped"),
        (OUTSIDE, "point_outside"),
        ({"latitude": 42.81, "longitude": 76.5}, "point_outside"),
    ],
)
async def test_a_point_that_is_not_in_the_city_is_refused_and_says_why(city: TestCity, point: Any, code: str):
    assert await refused(city, point) == [(code, "/body/point")]


@pytest.mark.parametrize(
    ("point", "code"),
    [
        ({"latitude": 0, "longitude": 0}, "point_null_island"),
        ({"latitude": IN_EAST["longitude"], "longitude": IN_EAST["latitude"]}, "point_swapped"),
        (OUTSIDE, "point_outside"),
    ],
)
async def test_a_meeting_point_and_a_crew_s_wall_are_in_the_city_too(city: TestCity, point: Any, code: str):
    coordinator = await city.as_(Role.COORDINATOR)
    raid = await city.raid_under_way()
    for refused in (
        await coordinator.post("/raids", json=raid_plan(point=point)),
        await coordinator.post(f"/raids/{raid['id']}/removals", json=removal(point=point)),
    ):
        assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [(code, "/body/point")]
    assert (await city.count(Raid), await city.count(Spot)) == (1, 0)


async def test_swapped_coordinates_are_named_as_such_in_the_reader_s_language(city: TestCity):
    point = {"latitude": IN_EAST["longitude"], "longitude": IN_EAST["latitude"]}
    headers = {"Accept-Language": "en"}
    answer = await (await city.as_(Role.COORDINATOR)).post("/sightings", json=sighting(point=point), headers=headers)
    (error,) = answer.json()["errors"]
    assert "latitude" in error["detail"].lower()


@pytest.mark.parametrize("seen_at", ["2026-05-01T00:00:00", "2026-05-01", "2026-05-01T00:00:00+25:00", 0])
async def test_a_time_without_an_offset_is_refused(city: TestCity, seen_at: object):
    answer = await (await city.as_(Role.COORDINATOR)).post("/sightings", json=sighting(seen_at=seen_at))
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/body/seen_at"]


async def test_a_suburb_is_near_enough_and_in_no_district(city: TestCity):
    point = {"latitude": 42.83, "longitude": 76.5}
    answer = await (await city.as_(Role.COORDINATOR)).post("/sightings", json=sighting(point=point))
    assert answer.status_code == 201
    assert (await city.one(Spot, answer.json()["spot_id"])).district_id is None


@pytest.mark.parametrize("value", ["43.5", True, None, 91, -91, [43.5]])
async def test_what_is_no_latitude_is_refused(city: TestCity, value: object):
    assert [pointer for _, pointer in await refused(city, {"latitude": value, "longitude": 76.5})] == [
        "/body/point/latitude"
    ]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400"])
async def test_a_number_that_is_none_is_refused(city: TestCity, number: str):
    body = f'{{"kind": "tag", "seen_at": "2026-05-01T00:00:00Z", "point": {{"latitude": {number}, "longitude": 76}}}}'
    headers = {"Content-Type": "application/json"}
    answer = await (await city.as_(Role.COORDINATOR)).post("/sightings", content=body, headers=headers)
    assert answer.status_code == 422


async def test_a_city_without_districts_takes_any_point_but_the_one_in_the_sea(city: TestCity):
    bare = TestCity(city.app, f"{city.id}-b")
    await bare.add(City(id=bare.id, name_kk="Б", name_ru="Б", name_en="B", time_zone="America/Chicago"))
    coordinator = await bare.as_(Role.COORDINATOR)
    assert (await coordinator.post("/sightings", json=sighting(point=OUTSIDE))).status_code == 201
    sea = await coordinator.post("/sightings", json=sighting(point={"latitude": 0, "longitude": 0}))
    assert [error["code"] for error in sea.json()["errors"]] == ["point_null_island"]
    await bare.close()

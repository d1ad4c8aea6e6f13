"""Lists, maps and counts of the same spots, filtered alike."""

from itertools import pairwise
from typing import Any

import h3
import pytest

from app.domain.permissions import Role
from app.domain.spots import SpotAction
from tests.city import IN_EAST, IN_WEST, TestCity, found_city
from tests.spots.walls import ago, north_of, report, spot_of, step

WEST = {"bbox": "76.4,43.4,76.6,43.6"}


async def listed(city: TestCity, **query: Any) -> list[str]:
    answer = await (await city.as_(Role.COORDINATOR)).get("/spots", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def mapped(city: TestCity, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await (await city.as_(Role.COORDINATOR)).get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.json()["type"] == "FeatureCollection"
    return answer.json()["features"]


@pytest.fixture
async def three(city: TestCity) -> list[str]:
    """One in the west, one 100 m north of it and painted over, one in the east seen long ago."""
    west = await spot_of(city, surface="Кирпич", seen_at=ago(hours=1))
    north = await spot_of(city, point=north_of(IN_WEST, 100), address="Абай 52", kind="qr", seen_at=ago(days=3))
    await step(city, north, SpotAction.PAINT)
    return [west, north, await spot_of(city, point=IN_EAST, seen_at=ago(days=60))]


CIRCLE = {"latitude": 43.5, "longitude": 76.5}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {0, 1, 2}),
        ({"district": "west"}, {0, 1}),
        ({"status": "painted"}, {1}),
        ({"kind": "qr"}, {1}),
        ({"district": "east", "status": "painted"}, set()),
        (WEST, {0, 1}),
        ({"bbox": "76.5,43.5,77.5,43.5001"}, {0, 2}),
        ({**CIRCLE, "radius": 99}, {0}),
        ({**CIRCLE, "radius": 101}, {0, 1}),
        ({"text": "кирп"}, {0}),
        ({"text": "АБАЙ"}, {1}),
        ({"text": "%"}, set()),
        ({"seen_since": ago(days=4)}, {0, 1}),
        ({"seen_before": ago(days=1)}, {1, 2}),
        ({"seen_since": ago(days=4), "seen_before": ago(days=1), "status": "painted"}, {1}),
    ],
)
async def test_a_filter_finds_the_same_everywhere(city: TestCity, three: list[str], query: Any, found: set[int]):
    ids = {three[index] for index in found}
    assert set(await listed(city, **query)) == ids
    assert {feature["id"] for feature in await mapped(city, "/spots.geojson", **query)} == ids
    cells = await mapped(city, "/spots/heat", **query)
    assert sum(cell["properties"]["spots"] for cell in cells) == len(ids)


async def test_pages_follow_one_another_with_their_filters(city: TestCity, three: list[str]):
    coordinator = await city.as_(Role.COORDINATOR)
    for path, items in (("/spots", "items"), ("/spots.geojson", "features")):
        page = await coordinator.get(path, params={"limit": 1, **WEST})
        assert [item["id"] for item in page.json()[items]] == [three[1]]
        rest = await coordinator.get(f"http://test{page.headers['link'].split('>')[0][1:]}")
        assert [item["id"] for item in rest.json()[items]] == [three[0]]
        assert rest.json()["next"] is None


async def test_geojson_has_longitude_first_and_no_geometry_without_a_point(city: TestCity):
    await spot_of(city)
    await spot_of(city, point=None, address="Abay 52")
    unlocated, located = await mapped(city, "/spots.geojson")
    assert located["geometry"] == {"type": "Point", "coordinates": [76.5, 43.5]}
    assert (unlocated["geometry"], unlocated["properties"]["address"]) == (None, "Abay 52")


@pytest.mark.parametrize("resolution", [8, 9, 10])
async def test_hexagons_count_what_lies_in_them(city: TestCity, resolution: int):
    await report(city)
    await report(city)
    await report(city, point=IN_EAST)
    cells = await mapped(city, "/spots/heat", resolution=resolution)
    counts = {cell["id"]: (cell["properties"]["spots"], cell["properties"]["sightings"]) for cell in cells}
    assert counts == {
        h3.latlng_to_cell(43.5, 76.5, resolution): (1, 2),
        h3.latlng_to_cell(43.5, 77.5, resolution): (1, 1),
    }
    (ring,) = cells[0]["geometry"]["coordinates"]
    assert ring[0] == ring[-1]
    assert area(ring) > 0


def area(ring: list[list[float]]) -> float:
    """Positive when it runs counter-clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("bbox=1,2,3", "/bbox"),
        ("bbox=76.6,43.4,76.4,43.6", "/bbox"),
        ("bbox=76.4,43.6,76.6,43.4", "/bbox"),
        ("bbox=0,0,181,1", "/bbox"),
        ("bbox=nan,0,1,1", "/bbox"),
        ("latitude=43.5", ""),
        ("latitude=43.5&longitude=76.5", ""),
        ("radius=10", ""),
        ("latitude=43.5&longitude=76.5&radius=10&bbox=0,0,1,1", ""),
        ("latitude=nan&longitude=76.5&radius=10", "/latitude"),
        ("latitude=%2043&longitude=76.5&radius=10", "/latitude"),
        ("latitude=43.5&longitude=76.5&radius=5001", "/radius"),
        ("seen_since=yesterday", "/seen_since"),
        ("text=", "/text"),
        ("colour=red", "/colour"),
    ],
)
@pytest.mark.parametrize("path", ["/spots", "/spots.geojson", "/spots/heat"])
async def test_a_filter_that_means_nothing_is_refused(city: TestCity, path: str, query: str, pointer: str):
    refused = await (await city.as_(Role.COORDINATOR)).get(f"{path}?{query}")
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [f"/query{pointer}"]


async def test_another_city_s_spots_are_not_on_the_map(city: TestCity, app):
    async with found_city(app) as other:
        await spot_of(other)
    assert await listed(city) == await mapped(city, "/spots.geojson") == await mapped(city, "/spots/heat") == []

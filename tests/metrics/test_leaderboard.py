"""Districts by a count, never a person."""

from typing import Any

import pytest

from app.domain.metrics import ABOUT_PEOPLE, Metric, Origin
from app.domain.permissions import Role
from tests.city import TestCity, district
from tests.metrics.facts import DAY, entry


async def standings(city: TestCity, role: Role = Role.ANALYST, **query: Any) -> list[tuple[Any, ...]]:
    answer = await (await city.as_(role)).get("/metrics/leaderboard", params=query)
    assert answer.status_code == 200, answer.text
    return [(each["rank"], each["district_id"], each["total"]) for each in answer.json()["standings"]]


async def test_the_highest_comes_first_and_equals_share_a_rank(city: TestCity):
    await city.add(district(city.id, "north", 78), district(city.id, "south", 79))
    await city.add(
        entry(city, 5, district_id="west"),
        entry(city, 9, district_id="east"),
        entry(city, 5, district_id="south"),
        entry(city, 50),
    )
    assert await standings(city) == [(1, "east", 9), (2, "south", 5), (2, "west", 5), (4, "north", 0), (None, None, 50)]


async def test_the_standings_add_up_to_the_total(city: TestCity):
    await city.add(
        entry(city, 5, district_id="west"), entry(city, 2), entry(city, 70, origin=Origin.DECLARED, occurred_on=DAY)
    )
    found = (await (await city.as_(Role.VOLUNTEER)).get("/metrics/leaderboard")).json()
    for part in ("total", "recorded", "declared"):
        assert sum(each[part] for each in found["standings"]) == found[part] > 0
    assert found["standings"][0]["names"] == {"kk": "west", "ru": "west", "en": "west"}


async def test_a_range_narrows_a_flow_and_a_level_is_what_it_was_then(city: TestCity):
    level = Metric.VOLUNTEERS_STREET_ACTIVE
    await city.add(
        entry(city, 6, district_id="west"), *(entry(city, metric=level, district_id="west") for _ in range(6))
    )
    later = {"from": "2026-03-02", "to": "2026-03-03"}
    assert (await standings(city, **later))[0][2] == 0
    assert (await standings(city, metric=level, **later))[0] == (1, "west", 6)
    assert (await standings(city, metric=level, to="2026-02-28"))[0][2] == 0


@pytest.mark.parametrize("metric", sorted(ABOUT_PEOPLE))
async def test_volunteers_are_told_nothing_of_people(city: TestCity, metric: Metric):
    """Of a day even the total would be that of one new volunteer."""
    await city.add(entry(city, metric=metric))
    asked = {"metric": metric, "from": f"{DAY}", "to": f"{DAY}"}
    refused = await (await city.as_(Role.VOLUNTEER)).get("/metrics/leaderboard", params=asked)
    assert refused.status_code == 422
    assert [(fault["code"], fault["pointer"]) for fault in refused.json()["errors"]] == [
        ("about_people", "/query/metric")
    ]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VOLUNTEER])
async def test_staff_are_told_of_people_what_they_are_told_elsewhere(city: TestCity, role: Role):
    """The entries behind these counts are theirs to read as well."""
    of_street = {"metric": Metric.VOLUNTEERS_STREET}
    await city.add(
        *(entry(city, district_id="west", **of_street) for _ in range(4)),
        *(entry(city, district_id="east", **of_street) for _ in range(6)),
    )
    assert await standings(city, role, metric="volunteers_street") == [(1, "east", 6), (2, "west", 4)]


async def test_everybody_may_read_one_that_is_not_about_people(city: TestCity):
    await city.add(entry(city, 1, district_id="west"))
    public = (await city.anonymous.get(f"/public/{city.id}/metrics/leaderboard")).json()
    assert public == (await (await city.as_(Role.ANALYST)).get("/metrics/leaderboard")).json()
    for metric in ABOUT_PEOPLE:
        refused = await city.anonymous.get(f"/public/{city.id}/metrics/leaderboard?metric={metric}")
        assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [("about_people", "/query/metric")]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"metric": "walls"}, "/query/metric"),
        ({"by": "person"}, "/query/by"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "/query/to"),
        ({"as_of": "2099-01-01T00:00:00Z"}, "/query/as_of"),
        ({"from": "0001-01-01"}, "/query/from"),
    ],
)
async def test_what_cannot_be_asked_is_refused(city: TestCity, query: dict[str, str], pointer: str):
    refused = await (await city.as_(Role.COORDINATOR)).get("/metrics/leaderboard", params=query)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)

"""A wall that is painted over and written on again is the same wall."""

from datetime import datetime

import pytest

from app.domain.errors import Conflict
from app.domain.permissions import Role
from app.domain.spots import SpotAction
from tests.city import IN_EAST, TestCity, removal
from tests.spots.walls import ago, report, spot, spot_of, step

P, V, D, S, R, C = (
    SpotAction.PAINT,
    SpotAction.VERIFY,
    SpotAction.DISPUTE,
    SpotAction.SCHEDULE,
    SpotAction.RELEASE,
    SpotAction.CONFIRM,
)


@pytest.mark.parametrize(
    ("actions", "status", "is_painted"),
    [
        ([C, S], "scheduled", False),
        ([C, S, R], "confirmed", False),
        ([C, S, P, V], "verified", True),
        ([P, D], "disputed", False),
        ([P, D, C], "confirmed", False),
    ],
)
async def test_what_raids_and_checks_do(city: TestCity, actions: list[SpotAction], status: str, *, is_painted: bool):
    spot_id = await spot_of(city)
    for action in actions:
        await step(city, spot_id, action)
    there = await spot(city, spot_id)
    assert there["status"] == status
    assert [cycle["painted_at"] is not None for cycle in there["cycles"]] == [is_painted]


@pytest.mark.parametrize("action", [S, V, D, R, SpotAction.REAPPEAR])
async def test_a_reported_spot_takes_no_later_step(city: TestCity, action: SpotAction):
    spot_id = await spot_of(city)
    with pytest.raises(Conflict):
        await step(city, spot_id, action)
    assert (await spot(city, spot_id))["version"] == 2


@pytest.mark.parametrize("actions", [[P], [P, V]], ids=["painted", "verified"])
async def test_a_sighting_after_painting_opens_the_next_cycle(city: TestCity, actions: list[SpotAction]):
    spot_id = await spot_of(city, seen_at=ago(days=9))
    for action in actions:
        await step(city, spot_id, action, days=5)
    seen_at = ago(days=1)
    assert (await report(city, seen_at=seen_at))["spot_id"] == spot_id

    there = await spot(city, spot_id)
    assert (there["status"], there["cycle"], there["sightings"]) == ("confirmed", 2, 2)
    first, second = there["cycles"]
    assert (first["cycle"], second["cycle"], second["painted_at"]) == (1, 2, None)
    assert first["painted_at"] is not None
    assert datetime.fromisoformat(second["opened_at"]) == datetime.fromisoformat(seen_at)


async def test_what_was_seen_before_painting_and_sent_late_opens_nothing(city: TestCity):
    spot_id = await spot_of(city, seen_at=ago(days=9))
    await step(city, spot_id, P, days=1)
    await report(city, seen_at=ago(days=2))
    there = await spot(city, spot_id)
    assert (there["status"], there["cycle"], there["sightings"]) == ("painted", 1, 2)


async def test_a_crew_that_comes_upon_a_known_wall_paints_that_spot(city: TestCity):
    spot_id = await spot_of(city, seen_at=ago(days=9))
    await step(city, spot_id, P, days=5)
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    recorded = await coordinator.post(f"/raids/{raid['id']}/removals", json=removal())
    assert recorded.json()["spot_id"] == spot_id
    there = await spot(city, spot_id)
    assert (there["status"], [cycle["cycle"] for cycle in there["cycles"]]) == ("painted", [1, 2])


async def test_the_city_shows_how_long_walls_stay_clean(city: TestCity):
    for point, back_after in (({}, 2), ({"latitude": 43.6}, 4), ({"latitude": 43.7}, 9), ({"latitude": 43.8}, None)):
        there = {"point": {**IN_EAST, **point}, "surface": "brick"}
        spot_id = await spot_of(city, **there, seen_at=ago(days=30))
        await step(city, spot_id, P, days=20)
        if back_after:
            await report(city, **there, seen_at=ago(days=20 - back_after))
    await spot_of(city, kind="tag")
    answer = await (await city.as_(Role.ANALYST)).get("/spots/reappearance")
    assert answer.json()["groups"] == [
        {"surface": "brick", "kind": "stencil", "painted": 4, "reappeared": 3, "median_days": 4.0}
    ]


async def test_a_city_that_painted_nothing_has_no_median(city: TestCity):
    assert (await (await city.as_(Role.ANALYST)).get("/spots/reappearance")).json() == {"groups": []}

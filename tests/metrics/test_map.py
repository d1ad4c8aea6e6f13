"""Facts on the map: each stands where its spot does, and what stands alone is not shown to the public."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from app.domain.metrics import Metric
from app.domain.permissions import Role
from app.domain.spots import SpotKind
from app.models.spots import Sighting, Spot
from tests.city import IN_EAST, IN_WEST, TestCity
from tests.metrics.facts import DAY, entry


async def sightings(city: TestCity, amount: int, **where: Any) -> None:
    """So many of one wall, and the ledger's entry of each, on the first of March."""
    spot = Spot(city_id=city.id, **where)
    reporter = await city.account(Role.VOLUNTEER)
    seen: dict[str, Any] = {
        "city_id": city.id,
        "spot_id": spot.id,
        "reported_by": reporter.id,
        "seen_at": datetime(2026, 3, 1, tzinfo=UTC),
        "kind": SpotKind.TAG,
    }
    reports = [Sighting(**seen, **where) for _ in range(amount)]
    await city.add(spot)
    await city.add(*reports, *(entry(city, metric=Metric.SIGHTINGS, subject_id=report.id) for report in reports))


async def counts(city: TestCity, **query: Any) -> dict[str, Any]:
    answer = await (await city.as_(Role.ANALYST)).get("/metrics/map", params={"metric": "sightings", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def totals(found: dict[str, Any]) -> list[int]:
    return sorted(cell["properties"]["total"] for cell in found["features"])


async def test_a_finished_raid_is_on_the_map_and_a_dispute_takes_it_off(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    raid, removals = await city.raid_under_way(), []
    for inscriptions in (3, 4):
        # A few metres apart: two spots in one hexagon.
        point = {**IN_WEST, "latitude": IN_WEST["latitude"] + inscriptions / 5_000}
        painted = {"point": point, "kind": "stencil", "inscriptions": inscriptions}
        removal = {**painted, "removed_at": datetime.now(UTC).isoformat()}
        removals.append((await coordinator.post(f"/raids/{raid['id']}/removals", json=removal)).json())
    await coordinator.post(f"/raids/{raid['id']}/finish")
    found = (await coordinator.get("/metrics/map?resolution=8")).json()
    assert (totals(found), found["total"]) == ([7], (await city.totals())["graffiti_painted"]["total"])
    checker, doubt = await city.as_(Role.ADMIN), {"reason": "Still there"}
    assert (await checker.post(f"/checks/{removals[0]['id']}/dispute", json=doubt)).status_code == 200
    assert totals((await coordinator.get("/metrics/map?resolution=8")).json()) == [4]


async def test_cells_are_hexagons_of_the_resolution_as_geojson(city: TestCity):
    await sightings(city, 2, **IN_WEST)
    await sightings(city, 3, **IN_EAST)
    for resolution in (8, 9, 10):
        found = await counts(city, resolution=resolution)
        assert (found["type"], totals(found), found["total"]) == ("FeatureCollection", [2, 3], 5)
        for cell in found["features"]:
            ring = cell["geometry"]["coordinates"][0]
            assert (cell["type"], cell["geometry"]["type"], int(cell["id"][1], 16)) == (
                "Feature",
                "Polygon",
                resolution,
            )
            assert (ring[0], len(ring)) == (ring[-1], 7)
            turn = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
            assert turn > 0, "counter-clockwise, as RFC 7946 has it"


async def test_what_has_an_address_only_is_counted_beside_the_map(city: TestCity):
    await sightings(city, 2, **IN_WEST)
    await sightings(city, 1, address="Abay 1")
    found = await counts(city)
    assert (totals(found), found["total"], found["without_point"]) == ([2], 3, 1)


async def test_only_the_days_and_the_knowledge_asked_for(city: TestCity):
    await sightings(city, 2, **IN_WEST)
    assert (await counts(city, **{"from": f"{DAY}", "to": f"{DAY}"}))["total"] == 2
    assert (await counts(city, **{"from": f"{DAY + timedelta(days=1)}"}))["features"] == []
    assert (await counts(city, as_of="2026-03-02T00:00:00Z"))["total"] == 0


async def test_the_public_sees_no_cell_with_fewer_than_five(city: TestCity):
    await sightings(city, 4, **IN_WEST)
    await sightings(city, 5, **IN_EAST)
    public = (await city.anonymous.get(f"/public/{city.id}/metrics/map?metric=sightings")).json()
    assert (totals(public), public["total"], public["not_shown"]) == ([5], 9, 4)
    assert totals(await counts(city)) == [4, 5]


async def test_a_merger_moves_what_is_on_the_map(city: TestCity):
    await sightings(city, 1, **IN_WEST)
    await sightings(city, 1, **IN_EAST)
    analyst, coordinator = await city.as_(Role.ANALYST), await city.as_(Role.COORDINATOR)
    asked = {"metric": "sightings"}
    etag = (await analyst.get("/metrics/map", params=asked)).headers["ETag"]
    kept, gone = [UUID(f"{spot.id}") for spot in await city.rows(Spot)]
    assert (await coordinator.post(f"/spots/{kept}/merge", json={"spot_id": f"{gone}"})).status_code == 200
    merged = await analyst.get("/metrics/map", params=asked, headers={"If-None-Match": etag})
    assert totals(merged.json()) == [2]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"metric": "findings"}, "/query/metric"),
        ({"resolution": "7"}, "/query/resolution"),
        ({"resolution": "11"}, "/query/resolution"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "/query/to"),
        ({"as_of": "2099-01-01T00:00:00Z"}, "/query/as_of"),
        ({"to": "9999-12-31"}, "/query/to"),
    ],
)
async def test_what_cannot_be_asked_is_refused(city: TestCity, query: dict[str, str], pointer: str):
    for client, path in (
        (await city.as_(Role.VOLUNTEER), "/metrics/map"),
        (city.anonymous, f"/public/{city.id}/metrics/map"),
    ):
        refused = await client.get(path, params=query)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)

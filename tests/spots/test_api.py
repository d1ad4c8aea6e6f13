from datetime import UTC, datetime, timedelta

from app.domain.permissions import Role
from app.models.spots import Sighting, Spot
from tests.city import IN_EAST, IN_WEST, TestCity


def sighting(**changes):
    return {"point": IN_WEST, "kind": "stencil", "seen_at": datetime.now(UTC).isoformat(), **changes}


async def test_a_sighting_makes_a_spot_in_its_district(city: TestCity):
    _, volunteer = await city.volunteer()
    reported = await volunteer.post("/sightings", json=sighting(point=IN_EAST, surface="brick", note="by the door"))
    assert reported.status_code == 201
    spot = (await volunteer.get(f"/spots/{reported.json()['spot_id']}")).json()
    assert (spot["status"], spot["district_id"], spot["surface"]) == ("reported", "east", "brick")


async def test_the_point_zero_zero_is_refused(city: TestCity):
    _, volunteer = await city.volunteer()
    refused = await volunteer.post("/sightings", json=sighting(point={"latitude": 0, "longitude": 0}))
    assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [("point_null_island", "/body/point")]
    assert await city.count(Spot) == await city.count(Sighting) == 0


async def test_nothing_is_seen_in_the_future(city: TestCity):
    _, volunteer = await city.volunteer()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    refused = await volunteer.post("/sightings", json=sighting(seen_at=tomorrow))
    assert [fault["code"] for fault in refused.json()["errors"]] == ["in_future"]


async def test_a_coordinator_confirms_or_dismisses_once(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    for step, status in (("confirm", "confirmed"), ("dismiss", "dismissed")):
        spot_id = (await coordinator.post("/sightings", json=sighting())).json()["spot_id"]
        assert (await coordinator.post(f"/spots/{spot_id}/{step}")).json()["status"] == status
        assert (await coordinator.post(f"/spots/{spot_id}/{step}")).json()["code"] == "wrong_status"


async def test_spots_are_found_by_status_and_district(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    east, *_ = [
        (await coordinator.post("/sightings", json=sighting(point=point))).json()["spot_id"]
        for point in (IN_EAST, IN_WEST)
    ]
    found = await coordinator.get("/spots", params={"district": "east", "status": "reported"})
    assert [spot["id"] for spot in found.json()["items"]] == [east]
    assert (await coordinator.get("/spots", params={"status": "painted"})).json()["items"] == []

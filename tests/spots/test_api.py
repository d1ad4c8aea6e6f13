from datetime import UTC, datetime, timedelta

import pytest

from app.domain.permissions import Role
from app.models.spots import Sighting, Spot
from tests.city import IN_EAST, TestCity
from tests.spots.walls import report, sighting, spot, spot_of


async def test_a_sighting_makes_a_spot_in_its_district(city: TestCity):
    _, volunteer = await city.volunteer()
    reported = await volunteer.post("/sightings", json=sighting(point=IN_EAST, surface="brick", note="by the door"))
    assert reported.status_code == 201
    spot = (await volunteer.get(f"/spots/{reported.json()['spot_id']}")).json()
    assert (spot["status"], spot["district_id"], spot["surface"]) == ("reported", "east", "brick")
    assert (spot["sightings"], spot["cycle"], len(spot["cycles"])) == (1, 1, 1)


async def test_what_the_wall_advertises_is_kept_as_text_for_coordinators_alone(city: TestCity):
    written = "t.me/ Пример_kz??"
    spot_id = await spot_of(city, advertised=written)
    coordinator, (_, volunteer) = await city.as_(Role.COORDINATOR), await city.volunteer()

    (seen,) = (await coordinator.get(f"/spots/{spot_id}/sightings")).json()["items"]
    assert seen["advertised"] == written
    assert written not in (await volunteer.get(f"/spots/{spot_id}")).text
    assert (await volunteer.get(f"/spots/{spot_id}/sightings")).status_code == 403


async def test_nothing_is_seen_in_future(city: TestCity):
    _, volunteer = await city.volunteer()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    refused = await volunteer.post("/sightings", json=sighting(seen_at=tomorrow))
    assert [fault["code"] for fault in refused.json()["errors"]] == ["in_future"]
    assert await city.count(Spot) == await city.count(Sighting) == 0


@pytest.mark.parametrize(
    ("step", "body", "status"), [("confirm", {}, "confirmed"), ("dismiss", {"reason": "A shop's sign"}, "dismissed")]
)
async def test_a_coordinator_decides_once_and_it_is_remembered(city: TestCity, step: str, body: dict, status: str):
    coordinator = await city.as_(Role.COORDINATOR)
    path = f"/spots/{await spot_of(city)}"
    decided = (await coordinator.post(f"{path}/{step}", json=body or None)).json()
    assert (decided["status"], decided["dismiss_reason"]) == (status, body.get("reason"))
    again = await coordinator.post(f"{path}/{step}", json=body or None)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")
    (event,) = (await coordinator.get(f"{path}/history")).json()["items"]
    assert (event["action"], event["reason"]) == (step, body.get("reason"))


async def test_a_dismissal_has_a_reason(city: TestCity):
    spot_id = await spot_of(city)
    refused = await (await city.as_(Role.COORDINATOR)).post(f"/spots/{spot_id}/dismiss", json={})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/body/reason"]
    assert (await spot(city, spot_id))["status"] == "reported"


async def test_the_etag_changes_with_each_sighting(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    spot_id = await spot_of(city)
    before = await coordinator.get(f"/spots/{spot_id}")
    await report(city)
    known = {"If-None-Match": before.headers["etag"]}
    assert (await coordinator.get(f"/spots/{spot_id}", headers=known)).status_code == 200

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.permissions import Role
from app.domain.spots import SpotStatus
from app.models.ledger import LedgerEntry
from app.models.spots import Removal, Spot
from tests.city import IN_EAST, IN_WEST, TestCity, removal


async def sighted(city: TestCity) -> str:
    sighting = {"point": IN_WEST, "kind": "tag", "seen_at": datetime.now(UTC).isoformat()}
    return (await (await city.as_(Role.COORDINATOR)).post("/sightings", json=sighting)).json()["spot_id"]


async def test_a_removal_paints_the_spot_that_it_names(city: TestCity):
    spot_id = await sighted(city)
    raid = await city.raid_under_way()
    named = removal(spot_id=spot_id)
    del named["point"], named["kind"]
    recorded = await (await city.as_(Role.COORDINATOR)).post(f"/raids/{raid['id']}/removals", json=named)
    assert recorded.json()["spot_id"] == spot_id
    assert (await city.one(Spot, spot_id)).status is SpotStatus.PAINTED


async def test_a_wall_found_on_the_way_becomes_a_spot(city: TestCity):
    raid = await city.raid_under_way()
    recorded = await (await city.as_(Role.COORDINATOR)).post(
        f"/raids/{raid['id']}/removals", json=removal(point=IN_EAST)
    )
    spot = await city.one(Spot, recorded.json()["spot_id"])
    assert (spot.status, spot.district_id) == (SpotStatus.PAINTED, "east")


async def test_a_removal_names_a_spot_or_a_point_with_its_kind(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    both = removal(spot_id=await sighted(city))
    neither = {"inscriptions": 1, "removed_at": datetime.now(UTC).isoformat()}
    for wrong in (both, neither):
        refused = await coordinator.post(f"/raids/{raid['id']}/removals", json=wrong)
        assert [fault["code"] for fault in refused.json()["errors"]] == ["spot_or_point"]
    assert await city.count(Removal) == 0


async def test_removals_are_recorded_only_while_the_raid_is_under_way(city: TestCity):
    raid = await city.open_raid()
    refused = await (await city.as_(Role.COORDINATOR)).post(f"/raids/{raid['id']}/removals", json=removal())
    assert refused.json()["code"] == "wrong_status"
    assert await city.count(Spot) == 0


async def test_a_removal_lies_within_its_raid(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    now = datetime.now(UTC)
    for moment in (now + timedelta(minutes=1), now - timedelta(hours=2)):
        refused = await coordinator.post(f"/raids/{raid['id']}/removals", json=removal(removed_at=moment.isoformat()))
        assert [fault["code"] for fault in refused.json()["errors"]] == ["outside_raid"]


async def test_one_spot_is_painted_once_in_a_raid_however_many_record_it_at_once(city: TestCity):
    spot_id = await sighted(city)
    raid = await city.raid_under_way()
    named = removal(spot_id=spot_id)
    del named["point"], named["kind"]
    coordinator = await city.as_(Role.COORDINATOR)
    answers = await asyncio.gather(*(coordinator.post(f"/raids/{raid['id']}/removals", json=named) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await city.count(Removal) == 1


async def test_finishing_counts_each_removal_on_its_day_and_in_its_district(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    for point, inscriptions in ((IN_WEST, 3), (IN_WEST, 4), (IN_EAST, 5)):
        await coordinator.post(f"/raids/{raid['id']}/removals", json=removal(point=point, inscriptions=inscriptions))
    await coordinator.post(f"/raids/{raid['id']}/finish")

    painted = (await city.totals(by_district=True, days=1))["graffiti_painted"]
    assert painted["total"] == painted["today"]["total"] == painted["last_7_days"]["total"] == 12
    assert {part["district_id"]: part["total"] for part in painted["districts"]} == {"west": 7, "east": 5}
    today = datetime.now(ZoneInfo("Asia/Almaty")).date().isoformat()
    assert [(part["day"], part["recorded"]) for part in painted["days"]] == [(today, 12)]


async def test_a_raid_finishes_once_however_many_finish_it_at_once(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/raids/{raid['id']}/removals", json=removal())
    answers = await asyncio.gather(*(coordinator.post(f"/raids/{raid['id']}/finish") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert await city.count(LedgerEntry) == 2


async def test_a_raid_without_removals_cannot_be_finished(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    assert (await coordinator.post(f"/raids/{raid['id']}/finish")).json()["code"] == "raid_empty"
    assert (await coordinator.get(f"/raids/{raid['id']}")).json()["status"] == "under_way"


async def test_removals_are_listed_by_raid(city: TestCity):
    raid, other = await city.raid_under_way(), await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    recorded = await coordinator.post(f"/raids/{raid['id']}/removals", json=removal())
    listed = await coordinator.get(f"/raids/{raid['id']}/removals")
    assert [item["id"] for item in listed.json()["items"]] == [recorded.json()["id"]]
    assert (await coordinator.get(f"/raids/{other['id']}/removals")).json()["items"] == []

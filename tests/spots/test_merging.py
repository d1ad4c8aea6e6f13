"""Where the distance was wrong a coordinator is right."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from app.domain.permissions import Role
from app.domain.spots import SpotAction
from app.models.ledger import LedgerEntry
from app.models.spots import Removal, Sighting
from tests.city import IN_WEST, TestCity, removal
from tests.raids.test_stops import at, confirmed, planned, under_way
from tests.spots.walls import ago, north_of, report, spot, spot_of, step

NEARBY = north_of(IN_WEST, 20)


async def merge(city: TestCity, spot_id: str, other: str, **body: Any) -> httpx.Response:
    coordinator = await city.as_(Role.COORDINATOR)
    return await coordinator.post(f"/spots/{spot_id}/merge", json={"spot_id": other, **body})


async def painted(city: TestCity, spot_id: str) -> None:
    raid = await city.raid_under_way()
    coordinator = await city.client_of(await city.account(Role.COORDINATOR))
    done = {"spot_id": spot_id, "inscriptions": 3, "removed_at": datetime.now(UTC).isoformat()}
    recorded = await coordinator.post(f"/raids/{raid['id']}/removals", json=done)
    assert recorded.status_code == 201, recorded.text
    assert (await coordinator.post(f"/raids/{raid['id']}/finish")).status_code == 200


async def history(city: TestCity, spot_id: str) -> list[tuple[Any, ...]]:
    events = (await (await city.as_(Role.COORDINATOR)).get(f"/spots/{spot_id}/history")).json()["items"]
    return [(event["action"], event["other_spot_id"], event["sightings"], event["reason"]) for event in events]


async def test_sightings_and_removals_move_and_the_ledger_stays(city: TestCity):
    kept, other = await spot_of(city), await spot_of(city, point=NEARBY, surface="brick")
    await report(city, point=NEARBY)
    await painted(city, other)
    before = [entry.model_dump() for entry in await city.rows(LedgerEntry)]

    merged = await merge(city, kept, other, reason="One long wall")
    assert (merged.status_code, merged.json()["sightings"], merged.json()["surface"]) == (200, 3, "brick")
    assert {str(row.spot_id) for model in (Sighting, Removal) for row in await city.rows(model)} == {kept}
    assert [entry.model_dump() for entry in await city.rows(LedgerEntry)] == before
    gone = await spot(city, other)
    assert (gone["status"], gone["merged_into_id"], gone["sightings"]) == ("merged", kept, 0)
    assert await history(city, kept) == await history(city, other) == [("merge", other, 2, "One long wall")]


async def test_what_was_merged_is_not_joined_or_listed_and_points_to_the_last_one(city: TestCity):
    first, second, third = [await spot_of(city, point=north_of(IN_WEST, metres)) for metres in (0, 20, 40)]
    await merge(city, second, first)
    await merge(city, third, second)
    assert (await spot(city, first))["merged_into_id"] == third
    coordinator = await city.as_(Role.COORDINATOR)
    assert [item["id"] for item in (await coordinator.get("/spots")).json()["items"]] == [third]
    assert len((await coordinator.get("/spots", params={"status": "merged"})).json()["items"]) == 2
    assert await spot_of(city) not in {first, second}


async def test_a_clean_wall_that_takes_in_a_later_sighting_is_open_again(city: TestCity):
    clean = await spot_of(city, seen_at=ago(days=9))
    await step(city, clean, SpotAction.PAINT, days=5)
    other = await spot_of(city, point=NEARBY, seen_at=ago(days=1))
    merged = (await merge(city, clean, other)).json()
    assert (merged["status"], merged["cycle"]) == ("confirmed", 2)


async def test_two_pasts_become_one(city: TestCity):
    here = await spot_of(city, seen_at=ago(days=9))
    await step(city, here, SpotAction.PAINT, days=7)
    other = await spot_of(city, point=NEARBY, seen_at=ago(days=5))
    await report(city, point=NEARBY, seen_at=ago(days=4))
    await step(city, other, SpotAction.PAINT, days=3)
    await step(city, other, SpotAction.VERIFY)

    merged = (await merge(city, here, other)).json()

    assert (merged["status"], merged["cycle"], merged["sightings"]) == ("painted", 2, 3)
    days = [(days_since(cycle["opened_at"]), days_since(cycle["painted_at"])) for cycle in merged["cycles"]]
    assert days == [(9, 7), (5, 3)]
    assert len((await spot(city, other))["cycles"]) == 1
    coordinator = await city.as_(Role.COORDINATOR)
    groups = (await coordinator.get("/spots/reappearance")).json()["groups"]
    assert [(group["painted"], group["reappeared"], group["median_days"]) for group in groups] == [(2, 1, 2)]


def days_since(moment: str) -> int:
    return round((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() / 86_400)


async def stops_of(city: TestCity, raid_id: str) -> list[str]:
    stops = (await (await city.as_(Role.COORDINATOR)).get(f"/raids/{raid_id}/stops")).json()["items"]
    return [stop["spot_id"] for stop in stops]


async def test_a_raid_to_come_goes_to_the_spot_that_took_the_other_in(city: TestCity):
    here = await spot_of(city, point=north_of(IN_WEST, -20))
    there = await confirmed(city)
    raid_id = await planned(city, there)

    merged = (await merge(city, here, there)).json()

    assert (merged["status"], await stops_of(city, raid_id)) == ("scheduled", [here])
    await (await city.as_(Role.COORDINATOR)).post(f"/raids/{raid_id}/cancel", json={"reason": "Rain"})
    assert (await spot(city, here))["status"] == "confirmed"


async def test_of_two_raids_to_one_wall_that_of_the_other_spot_is_spared_the_way(city: TestCity):
    here, there = await confirmed(city), await confirmed(city, 76.6)
    raid_here, raid_there = await planned(city, here), await planned(city, there)
    merged = (await merge(city, here, there)).json()
    assert (merged["status"], await stops_of(city, raid_here), await stops_of(city, raid_there)) == (
        "scheduled",
        [here],
        [],
    )


async def test_nobody_goes_to_a_wall_that_turns_out_to_be_clean(city: TestCity):
    there = await confirmed(city)
    here = await spot_of(city, point=NEARBY, seen_at=ago(days=1))
    await step(city, here, SpotAction.PAINT)
    raid_id = await planned(city, there)
    merged = (await merge(city, here, there)).json()
    assert (merged["status"], await stops_of(city, raid_id)) == ("painted", [])


async def test_while_a_crew_is_on_its_way_nothing_is_merged(city: TestCity):
    here, there = await spot_of(city, point=NEARBY), await confirmed(city)
    raid_id = await under_way(city, there)
    assert (await merge(city, here, there)).json()["code"] == "crew_on_its_way"
    assert (await merge(city, there, here)).json()["code"] == "crew_on_its_way"
    assert await stops_of(city, raid_id) == [there]


async def test_what_raids_did_at_a_merged_spot_can_still_be_read_and_checked(city: TestCity):
    here, there = await spot_of(city, point=NEARBY, seen_at=ago(days=1)), await confirmed(city)
    raid_id = await under_way(city, there)
    lead = await city.client_of(await city.account(Role.COORDINATOR))
    removal_id = (await lead.post(f"/raids/{raid_id}/removals", json=at(there))).json()["id"]
    await lead.post(f"/raids/{raid_id}/finish")

    await merge(city, here, there)

    coordinator = await city.as_(Role.COORDINATOR)
    (stop,) = (await coordinator.get(f"/raids/{raid_id}/stops")).json()["items"]
    assert (stop["spot_id"], stop["outcome"], stop["kind"]) == (there, "painted", "tag")
    assert [row["id"] for row in (await coordinator.get(f"/spots/{here}/removals")).json()["items"]] == [removal_id]
    assert (await coordinator.post(f"/checks/{removal_id}/verify")).status_code == 200
    assert (await spot(city, here))["status"] == "verified"
    assert (await city.totals())["graffiti_painted"]["total"] == 7


async def test_what_cannot_be_merged(city: TestCity):
    here, other = await spot_of(city), await spot_of(city, point=NEARBY)
    coordinator = await city.as_(Role.COORDINATOR)
    assert (await merge(city, here, here)).json()["errors"][0]["code"] == "same_spot"
    assert (await merge(city, here, str(uuid4()))).status_code == 404
    await step(city, other, SpotAction.CONFIRM)
    await step(city, other, SpotAction.SCHEDULE)
    assert (await merge(city, here, other)).json()["code"] == "wrong_status"
    await coordinator.post(f"/spots/{here}/dismiss", json={"reason": "Nothing"})
    await step(city, other, SpotAction.RELEASE)
    assert (await merge(city, here, other)).json()["code"] == "wrong_status"
    assert (await spot(city, other))["status"] == "confirmed"


async def test_two_spots_that_one_raid_painted_stay_two(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    ids = [
        (await coordinator.post(f"/raids/{raid['id']}/removals", json=removal(point=point))).json()["spot_id"]
        for point in (IN_WEST, NEARBY)
    ]
    refused = await merge(city, *ids)
    assert (refused.status_code, refused.json()["code"]) == (409, "painted_together")


async def test_the_other_way_round_at_once_nobody_waits_for_ever(city: TestCity):
    one, other = await spot_of(city), await spot_of(city, point=NEARBY)
    answers = await asyncio.gather(merge(city, one, other), merge(city, other, one))
    assert sorted(answer.status_code for answer in answers) == [200, 409]

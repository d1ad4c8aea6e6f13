"""Where the distance was wrong a coordinator is right."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.domain.permissions import Role
from app.domain.spots import SpotAction
from app.models.ledger import LedgerEntry
from app.models.spots import Removal, Sighting, Spot
from tests.city import IN_EAST, IN_WEST, TestCity, removal
from tests.spots.walls import ago, north_of, report, spot, spot_of, step

NEARBY = north_of(IN_WEST, 20)


async def merge(city: TestCity, spot_id: str, other: str, **body: Any) -> httpx.Response:
    coordinator = await city.as_(Role.COORDINATOR)
    return await coordinator.post(f"/spots/{spot_id}/merge", json={"spot_id": other, **body})


async def split(city: TestCity, spot_id: str, *sighting_ids: str, **body: Any) -> httpx.Response:
    coordinator = await city.as_(Role.COORDINATOR)
    return await coordinator.post(f"/spots/{spot_id}/split", json={"sighting_ids": sighting_ids, **body})


async def painted(city: TestCity, spot_id: str) -> None:
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
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
    assert await history(city, kept) == [("merge", other, 2, "One long wall")]


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


async def test_sightings_of_another_wall_become_a_spot_of_their_own(city: TestCity):
    seen = [await report(city, point=IN_EAST, seen_at=ago(hours=hours)) for hours in (3, 2, 1)]
    spot_id = seen[0]["spot_id"]
    made = await split(city, spot_id, seen[1]["id"], seen[2]["id"], reason="Round the corner")

    assert made.status_code == 201
    other = made.json()
    assert (other["status"], other["sightings"], other["district_id"], len(other["cycles"])) == (
        "reported",
        2,
        "east",
        1,
    )
    there = await spot(city, spot_id)
    assert (there["sightings"], there["last_seen_at"][:19]) == (1, seen[0]["seen_at"][:19])
    moved = {str(row.id) for row in await city.rows(Sighting) if str(row.spot_id) == other["id"]}
    assert moved == {seen[1]["id"], seen[2]["id"]}
    assert await history(city, spot_id) == [("split", other["id"], 2, "Round the corner")]


@pytest.mark.parametrize("which", ["all", "elsewhere"])
async def test_what_cannot_be_split(city: TestCity, which: str):
    here, elsewhere = await report(city), await report(city, point=IN_EAST)
    refused = await split(city, here["spot_id"], (here if which == "all" else elsewhere)["id"])
    expected = ("nothing_left", "/body/sighting_ids") if which == "all" else ("not_of_spot", "/body/sighting_ids/0")
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [expected]
    assert await city.count(Spot) == 2


async def test_the_other_way_round_at_once_nobody_waits_for_ever(city: TestCity):
    one, other = await spot_of(city), await spot_of(city, point=NEARBY)
    answers = await asyncio.gather(merge(city, one, other), merge(city, other, one))
    assert sorted(answer.status_code for answer in answers) == [200, 409]

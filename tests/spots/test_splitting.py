"""One spot that turns out to be two walls."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.domain.permissions import Role
from app.domain.spots import Cycle, SpotAction, SpotStatus, cycles_of, standing
from app.models.ledger import LedgerEntry
from app.models.spots import Removal, Sighting, Spot
from tests.city import IN_EAST, TestCity
from tests.spots.test_merging import history, merge, painted
from tests.spots.walls import ago, report, spot, step


async def split(city: TestCity, spot_id: str, *sighting_ids: str, **body: Any) -> httpx.Response:
    coordinator = await city.as_(Role.COORDINATOR)
    return await coordinator.post(f"/spots/{spot_id}/split", json={"sighting_ids": sighting_ids, **body})


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


async def test_removals_of_the_other_wall_go_with_it_and_the_ledger_stays(city: TestCity):
    first, second = await report(city, seen_at=ago(days=3)), await report(city, seen_at=ago(days=2))
    spot_id = first["spot_id"]
    await painted(city, spot_id)
    (removal,) = await city.rows(Removal)
    before = [entry.model_dump() for entry in await city.rows(LedgerEntry)]

    other = (await split(city, spot_id, second["id"], removal_ids=[str(removal.id)])).json()

    there = await spot(city, spot_id)
    assert (other["status"], [cycle["painted_at"] is not None for cycle in other["cycles"]]) == ("painted", [True])
    assert (there["status"], [cycle["painted_at"] for cycle in there["cycles"]]) == ("confirmed", [None])
    assert str((await city.one(Removal, removal.id)).spot_id) == other["id"]
    assert [entry.model_dump() for entry in await city.rows(LedgerEntry)] == before
    coordinator = await city.as_(Role.COORDINATOR)
    (event,) = (await coordinator.get(f"/spots/{other['id']}/history")).json()["items"]
    assert (event["spot_id"], event["sightings"], event["removals"]) == (spot_id, 1, 1)


async def test_what_was_merged_by_mistake_is_taken_apart_again(city: TestCity):
    mine, theirs = await report(city, seen_at=ago(days=3)), await report(city, point=IN_EAST, seen_at=ago(days=2))
    await painted(city, theirs["spot_id"])
    (removal,) = await city.rows(Removal)
    await merge(city, mine["spot_id"], theirs["spot_id"])

    other = (await split(city, mine["spot_id"], theirs["id"], removal_ids=[str(removal.id)])).json()

    there = await spot(city, mine["spot_id"])
    assert (there["status"], there["sightings"], there["cycle"]) == ("confirmed", 1, 1)
    assert (other["status"], other["sightings"], other["district_id"]) == ("painted", 1, "east")
    assert [event[0] for event in await history(city, mine["spot_id"])] == ["split", "merge"]


async def test_a_spot_on_a_raid_stays_on_it(city: TestCity):
    first, second = await report(city), await report(city)
    for action in (SpotAction.CONFIRM, SpotAction.SCHEDULE):
        await step(city, first["spot_id"], action)
    assert (await split(city, first["spot_id"], second["id"])).json()["status"] == "reported"
    assert (await spot(city, first["spot_id"]))["status"] == "scheduled"


async def test_a_removal_of_another_spot_does_not_leave_with_it(city: TestCity):
    first, second = await report(city), await report(city)
    refused = await split(city, first["spot_id"], second["id"], removal_ids=[str(uuid4())])
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [
        ("not_of_spot", "/body/removal_ids/0")
    ]
    assert await city.count(Spot) == 1


def day(number: int) -> datetime:
    return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=number)


@pytest.mark.parametrize(
    ("seen", "painted", "cycles"),
    [
        ([1, 2], [], [(1, None)]),
        ([2, 1], [3], [(1, 3)]),
        ([1, 4, 5], [3], [(1, 3), (4, None)]),
        ([1, 4], [3, 6], [(1, 3), (4, 6)]),
        ([1], [3, 6], [(1, 6)]),
        ([], [3], [(3, 3)]),
        ([3, 1], [3], [(1, 3)]),
    ],
)
def test_a_past_is_told_in_the_order_in_which_it_happened(seen: list[int], painted: list[int], cycles: list[Any]):
    told = cycles_of(map(day, seen), map(day, painted))
    assert told == [Cycle(day(opened), end and day(end)) for opened, end in cycles]


@pytest.mark.parametrize(
    ("is_clean", "before", "after"),
    [
        (False, ["reported", "reported"], "reported"),
        (False, ["reported", "disputed"], "confirmed"),
        (True, ["verified", "reported"], "verified"),
        (True, ["verified", "painted"], "painted"),
        (True, [], "painted"),
    ],
)
def test_a_wall_stands_as_the_more_certain_of_its_halves(before: list[str], after: str, *, is_clean: bool):
    past = [Cycle(day(1), day(2) if is_clean else None)]
    assert standing(past, *map(SpotStatus, before)) == after

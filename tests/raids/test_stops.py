import asyncio
from datetime import UTC, datetime

from app.domain.permissions import Role
from app.domain.spots import SpotStatus
from app.models.ledger import LedgerEntry
from app.models.raids import RaidStop
from app.models.spots import Removal, Spot
from tests.city import TestCity, raid_plan
from tests.city import removal as removal_at


async def confirmed(city: TestCity, longitude: float = 76.5) -> str:
    coordinator = await city.as_(Role.COORDINATOR)
    seen = {
        "point": {"latitude": 43.5, "longitude": longitude},
        "kind": "tag",
        "seen_at": datetime.now(UTC).isoformat(),
    }
    spot_id = (await coordinator.post("/sightings", json=seen)).json()["spot_id"]
    assert (await coordinator.post(f"/spots/{spot_id}/confirm")).status_code == 200
    return spot_id


async def planned(city: TestCity, *spot_ids: str, **changes) -> str:
    coordinator = await city.as_(Role.COORDINATOR)
    raid_id = (await coordinator.post("/raids", json=raid_plan(**changes))).json()["id"]
    assert (await coordinator.put(f"/raids/{raid_id}/stops", json={"spot_ids": spot_ids})).status_code == 200
    return raid_id


async def under_way(city: TestCity, *spot_ids: str) -> str:
    raid_id = await planned(city, *spot_ids)
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/raids/{raid_id}/publish")
    assert (await coordinator.post(f"/raids/{raid_id}/start")).status_code == 200
    return raid_id


def at(spot_id: str, **changes) -> dict:
    named = removal_at(spot_id=spot_id, **changes)
    del named["point"], named["kind"]
    return named


async def statuses(city: TestCity, *spot_ids: str) -> list[SpotStatus]:
    return [(await city.one(Spot, spot_id)).status for spot_id in spot_ids]


async def test_stops_stand_in_order_and_hold_their_spots(city: TestCity):
    one, two, three = [await confirmed(city, 76.5 + n / 100) for n in range(3)]
    raid_id = await planned(city, two, one)
    coordinator = await city.as_(Role.COORDINATOR)

    taken = await coordinator.put(f"/raids/{await planned(city)}/stops", json={"spot_ids": [one]})
    changed = await coordinator.put(f"/raids/{raid_id}/stops", json={"spot_ids": [three, two]})

    assert taken.json()["code"] == "wrong_status"
    assert [(stop["position"], stop["spot_id"]) for stop in changed.json()["items"]] == [(1, three), (2, two)]
    assert await statuses(city, one, two, three) == ["confirmed", "scheduled", "scheduled"]
    assert (await coordinator.get(f"/raids/{raid_id}/stops")).json() == changed.json()


async def test_a_spot_is_named_once(city: TestCity):
    spot_id = await confirmed(city)
    raid_id = await planned(city)
    twice = await (await city.as_(Role.COORDINATOR)).put(f"/raids/{raid_id}/stops", json={"spot_ids": [spot_id] * 2})
    assert [fault["code"] for fault in twice.json()["errors"]] == ["twice"]
    assert await city.count(RaidStop) == 0


async def test_two_raids_never_hold_one_spot(city: TestCity):
    spots = [await confirmed(city, 76.5 + n / 100) for n in range(3)]
    raids = [await planned(city) for _ in range(4)]
    coordinator = await city.as_(Role.COORDINATOR)
    orders = [spots, spots[::-1], spots, spots[::-1]]
    answers = await asyncio.gather(
        *(
            coordinator.put(f"/raids/{raid_id}/stops", json={"spot_ids": order})
            for raid_id, order in zip(raids, orders, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await city.count(RaidStop) == 3


async def test_cancelling_releases_the_stops_and_keeps_the_reason(city: TestCity):
    spot_id = await confirmed(city)
    raid_id = await planned(city, spot_id)
    cancelled = await (await city.as_(Role.COORDINATOR)).post(f"/raids/{raid_id}/cancel", json={"reason": "Rain"})
    assert (cancelled.json()["status"], cancelled.json()["cancel_reason"]) == ("cancelled", "Rain")
    assert await statuses(city, spot_id) == ["confirmed"]


async def test_a_raid_finishes_when_each_stop_is_answered(city: TestCity):
    painted, gone = await confirmed(city), await confirmed(city, 76.6)
    raid_id = await under_way(city, painted, gone)
    coordinator = await city.as_(Role.COORDINATOR)
    recorded = await coordinator.post(f"/raids/{raid_id}/removals", json=at(painted, minutes=25))
    early = await coordinator.post(f"/raids/{raid_id}/finish")
    answer = {"outcome": "not_found", "note": "Fenced off"}
    answered = await coordinator.post(f"/raids/{raid_id}/stops/{gone}/answer", json=answer)
    again = await coordinator.post(f"/raids/{raid_id}/stops/{gone}/answer", json=answer)
    finished = await coordinator.post(f"/raids/{raid_id}/finish")

    assert recorded.json()["minutes"] == 25
    assert (early.json()["code"], again.json()["code"]) == ("stops_unanswered", "stop_answered")
    assert [stop["outcome"] for stop in answered.json()["items"]] == ["painted", "not_found"]
    assert finished.json()["status"] == "done"
    assert await statuses(city, painted, gone) == ["painted", "confirmed"]


async def test_a_raid_that_reached_nothing_was_held_and_painted_nothing(city: TestCity):
    spot_id = await confirmed(city)
    raid_id = await under_way(city, spot_id)
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/raids/{raid_id}/stops/{spot_id}/answer", json={"outcome": "refused_by_owner"})
    assert (await coordinator.post(f"/raids/{raid_id}/finish")).status_code == 200
    counted = {entry.metric for entry in await city.rows(LedgerEntry)}
    assert counted == {"sightings", "spots_reported", "raids_held"}


async def test_a_crew_does_not_paint_what_is_on_another_crews_list(city: TestCity):
    spot_id = await confirmed(city)
    await planned(city, spot_id)
    other = await under_way(city)
    refused = await (await city.as_(Role.COORDINATOR)).post(f"/raids/{other}/removals", json=at(spot_id))
    assert refused.json()["code"] == "on_another_raid"
    assert await statuses(city, spot_id) == ["scheduled"]


async def test_two_removals_of_one_stop_are_one(city: TestCity):
    for attempt in range(20):
        spot_id = await confirmed(city, 76.01 + attempt / 50)
        raid_id = await under_way(city, spot_id)
        coordinator = await city.as_(Role.COORDINATOR)
        answers = await asyncio.gather(
            *(coordinator.post(f"/raids/{raid_id}/removals", json=at(spot_id)) for _ in range(2))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert await city.count(Removal) == attempt + 1

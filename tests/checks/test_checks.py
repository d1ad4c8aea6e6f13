"""Removals looked at again: by whom, how many, and what it does to the count."""

import asyncio
from uuid import UUID

import pytest

from app.domain.checks import drawn, percent_drawn
from app.domain.permissions import Role
from app.models.ledger import LedgerEntry
from app.models.spots import Removal, Spot
from tests.city import Client, TestCity, removal
from tests.spots.walls import ago


async def finished(city: TestCity, removals: int = 1, **changes) -> list[str]:
    """The removals of a raid that is done, recorded by its own coordinator."""
    recorder = await city.client_of(await city.account(Role.COORDINATOR))
    raid = await city.raid_under_way(**changes)
    recorded = []
    for n in range(removals):
        point = {"latitude": 43.1 + n / 100, "longitude": 76.5}
        answer = await recorder.post(f"/raids/{raid['id']}/removals", json=removal(point=point))
        recorded.append(answer.json()["id"])
    assert (await recorder.post(f"/raids/{raid['id']}/finish")).status_code == 200
    return recorded


async def checker(city: TestCity) -> Client:
    return await city.as_(Role.COORDINATOR)


async def test_a_verified_removal_stays_counted(city: TestCity):
    (removal_id,) = await finished(city)
    verified = await (await checker(city)).post(f"/checks/{removal_id}/verify")
    row = await city.one(Removal, removal_id)
    assert verified.json()["verdict"] == "verified"
    assert (await city.one(Spot, row.spot_id)).status == "verified"
    totals = await city.totals()
    assert [totals[metric]["total"] for metric in ("graffiti_painted", "graffiti_verified")] == [7, 7]


async def test_a_disputed_removal_is_taken_back_by_an_entry_against_it_and_the_spot_returns(city: TestCity):
    (removal_id,) = await finished(city)
    disputed = await (await checker(city)).post(f"/checks/{removal_id}/dispute", json={"reason": "Still there"})

    assert (disputed.json()["verdict"], disputed.json()["verdict_reason"]) == ("disputed", "Still there")
    entries = [row for row in await city.rows(LedgerEntry) if row.subject_id == UUID(removal_id)]
    assert [(entry.metric, entry.amount) for entry in sorted(entries, key=lambda entry: entry.id)] == [
        ("graffiti_painted", 7),
        ("graffiti_painted", -7),
        ("removals_disputed", 1),
    ]
    assert len({(entry.occurred_on, entry.district_id) for entry in entries}) == 1
    totals = await city.totals()
    assert [totals[metric]["total"] for metric in ("graffiti_painted", "removals_disputed")] == [0, 1]
    row = await city.one(Removal, removal_id)
    assert (await city.one(Spot, row.spot_id)).status == "confirmed"


async def test_a_verdict_leaves_a_wall_as_it_is_that_has_been_written_on_again(city: TestCity):
    removal_id, other_id = await finished(city, removals=2)
    coordinator = await checker(city)
    for removed in (removal_id, other_id):
        row = await city.one(Spot, (await city.one(Removal, removed)).spot_id)
        seen = {"point": {"latitude": row.latitude, "longitude": row.longitude}, "kind": "tag", "seen_at": ago()}
        assert (await coordinator.post("/sightings", json=seen)).json()["spot_id"] == str(row.id)

    verified = await coordinator.post(f"/checks/{removal_id}/verify")
    disputed = await coordinator.post(f"/checks/{other_id}/dispute", json={"reason": "Only half"})

    assert (verified.status_code, disputed.status_code) == (200, 200)
    assert {(row.status, row.cycle) for row in await city.rows(Spot)} == {("confirmed", 2)}
    assert (await city.totals())["graffiti_painted"]["total"] == 7


async def test_nobody_checks_their_own_work(city: TestCity):
    lead, phone = await city.volunteer()
    raid = await city.raid_under_way(lead_id=str(lead.id))
    recorded = (await phone.post(f"/raids/{raid['id']}/removals", json=removal())).json()["id"]
    await phone.post(f"/raids/{raid['id']}/finish")
    account = await city.account(Role.COORDINATOR)
    async with city.database.transaction() as session:
        lead.account_id = account.id  # has risen since
        await session.merge(lead)

    refused = await (await city.client_of(account)).post(f"/checks/{recorded}/verify")

    assert (refused.status_code, refused.json()["code"]) == (403, "own_removal")
    assert (await city.one(Removal, recorded)).verdict is None


async def test_who_recorded_it_does_not_check_it(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    recorded = (await coordinator.post(f"/raids/{raid['id']}/removals", json=removal())).json()["id"]
    early = await (await city.as_(Role.ADMIN)).post(f"/checks/{recorded}/verify")
    await coordinator.post(f"/raids/{raid['id']}/finish")
    own = await coordinator.post(f"/checks/{recorded}/verify")
    assert (early.json()["code"], own.json()["code"]) == ("raid_not_done", "own_removal")


@pytest.mark.parametrize("attempt", range(20))
async def test_two_who_disagree_at_once_are_one_verdict(city: TestCity, attempt: int):
    (removal_id,) = await finished(city)
    one, other = await checker(city), await city.as_(Role.ADMIN)
    answers = await asyncio.gather(
        one.post(f"/checks/{removal_id}/verify"), other.post(f"/checks/{removal_id}/dispute", json={"reason": "No"})
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    verdict = (await city.one(Removal, removal_id)).verdict
    assert (await city.totals())["graffiti_painted"]["total"] == (7 if verdict == "verified" else 0)


async def test_half_of_a_new_leads_removals_wait_for_a_check(city: TestCity):
    recorded = await finished(city, removals=5)
    waiting = (await (await checker(city)).get("/checks")).json()["items"]
    assert len(waiting) == 3
    assert {check["id"] for check in waiting} < set(recorded)
    await (await checker(city)).post(f"/checks/{waiting[0]['id']}/verify")
    assert len((await (await checker(city)).get("/checks")).json()["items"]) == 2


async def test_the_error_rate_is_shown_with_its_sample(city: TestCity):
    lead, _ = await city.volunteer()
    first, second, *_ = await finished(city, removals=4, lead_id=str(lead.id))
    await (await checker(city)).post(f"/checks/{first}/verify")
    await (await checker(city)).post(f"/checks/{second}/dispute", json={"reason": "Still there"})
    ((rate),) = (await (await checker(city)).get("/checks/error-rates")).json()["items"]
    assert rate["lead_id"] == str(lead.id)
    assert [rate[name] for name in ("removals", "checked", "disputed", "rate")] == [4, 2, 1, 0.5]


def test_the_draw_is_the_same_each_time_and_cannot_be_foretold_without_the_key():
    raid_id, ids = UUID(int=1), [UUID(int=n) for n in range(100)]
    chosen = drawn(b"key", raid_id, ids, 10)
    assert chosen == drawn(b"key", raid_id, reversed(ids), 10)
    assert len(chosen) == 10
    assert set(chosen) != set(drawn(b"other", raid_id, ids, 10))
    assert len(drawn(b"key", raid_id, ids[:1], 1)) == 1
    assert drawn(b"key", raid_id, ids, 0) == []


def test_more_is_drawn_where_the_lead_is_new():
    assert [percent_drawn(10, before) for before in (0, 2, 3)] == [50, 50, 10]
    assert percent_drawn(80, 0) == 80

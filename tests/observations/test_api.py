import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
import time_machine

from app.core.clock import utc_now
from app.domain.permissions import Role
from app.domain.resources import ResourceStatus
from app.models.ledger import LedgerEntry
from app.models.observations import Observation
from app.models.resources import Finding, Resource
from tests.city import Client, TestCity
from tests.referrals.test_api import TODAY, answer, confirmed, drafted, sending, sent

HERE, THERE, ELSEWHERE = 64_500, 64_501, 64_502
BLOCKED_ON = TODAY - timedelta(days=3)


def seen(state: str, hours_ago: float, asn: int = HERE, **changes: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    return {
        "observed_at": at.isoformat(),
        "asn": asn,
        "state": state,
        "control_reachable": True,
        **({"note": "Broke the platform's rules"} if state == "removed" else {}),
        **changes,
    }


async def observed(city: TestCity, resource_id: str, *observations: dict[str, Any]) -> list[dict[str, Any]]:
    moderator = await city.as_(Role.MODERATOR)
    answers = [await moderator.post(f"/resources/{resource_id}/observations", json=each) for each in observations]
    assert {each.status_code for each in answers} == {201}
    return [each.json() for each in answers]


async def referred(city: TestCity) -> tuple[str, str]:
    """Four days ago. The ids of the referral and the resource."""
    referral_id, (resource_id,) = await sent(city, sent_on=f"{BLOCKED_ON - timedelta(days=1)}")
    return referral_id, resource_id


async def blocked(city: TestCity) -> tuple[str, str]:
    """As the authority says, three days ago."""
    referral_id, resource_id = await referred(city)
    address = f"/referrals/{referral_id}/items/{resource_id}/answer"
    said = await (await city.as_(Role.COORDINATOR)).post(address, json=answer(answered_on=f"{BLOCKED_ON}"))
    assert said.status_code == 200
    return referral_id, resource_id


async def standing(city: TestCity, resource_id: str) -> str:
    return (await (await city.as_(Role.MODERATOR)).get(f"/resources/{resource_id}")).json()["status"]


async def test_two_networks_over_two_days_verify_a_block(city: TestCity):
    _, resource_id = await blocked(city)
    first, second = await observed(city, resource_id, seen("blocked", 50), seen("blocked", 1, THERE))
    assert (first["led_to"], second["led_to"]) == (None, "block_verified")
    assert await standing(city, resource_id) == "block_verified"

    # From the number back to what it stands for.
    totals = await city.totals()
    assert (totals["resources_blocked"]["total"], totals["resources_block_verified"]["total"]) == (1, 1)
    moderator = await city.as_(Role.MODERATOR)
    (entry,) = (await moderator.get("/ledger", params={"metric": "resources_block_verified"})).json()["items"]
    assert (entry["subject_kind"], entry["subject_id"]) == ("observation", second["id"])
    assert (await moderator.get(f"/observations/{second['id']}")).json() == second
    listed = (await moderator.get(f"/resources/{resource_id}/observations")).json()["items"]
    assert listed == [second, first]
    history = (await moderator.get(f"/resources/{resource_id}/history")).json()["items"]
    assert [(step["status"], step["observation_id"]) for step in history] == [
        ("block_verified", second["id"]),
        ("block_reported", None),
        ("referred", None),
    ]
    assert history[0]["occurred_on"] == entry["occurred_on"]


@pytest.mark.parametrize(
    "observations",
    [
        [seen("blocked", 60), seen("blocked", 1)],
        [seen("blocked", 40), seen("blocked", 1, THERE)],
        [seen("blocked", 60, THERE, control_reachable=False), seen("blocked", 59), seen("blocked", 1)],
        [seen("blocked", 60), seen("up", 30, ELSEWHERE), seen("blocked", 1, THERE)],
        [seen("blocked", 200), seen("blocked", 1, THERE)],
        [seen("down", 60), seen("blocked", 1, THERE)],
        [seen("removed", 1, control_reachable=False), seen("up", 60), seen("up", 0.5, THERE, control_reachable=False)],
        [seen("blocked", 60), seen("up", 1, THERE)],
    ],
    ids=[
        *("one network", "too short", "no control", "up in between", "before it was reported", "down is not blocked"),
        *("nothing proved", "up where it was not blocked"),
    ],
)
async def test_less_leaves_the_block_reported(city: TestCity, observations: Sequence[dict[str, Any]]):
    _, resource_id = await blocked(city)
    assert {each["led_to"] for each in await observed(city, resource_id, *observations)} == {None}
    assert await standing(city, resource_id) == "block_reported"
    assert (await city.totals())["resources_block_verified"]["total"] == 0


async def test_all_who_measure_it_at_once_verify_it_once(city: TestCity):
    _, resource_id = await blocked(city)
    await observed(city, resource_id, seen("blocked", 60))
    answers = await asyncio.gather(
        *(observed(city, resource_id, seen("blocked", 1, 64_500 + number)) for number in range(1, 7))
    )
    assert sorted(str(each["led_to"]) for (each,) in answers) == [*["None"] * 5, "block_verified"]
    assert (await city.totals())["resources_block_verified"]["total"] == 1


async def test_what_is_up_where_it_was_blocked_has_come_back_and_is_referred_again(city: TestCity):
    _, resource_id = await blocked(city)
    elsewhere, there = seen("up", 0.2, ELSEWHERE), seen("up", 0.1, THERE)
    told = await observed(city, resource_id, seen("blocked", 50), seen("blocked", 1, THERE), elsewhere, there)
    assert [each["led_to"] for each in told] == [None, "block_verified", None, "reappeared"]

    coordinator = await city.as_(Role.COORDINATOR)
    again = await drafted(coordinator, [resource_id])
    assert (await coordinator.post(f"/referrals/{again}/send", json=sending("2"))).status_code == 200
    resource = (await coordinator.get(f"/resources/{resource_id}")).json()
    assert (resource["status"], resource["cycle"]) == ("referred", 2)
    said = await coordinator.post(f"/referrals/{again}/items/{resource_id}/answer", json=answer())
    assert said.status_code == 200
    totals = await city.totals()
    counted = {name: totals[f"resources_{name}"]["total"] for name in ("referred", "blocked", "reappeared")}
    assert counted == {"referred": 2, "blocked": 2, "reappeared": 1}


async def test_a_platform_that_removed_it_is_believed_with_its_notice(city: TestCity):
    _, resource_id = await referred(city)
    moderator = await city.as_(Role.MODERATOR)
    bare = await moderator.post(f"/resources/{resource_id}/observations", json=seen("removed", 1, note=None))
    assert [(fault["code"], fault["pointer"]) for fault in bare.json()["errors"]] == [("notice_needed", "/body/note")]
    assert await city.count(Observation) == 0
    told = await observed(city, resource_id, seen("removed", 2), seen("removed", 1, THERE), seen("up", 0.1, THERE))
    assert [each["led_to"] for each in told] == ["removed", None, "reappeared"]
    totals = await city.totals()
    assert (totals["resources_removed"]["total"], totals["resources_reappeared"]["total"]) == (1, 1)


async def test_what_nobody_reaches_for_two_days_is_offline_and_no_success_of_ours(city: TestCity):
    _, resource_id = await referred(city)
    before = {name: count["total"] for name, count in (await city.totals()).items()}
    told = await observed(city, resource_id, seen("down", 50), seen("down", 1, THERE))
    assert [each["led_to"] for each in told] == [None, "offline"]
    assert {name: count["total"] for name, count in (await city.totals()).items()} == before


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_observations_are_judged_as_they_were_made_in_whichever_order_they_arrive(
    city: TestCity, order: tuple[int, ...]
):
    _, resource_id = await blocked(city)
    observations = [seen("blocked", 60), seen("blocked", 5, THERE), seen("up", 2, THERE)]
    await observed(city, resource_id, *(observations[place] for place in order))
    assert await standing(city, resource_id) == "reappeared"
    # Where the first comes last it had come back already by what was known, and that is not undone.
    is_verified = order[-1] != 0
    totals = await city.totals()
    counted = [totals[f"resources_{name}"]["total"] for name in ("block_verified", "reappeared")]
    assert counted == [is_verified, 1]


async def test_what_was_measured_before_the_letter_was_entered_counts(city: TestCity):
    referral_id, resource_id = await referred(city)
    await observed(city, resource_id, seen("blocked", 60), seen("blocked", 5, THERE))
    address = f"/referrals/{referral_id}/items/{resource_id}/answer"
    coordinator = await city.as_(Role.COORDINATOR)
    assert (await coordinator.post(address, json=answer(answered_on=f"{BLOCKED_ON}"))).status_code == 200
    assert await standing(city, resource_id) == "block_verified"


async def test_of_opposites_at_the_same_moment_the_first_recorded_was_first(city: TestCity):
    _, resource_id = await blocked(city)
    blocked_there = seen("blocked", 1, THERE)
    same = {"observed_at": blocked_there["observed_at"]}
    up_there, removed = seen("up", 1, THERE) | same, seen("removed", 1) | same
    told = await observed(city, resource_id, seen("blocked", 30), blocked_there, up_there, removed)
    assert [each["led_to"] for each in told] == [None, None, "reappeared", None]


async def test_a_block_that_never_took_hold_is_over_after_two_days_and_can_be_referred_again(city: TestCity):
    _, resource_id = await blocked(city)
    told = await observed(city, resource_id, seen("up", 50), seen("up", 1), seen("up", 0.5, THERE))
    assert [each["led_to"] for each in told] == [None, None, "reappeared"]


async def test_a_block_of_before_says_nothing_of_the_next(city: TestCity):
    _, resource_id = await blocked(city)
    await observed(city, resource_id, seen("blocked", 50), seen("blocked", 3, THERE), seen("up", 2, THERE))
    coordinator = await city.as_(Role.COORDINATOR)
    again = await drafted(coordinator, [resource_id])
    await coordinator.post(f"/referrals/{again}/send", json=sending("2", sent_on=f"{TODAY}"))
    await coordinator.post(f"/referrals/{again}/items/{resource_id}/answer", json=answer())
    with time_machine.travel(utc_now() + timedelta(days=1), tick=True):
        observer = await city.client_of(await city.account(Role.MODERATOR))
        address = f"/resources/{resource_id}/observations"
        told = [(await observer.post(address, json=seen("up", 1, asn))).json() for asn in (HERE, THERE)]
    assert {each["led_to"] for each in told} == {None}
    assert (await city.totals())["resources_reappeared"]["total"] == 1


async def test_a_block_of_the_morning_says_nothing_of_the_one_that_is_reported_in_the_evening(city: TestCity):
    _, resource_id = await blocked(city)
    now = utc_now()
    await observed(city, resource_id, seen("blocked", 60), seen("blocked", 0.3, THERE), seen("up", 0.2))
    coordinator = await city.as_(Role.COORDINATOR)
    again = await drafted(coordinator, [resource_id])
    await coordinator.post(f"/referrals/{again}/send", json=sending("2", sent_on=f"{TODAY}"))
    said = await coordinator.post(f"/referrals/{again}/items/{resource_id}/answer", json=answer())
    assert said.status_code == 200
    await observed(city, resource_id, seen("up", 0.1, THERE))
    assert (await city.totals())["resources_reappeared"]["total"] == 1
    assert (await city.one(Resource, resource_id)).watched_since < now


async def test_nobody_observes_what_they_reported_themselves(city: TestCity):
    _, resource_id = await referred(city)
    moderator = await city.as_(Role.MODERATOR)
    account_id = (await moderator.get("/accounts/me")).json()["id"]
    await city.add(Finding(city_id=city.id, resource_id=resource_id, reported_by=account_id, address_typed="it"))
    refused = await moderator.post(f"/resources/{resource_id}/observations", json=seen("removed", 1))
    assert (refused.status_code, refused.json()["code"]) == (409, "own_finding")


@time_machine.travel("2026-05-04T20:00:00Z", tick=True)  # one o'clock of the fifth in Almaty
async def test_a_fact_is_of_the_day_on_which_it_was_seen_in_the_city(city: TestCity):
    (resource_id,) = await confirmed(city)
    observer = await city.client_of(await city.account(Role.MODERATOR))
    late, early = seen("up", 0.5), seen("removed", 1.5)
    for observation in (early, late):
        await observer.post(f"/resources/{resource_id}/observations", json=observation)
    days = {row.metric: f"{row.occurred_on}" for row in await city.rows(LedgerEntry)}
    assert days == {"resources_removed": "2026-05-04", "resources_reappeared": "2026-05-05"}


async def test_a_late_observation_may_be_the_one_that_was_missing(city: TestCity):
    _, resource_id = await blocked(city)
    told = await observed(city, resource_id, seen("blocked", 50), seen("blocked", 1), seen("blocked", 30, THERE))
    assert {each["led_to"] for each in told} == {None}
    moderator = await city.as_(Role.MODERATOR)
    settled = await moderator.get(f"/observations/{told[1]['id']}")
    assert (settled.json()["led_to"], settled.headers["ETag"]) == ("block_verified", '"2"')
    assert (await city.one(Resource, resource_id)).settled_at == datetime.fromisoformat(told[1]["observed_at"])


async def test_what_arrives_late_undoes_nothing(city: TestCity):
    _, resource_id = await blocked(city)
    await observed(
        city, resource_id, seen("blocked", 60), seen("blocked", 5, THERE), seen("up", 20), seen("removed", 6)
    )
    assert await standing(city, resource_id) == "block_verified"
    assert (await city.totals())["resources_removed"]["total"] == 0


async def test_only_what_a_moderator_has_confirmed_is_observed(city: TestCity):
    _, volunteer = await city.volunteer()
    found = (await volunteer.post("/findings", json={"address": "https://shop.example"})).json()
    moderator: Client = await city.as_(Role.MODERATOR)
    address = f"/resources/{found['resource_id']}/observations"
    refused = await moderator.post(address, json=seen("up", 0), headers={"Accept-Language": "ru"})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")
    assert "записать наблюдение" in refused.json()["detail"]


async def test_nobody_has_seen_the_future_and_a_network_has_a_number(city: TestCity):
    _, resource_id = await referred(city)
    moderator = await city.as_(Role.MODERATOR)
    wrong = {
        ("in_future", "/body/observed_at"): seen("up", -1),
        ("wrong_type", "/body/asn"): seen("up", 1, asn="Beeline"),
        ("too_big", "/body/asn"): seen("up", 1, 2**32),
        ("card_number_elsewhere", "/body/note"): seen("up", 1, note="They take 4111 1111 1111 1111"),
    }
    for expected, body in wrong.items():
        refused = await moderator.post(f"/resources/{resource_id}/observations", json=body)
        assert [(fault["code"], fault["pointer"]) for fault in refused.json()["errors"]] == [expected]
    assert {row.status for row in await city.rows(Resource)} == {ResourceStatus.REFERRED}

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import time_machine

from app.core.clock import utc_now
from app.domain.permissions import Role
from app.domain.resources import ResourceKind, ResourceStatus
from app.models.ledger import LedgerEntry
from app.models.referrals import Referral
from app.models.resources import Resource
from tests.city import Client, TestCity

TODAY = (datetime.now(UTC) + timedelta(hours=5)).date()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def sending(number: str = "02-14/318", **changes) -> dict[str, str]:
    return {"outgoing_number": number, "sent_on": f"{YESTERDAY}", "due_on": f"{TOMORROW}", **changes}


def answer(word: str = "blocked", **changes) -> dict[str, str]:
    return {"answer": word, "answered_on": f"{TODAY}", **changes}


def restoration(**changes) -> dict[str, str]:
    return {"restored_on": f"{TODAY}", "reason": "Upheld on appeal", **changes}


async def gone(city: TestCity, resource_id: str, status: ResourceStatus) -> None:
    """Since now, as tests/observations has it come about."""
    change = "UPDATE resource SET status = $1, watched_since = now(), settled_at = now() WHERE id = $2"
    async with city.beside() as database:
        await database.execute(change, status, resource_id)


async def confirmed(city: TestCity, count: int = 1) -> list[str]:
    """A month ago."""
    rows = [
        Resource(
            city_id=city.id,
            address=f"https://{uuid4()}.example",
            address_key=f"{uuid4()}.example",
            kind=ResourceKind.SITE,
            status=ResourceStatus.CONFIRMED,
            watched_since=utc_now() - timedelta(days=30),
            settled_at=utc_now() - timedelta(days=30),
            findings=1,
        )
        for _ in range(count)
    ]
    await city.add(*rows)
    return sorted(str(row.id) for row in rows)


async def drafted(coordinator: Client, resource_ids: list[str]) -> str:
    draft = {"authority": "Ministry", "resource_ids": resource_ids}
    return (await coordinator.post("/referrals", json=draft)).json()["id"]


async def sent(city: TestCity, count: int = 1, **changes: str) -> tuple[str, list[str]]:
    coordinator, resource_ids = await city.as_(Role.COORDINATOR), await confirmed(city, count)
    referral_id = await drafted(coordinator, resource_ids)
    assert (await coordinator.post(f"/referrals/{referral_id}/send", json=sending(**changes))).status_code == 200
    return referral_id, resource_ids


async def test_a_sent_referral_counts_its_resources_as_referred(city: TestCity):
    await sent(city, 3)
    referred = (await city.totals(to=f"{YESTERDAY}", days=1))["resources_referred"]
    assert (referred["total"], [day["total"] for day in referred["days"]]) == (3, [3])
    assert {row.status for row in await city.rows(Resource)} == {ResourceStatus.REFERRED}


async def test_the_answer_blocked_counts_and_refused_does_not(city: TestCity):
    referral_id, (one, other) = await sent(city, 2)
    coordinator = await city.as_(Role.COORDINATOR)

    after_one = await coordinator.post(f"/referrals/{referral_id}/items/{one}/answer", json=answer())
    assert (after_one.json()["status"], after_one.json()["answered"]) == ("sent", 1)
    after_both = await coordinator.post(f"/referrals/{referral_id}/items/{other}/answer", json=answer("refused"))
    assert (after_both.json()["status"], after_both.json()["answered"]) == ("answered", 2)

    assert (await city.totals())["resources_blocked"]["total"] == 1
    assert (await coordinator.get(f"/resources/{one}")).json()["status"] == "block_reported"
    assert (await coordinator.get(f"/resources/{other}")).json()["status"] == "refused"
    items = (await coordinator.get(f"/referrals/{referral_id}/items")).json()["items"]
    assert {item["resource_id"]: item["answer"] for item in items} == {one: "blocked", other: "refused"}


async def test_an_answer_is_recorded_once_however_often_it_is_sent_at_once(city: TestCity):
    referral_id, (resource_id, _) = await sent(city, 2)
    coordinator = await city.as_(Role.COORDINATOR)
    address = f"/referrals/{referral_id}/items/{resource_id}/answer"
    answers = await asyncio.gather(*(coordinator.post(address, json=answer()) for _ in range(5)))
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409, 409]
    assert (await city.totals())["resources_blocked"]["total"] == 1


async def test_only_confirmed_resources_are_referred_and_each_once(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    (good,) = await confirmed(city)
    draft = {"authority": "Ministry", "resource_ids": [good, str(uuid4()), good]}
    refused = await coordinator.post("/referrals", json=draft)
    assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [
        ("not_confirmed", "/body/resource_ids/1"),
        ("twice", "/body/resource_ids/2"),
    ]
    assert await city.count(Referral) == 0


async def test_a_resource_goes_out_with_one_referral_of_two(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    resource_ids = await confirmed(city, 4)
    referrals = [await drafted(coordinator, ids) for ids in (resource_ids, resource_ids[::-1])]
    answers = await asyncio.gather(
        *(coordinator.post(f"/referrals/{one}/send", json=sending(one)) for one in referrals)
    )
    assert sorted(each.status_code for each in answers) == [200, 409]
    assert await city.count(LedgerEntry) == 4


async def test_an_outgoing_number_is_used_once(city: TestCity):
    await sent(city)
    coordinator = await city.as_(Role.COORDINATOR)
    second = await drafted(coordinator, await confirmed(city))
    assert (await coordinator.post(f"/referrals/{second}/send", json=sending())).status_code == 409
    assert (await coordinator.get(f"/referrals/{second}")).json()["status"] == "draft"


async def test_days_are_in_their_order(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    referral_id = await drafted(coordinator, resource_ids := await confirmed(city))
    wrong = sending(sent_on=f"{TOMORROW}", due_on=f"{YESTERDAY}")
    refused = await coordinator.post(f"/referrals/{referral_id}/send", json=wrong)
    assert [fault["code"] for fault in refused.json()["errors"]] == ["in_future", "ends_before_start"]
    await coordinator.post(f"/referrals/{referral_id}/send", json=sending())
    for day in (YESTERDAY - timedelta(days=1), TOMORROW):
        early = await coordinator.post(
            f"/referrals/{referral_id}/items/{resource_ids[0]}/answer", json=answer(answered_on=f"{day}")
        )
        assert [fault["code"] for fault in early.json()["errors"]] == ["answer_day"]
    assert (await city.totals())["resources_blocked"]["total"] == 0


async def test_what_the_authority_has_in_hand_is_acknowledged_once(city: TestCity):
    referral_id, (answered, waiting) = await sent(city, 2)
    coordinator = await city.as_(Role.COORDINATOR)
    address = f"/referrals/{referral_id}/acknowledge"
    await coordinator.post(f"/referrals/{referral_id}/items/{answered}/answer", json=answer("refused"))
    early = await coordinator.post(address, json={"acknowledged_on": f"{YESTERDAY - timedelta(days=1)}"})
    assert [(e["code"], e["pointer"]) for e in early.json()["errors"]] == [("answer_day", "/body/acknowledged_on")]

    taken = await coordinator.post(address, json={"acknowledged_on": f"{TODAY}"})
    assert (taken.json()["status"], taken.json()["acknowledged_on"]) == ("sent", f"{TODAY}")
    assert (await coordinator.get(f"/resources/{answered}")).json()["status"] == "refused"
    assert (await coordinator.get(f"/resources/{waiting}")).json()["status"] == "acknowledged"
    again = await coordinator.post(address, json={"acknowledged_on": f"{TODAY}"})
    assert (again.status_code, again.json()["code"]) == (409, "already_acknowledged")

    last = await coordinator.post(f"/referrals/{referral_id}/items/{waiting}/answer", json=answer())
    assert last.json()["status"] == "answered"
    assert (await coordinator.get(f"/resources/{waiting}")).json()["status"] == "block_reported"
    assert (await coordinator.post(address, json={"acknowledged_on": f"{TODAY}"})).json()["code"] == "wrong_status"


async def test_a_letter_about_what_has_gone_by_itself_is_counted_and_brings_nothing_back(city: TestCity):
    referral_id, (resource_id,) = await sent(city)
    await gone(city, resource_id, ResourceStatus.REMOVED)
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/referrals/{referral_id}/acknowledge", json={"acknowledged_on": f"{TODAY}"})
    said = await coordinator.post(f"/referrals/{referral_id}/items/{resource_id}/answer", json=answer())
    assert said.json()["status"] == "answered"
    assert (await coordinator.get(f"/resources/{resource_id}")).json()["status"] == "removed"
    assert (await city.totals())["resources_blocked"]["total"] == 1


async def test_what_came_back_is_referred_again_and_an_old_letter_no_longer_moves_it(city: TestCity):
    first, (resource_id,) = await sent(city)
    await gone(city, resource_id, ResourceStatus.REAPPEARED)
    coordinator = await city.as_(Role.COORDINATOR)
    second = await drafted(coordinator, [resource_id])
    assert (await coordinator.post(f"/referrals/{second}/send", json=sending("2"))).status_code == 200
    old = f"/referrals/{first}/items/{resource_id}"
    assert (await coordinator.post(f"{old}/answer", json=answer())).json()["status"] == "answered"
    assert (await coordinator.get(f"/resources/{resource_id}")).json()["status"] == "referred"

    new = f"/referrals/{second}/items/{resource_id}/answer"
    assert (await coordinator.post(new, json=answer())).json()["status"] == "answered"
    assert (await city.totals())["resources_blocked"]["total"] == 2
    refused = await coordinator.post(f"{old}/restore", json=restoration())
    assert (refused.status_code, refused.json()["code"]) == (409, "referred_again")


async def test_a_letter_from_before_it_came_back_does_not_take_it_away_again(city: TestCity):
    referral_id, (early, late) = await sent(city, 2)
    coordinator = await city.as_(Role.COORDINATOR)
    for resource_id, day, status in ((early, YESTERDAY, "reappeared"), (late, TODAY, "block_reported")):
        await gone(city, resource_id, ResourceStatus.REAPPEARED)
        item = f"/referrals/{referral_id}/items/{resource_id}"
        said = await coordinator.post(f"{item}/answer", json=answer(answered_on=f"{day}"))
        assert said.status_code == 200
        assert (await coordinator.get(f"/resources/{resource_id}")).json()["status"] == status
    assert (await city.totals())["resources_blocked"]["total"] == 2


async def test_an_acknowledgement_of_before_says_nothing_of_what_was_referred_again(city: TestCity):
    first, (resource_id, _) = await sent(city, 2)
    await gone(city, resource_id, ResourceStatus.REAPPEARED)
    coordinator = await city.as_(Role.COORDINATOR)
    second = await drafted(coordinator, [resource_id])
    await coordinator.post(f"/referrals/{second}/send", json=sending("2"))
    taken = await coordinator.post(f"/referrals/{first}/acknowledge", json={"acknowledged_on": f"{TODAY}"})
    assert taken.status_code == 200
    assert (await coordinator.get(f"/resources/{resource_id}")).json()["status"] == "referred"


@time_machine.travel("2026-05-04T20:00:00Z", tick=True)  # one o'clock of the fifth in Almaty
async def test_today_is_the_day_in_the_city_and_a_letter_s_year_is_looked_at(city: TestCity):
    coordinator = await city.client_of(await city.account(Role.COORDINATOR))
    referral_id = await drafted(coordinator, await confirmed(city))
    for day, code in (("2026-05-06", "in_future"), ("2025-05-03", "long_past")):
        days = {"sent_on": day, "due_on": "2026-06-01"}
        refused = await coordinator.post(f"/referrals/{referral_id}/send", json=sending(**days))
        assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [(code, "/body/sent_on")]
    days = {"sent_on": "2026-05-05", "due_on": "2026-06-01"}
    assert (await coordinator.post(f"/referrals/{referral_id}/send", json=sending(**days))).status_code == 200


async def test_who_drafts_and_who_sends_the_same_resources_do_not_wait_for_each_other(city: TestCity):
    coordinator, resource_ids = await city.as_(Role.COORDINATOR), await confirmed(city, 6)
    referral_id = await drafted(coordinator, resource_ids)
    async with city.beside() as held:
        await held.execute("BEGIN")
        await held.execute("SELECT FROM resource WHERE city_id = $1 FOR NO KEY UPDATE", city.id)
        draft = {"authority": "Ministry", "resource_ids": resource_ids[::-1]}
        assert (await coordinator.post("/referrals", json=draft)).status_code == 201
        sending_it = asyncio.create_task(coordinator.post(f"/referrals/{referral_id}/send", json=sending()))
        waiting = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        async with city.beside() as watching:
            while not (query := await watching.fetchval(waiting)):  # noqa: ASYNC110 it is PostgreSQL that it waits in
                await asyncio.sleep(0.01)
        await held.execute("COMMIT")
    assert "FOR NO KEY UPDATE" in query
    assert (await sending_it).status_code == 200


async def test_what_is_given_back_is_counted_on_its_own(city: TestCity):
    referral_id, (resource_id,) = await sent(city)
    coordinator = await city.as_(Role.COORDINATOR)
    item = f"/referrals/{referral_id}/items/{resource_id}"
    assert (await coordinator.post(f"{item}/restore", json=restoration())).json()["code"] == "wrong_status"
    draft = await drafted(coordinator, await confirmed(city))
    unsent = await coordinator.post(f"/referrals/{draft}/items/{resource_id}/restore", json=restoration())
    assert unsent.json()["code"] == "wrong_status"
    await coordinator.post(f"{item}/answer", json=answer())
    for day in (YESTERDAY, TOMORROW):
        wrong = await coordinator.post(f"{item}/restore", json=restoration(restored_on=f"{day}"))
        assert [(e["code"], e["pointer"]) for e in wrong.json()["errors"]] == [("restored_day", "/body/restored_on")]
    answers = await asyncio.gather(*(coordinator.post(f"{item}/restore", json=restoration()) for _ in range(3)))
    assert sorted(each.status_code for each in answers) == [200, 409, 409]

    totals = await city.totals()
    assert (totals["resources_blocked"]["total"], totals["resources_restored"]["total"]) == (1, 1)
    assert (await coordinator.get(f"/resources/{resource_id}")).json()["status"] == "restored"
    (listed,) = (await coordinator.get(f"/referrals/{referral_id}/items")).json()["items"]
    assert (listed["restored_on"], listed["restored_reason"]) == (f"{TODAY}", "Upheld on appeal")


async def test_a_draft_takes_no_answer(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    referral_id = await drafted(coordinator, (resource_ids := await confirmed(city)))
    refused = await coordinator.post(f"/referrals/{referral_id}/items/{resource_ids[0]}/answer", json=answer())
    assert refused.json()["code"] == "wrong_status"


async def test_an_answer_about_something_else_is_not_found(city: TestCity):
    referral_id, _ = await sent(city)
    coordinator = await city.as_(Role.COORDINATOR)
    missing = await coordinator.post(f"/referrals/{referral_id}/items/{uuid4()}/answer", json=answer())
    assert missing.status_code == 404

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from fastapi import FastAPI

from app.core.ids import new_id
from app.domain.permissions import Role
from app.domain.resources import ResourceKind
from app.models.ledger import LedgerEntry
from app.models.payment_cards import PaymentCard
from app.models.resources import Resource
from tests.city import TestCity, found_city

TODAY = (datetime.now(UTC) + timedelta(hours=5)).date()
BEFORE, YESTERDAY, TOMORROW = TODAY - timedelta(days=2), TODAY - timedelta(days=1), TODAY + timedelta(days=1)
VISA, MAESTRO = "4111111111111111", "6304950600000000007"
REFERRAL = {"authority": "Bank", "outgoing_number": "02-14/318", "referred_on": f"{YESTERDAY}"}
FREEZING = {"frozen_on": f"{TODAY}", "amount_kzt": 245_000}
REFUSAL = {"refused_on": f"{TODAY}"}


async def reported(city: TestCity, number: str = VISA, **particulars: Any) -> dict[str, Any]:
    body = {"number": number, **particulars}
    return (await (await city.as_(Role.MODERATOR)).post("/payment-cards", json=body)).json()


async def referred(city: TestCity, number: str = VISA) -> str:
    """The path of a card that can be answered about."""
    path = f"/payment-cards/{(await reported(city, number))['id']}"
    assert (await (await city.as_(Role.COORDINATOR)).post(f"{path}/refer", json=REFERRAL)).status_code == 200
    return path


async def counted(city: TestCity) -> dict[tuple[str, str], int]:
    """By metric and day."""
    return {(row.metric, f"{row.occurred_on}"): row.amount for row in await city.rows(LedgerEntry)}


def faults(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(fault["code"], fault["pointer"]) for fault in answer.json()["errors"]]


async def test_a_card_is_reported_referred_and_frozen_and_each_step_counts_on_its_day(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    card = await reported(city, "4111 1111 1111 1111", bank="Example Bank")
    assert (card["status"], card["first_six"], card["last_four"]) == ("reported", "411111", "1111")
    assert await counted(city) == {}

    path = f"/payment-cards/{card['id']}"
    assert (await coordinator.post(f"{path}/refer", json=REFERRAL)).json() == card | REFERRAL | {
        "status": "referred",
        "version": 2,
    }
    frozen = await coordinator.post(f"{path}/freeze", json=FREEZING)
    assert frozen.json() == card | REFERRAL | FREEZING | {"status": "frozen", "version": 3}
    assert (await coordinator.get(path)).content == frozen.content
    assert (await coordinator.get(path, headers={"If-None-Match": frozen.headers["ETag"]})).status_code == 304

    assert await counted(city) == {
        ("cards_referred", f"{YESTERDAY}"): 1,
        ("cards_frozen", f"{TODAY}"): 1,
        ("amount_suspended_kzt", f"{TODAY}"): 245_000,
    }
    assert {str(row.subject_id) for row in await city.rows(LedgerEntry)} == {card["id"]}
    assert (await city.totals())["amount_suspended_kzt"]["total"] == 245_000


async def test_a_refusal_counts_nothing_and_a_freeze_without_a_sum_counts_no_money(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    refused = await coordinator.post(f"{await referred(city)}/refuse", json=REFUSAL)
    assert (refused.json()["status"], refused.json()["refused_on"]) == ("refused", f"{TODAY}")
    assert (await counted(city)).keys() == {("cards_referred", f"{YESTERDAY}")}

    path = await referred(city, MAESTRO)
    for wrong in (0, -1, 10_000_000_001, 1.5, "1"):
        assert (await coordinator.post(f"{path}/freeze", json=FREEZING | {"amount_kzt": wrong})).status_code == 422
    assert (await coordinator.post(f"{path}/freeze", json=FREEZING | {"amount_kzt": None})).status_code == 200
    totals = await city.totals()
    names = ("cards_referred", "cards_frozen", "amount_suspended_kzt")
    assert [totals[name]["total"] for name in names] == [2, 1, 0]


async def test_one_number_is_one_card_however_it_is_typed_and_whoever_reports_it(city: TestCity):
    clients = [await city.as_(role) for role in (Role.MODERATOR, Role.COORDINATOR, Role.ADMIN)]
    typed = ("4111 1111 1111 1111", "4111-1111-1111-1111", VISA)
    bodies = [{"number": number, "bank": f"Bank {name}"} for name, number in enumerate(typed)]
    answers = await asyncio.gather(
        *(client.post("/payment-cards", json=body) for client, body in zip(clients * 2, bodies * 2, strict=True))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await city.count(PaymentCard) == 1


async def test_two_cities_that_know_the_same_card_cannot_tell(city: TestCity, app: FastAPI):
    async with found_city(app) as other:
        await reported(city)
        await reported(other)
        (ours,), (theirs,) = await city.rows(PaymentCard), await other.rows(PaymentCard)
    assert ours.last_four == theirs.last_four
    assert ours.number_digest != theirs.number_digest


async def test_a_report_that_is_sent_again_makes_one_card(city: TestCity):
    moderator, own_id = await city.as_(Role.MODERATOR), str(new_id())
    body, key = {"number": VISA, "id": own_id}, {"Idempotency-Key": str(uuid4())}
    with_key = [await moderator.post("/payment-cards", json=body, headers=key) for _ in range(2)]
    without = await moderator.post("/payment-cards", json=body)
    assert {answer.content for answer in with_key} == {without.content}
    assert without.json()["id"] == own_id
    reused = await moderator.post("/payment-cards", json=body | {"number": MAESTRO}, headers=key)
    taken = await moderator.post("/payment-cards", json=body | {"number": MAESTRO})
    assert (reused.json()["code"], taken.json()["code"]) == ("key_reused", "id_taken")
    assert await city.count(PaymentCard) == 1


@pytest.mark.parametrize(("language", "words"), [("kk", "карта нөмірі емес"), ("ru", "не номер карты"), ("en", "not")])
async def test_what_is_no_card_number_is_refused_and_not_repeated(city: TestCity, language: str, words: str):
    moderator = await city.as_(Role.MODERATOR)
    for wrong in ("4111111111111112", "41111111111", "4111 1111 1111 x111"):
        refused = await moderator.post("/payment-cards", json={"number": wrong}, headers={"Accept-Language": language})
        assert faults(refused) == [("not_a_card_number", "/body/number")]
        assert words in refused.json()["errors"][0]["detail"]
        assert "1111" not in refused.text
    assert await city.count(PaymentCard) == 0


async def test_a_card_number_is_refused_where_it_would_be_kept(city: TestCity):
    moderator, coordinator = await city.as_(Role.MODERATOR), await city.as_(Role.COORDINATOR)
    named = await moderator.post("/payment-cards", json={"number": VISA, "bank": f"Bank of {VISA}"})
    assert faults(named) == [("card_number_elsewhere", "/body/bank")]
    path = f"/payment-cards/{(await reported(city))['id']}/refer"
    sent = await coordinator.post(path, json=REFERRAL | {"authority": VISA, "outgoing_number": f"02/{VISA}"})
    assert faults(sent) == [("card_number_elsewhere", f"/body/{field}") for field in ("authority", "outgoing_number")]


async def test_a_card_is_seen_on_a_resource_of_its_own_city(city: TestCity, app: FastAPI):
    site = {"address": "https://x.example", "address_key": "x.example", "kind": ResourceKind.SITE}
    async with found_city(app) as other:
        ours, theirs = (Resource(city_id=place.id, **site) for place in (city, other))
        await city.add(ours, theirs)
        for unknown in (theirs.id, uuid4()):
            body = {"number": VISA, "resource_id": str(unknown)}
            refused = await (await city.as_(Role.MODERATOR)).post("/payment-cards", json=body)
            assert faults(refused) == [("no_such_resource", "/body/resource_id")]
    assert (await reported(city, resource_id=str(ours.id)))["resource_id"] == str(ours.id)


async def test_nobody_refers_the_card_that_they_reported(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    card_id = (await coordinator.post("/payment-cards", json={"number": VISA})).json()["id"]
    own = await coordinator.post(f"/payment-cards/{card_id}/refer", json=REFERRAL)
    assert (own.status_code, own.json()["code"]) == (409, "own_card")
    assert await counted(city) == {}
    assert (await (await city.as_(Role.ADMIN)).post(f"/payment-cards/{card_id}/refer", json=REFERRAL)).is_success


async def test_a_step_that_is_not_listed_is_refused_in_the_callers_language(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    path = f"/payment-cards/{(await reported(city))['id']}"
    headers = {"Accept-Language": "ru"}
    early = await coordinator.post(f"{path}/freeze", json=FREEZING, headers=headers)
    assert (early.status_code, early.json()["code"]) == (409, "wrong_status")
    assert early.json()["detail"] == "«карта»: состояние «новое», действие «записать заморозку» невозможно."
    await coordinator.post(f"{path}/refer", json=REFERRAL)
    await coordinator.post(f"{path}/refuse", json=REFUSAL)
    for step, body in (("refer", REFERRAL), ("freeze", FREEZING), ("refuse", REFUSAL)):
        assert (await coordinator.post(f"{path}/{step}", json=body)).json()["code"] == "wrong_status"


async def test_days_are_in_their_order_and_not_to_come(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    path = f"/payment-cards/{(await reported(city))['id']}"
    to_come = await coordinator.post(f"{path}/refer", json=REFERRAL | {"referred_on": f"{TOMORROW}"})
    assert faults(to_come) == [("in_future", "/body/referred_on")]
    await coordinator.post(f"{path}/refer", json=REFERRAL)
    for day in (BEFORE, TOMORROW):
        frozen = await coordinator.post(f"{path}/freeze", json=FREEZING | {"frozen_on": f"{day}"})
        refused = await coordinator.post(f"{path}/refuse", json={"refused_on": f"{day}"})
        assert faults(frozen) == [("answer_day", "/body/frozen_on")]
        assert faults(refused) == [("answer_day", "/body/refused_on")]
        assert f"{YESTERDAY}" in frozen.json()["errors"][0]["detail"]
    assert (await counted(city)).keys() == {("cards_referred", f"{YESTERDAY}")}


@time_machine.travel("2026-05-04T20:00:00Z", tick=True)  # one o'clock of the fifth in Almaty
async def test_today_is_the_day_in_the_city_and_a_letter_s_year_is_looked_at(city: TestCity):
    coordinator, moderator = [
        await city.client_of(await city.account(role)) for role in (Role.COORDINATOR, Role.MODERATOR)
    ]
    path = f"/payment-cards/{(await moderator.post('/payment-cards', json={'number': VISA})).json()['id']}"
    for day, code in (("2026-05-06", "in_future"), ("2025-05-03", "long_past")):
        refused = await coordinator.post(f"{path}/refer", json=REFERRAL | {"referred_on": day})
        assert faults(refused) == [(code, "/body/referred_on")]
    assert (await coordinator.post(f"{path}/refer", json=REFERRAL | {"referred_on": "2026-05-05"})).is_success
    frozen = await coordinator.post(f"{path}/freeze", json=FREEZING | {"frozen_on": "2026-05-06"})
    assert faults(frozen) == [("answer_day", "/body/frozen_on")]
    assert (await coordinator.post(f"{path}/freeze", json=FREEZING | {"frozen_on": "2026-05-05"})).is_success


async def test_two_who_freeze_a_card_at_once_count_it_once(city: TestCity):
    path = await referred(city)
    clients = [await city.as_(role) for role in (Role.COORDINATOR, Role.ADMIN)]
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with city.beside() as held:
        await held.execute("BEGIN")
        await held.execute("SELECT FROM payment_card WHERE city_id = $1 FOR UPDATE", city.id)
        freezing = [asyncio.create_task(client.post(f"{path}/freeze", json=FREEZING)) for client in clients]
        async with city.beside() as watching:
            while await watching.fetchval(waiting) < 2:  # noqa: ASYNC110 it is PostgreSQL that they wait in
                await asyncio.sleep(0.01)
        await held.execute("COMMIT")
        answers = await asyncio.gather(*freezing)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert (await city.totals())["cards_frozen"]["total"] == 1
    assert (await city.totals())["amount_suspended_kzt"]["total"] == 245_000


async def test_the_list_has_the_newest_first_by_status_and_in_pages(city: TestCity):
    moderator = await city.as_(Role.MODERATOR)
    await referred(city)
    others = [(await reported(city, number))["id"] for number in (MAESTRO, "378282246310005", "5555555555554444")]
    first = (await moderator.get("/payment-cards", params={"limit": 2, "status": "reported"})).json()
    assert [item["id"] for item in first["items"]] == others[:0:-1]
    rest = await moderator.get("/payment-cards", params={"status": "reported", "after": first["next"]})
    assert [item["id"] for item in rest.json()["items"]] == others[:1]
    assert len((await moderator.get("/payment-cards")).json()["items"]) == 4

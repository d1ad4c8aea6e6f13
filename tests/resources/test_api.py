import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import time_machine

from app.core.clock import utc_now
from app.domain.permissions import Role
from app.models.resources import Finding, Resource
from tests.city import TestCity

SHOP = {"address": "https://shop.example/kz"}


async def found(city: TestCity) -> str:
    _, volunteer = await city.volunteer()
    return (await volunteer.post("/findings", json=SHOP)).json()["resource_id"]


async def in_review(city: TestCity) -> str:
    resource_id = await found(city)
    await (await city.as_(Role.MODERATOR)).post(f"/resources/{resource_id}/review")
    return resource_id


async def test_findings_of_one_address_are_one_resource(city: TestCity):
    for typed in ("https://shop.example/kz", "SHOP.example/kz/", "http://www.shop.example/kz#x"):
        _, volunteer = await city.volunteer()
        assert (await volunteer.post("/findings", json={"address": typed})).status_code == 201
    listed = (await (await city.as_(Role.MODERATOR)).get("/resources")).json()["items"]
    assert [(item["address"], item["findings"]) for item in listed] == [("https://shop.example/kz", 3)]


async def test_reporting_again_gives_the_same_finding(city: TestCity):
    _, volunteer = await city.volunteer()
    first, second = [(await volunteer.post("/findings", json=SHOP)).json() for _ in range(2)]
    assert first == second
    assert await city.count(Finding) == 1


async def test_one_address_reported_by_many_at_once_is_one_resource(city: TestCity):
    clients = [(await city.volunteer())[1] for _ in range(10)]
    answers = await asyncio.gather(*(client.post("/findings", json=SHOP) for client in clients))
    assert {answer.status_code for answer in answers} == {201}
    assert [row.findings for row in await city.rows(Resource)] == [10]
    assert await city.count(Finding) == 10


async def test_what_is_no_address_is_refused_with_a_pointer(city: TestCity):
    _, volunteer = await city.volunteer()
    refused = await volunteer.post("/findings", json={"address": "behind the school"})
    assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [("not_an_address", "/body/address")]
    assert await city.count(Resource) == 0


async def test_an_address_that_grows_too_long_is_refused(city: TestCity):
    _, volunteer = await city.volunteer()
    refused = await volunteer.post("/findings", json={"address": "https://x.example/" + "я" * 341})
    assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [("too_long", "/body/address")]


async def test_a_volunteer_sees_what_became_of_their_own_finding_only(city: TestCity):
    (_, one), (_, other) = await city.volunteer(), await city.volunteer()
    finding_id = (await one.post("/findings", json=SHOP)).json()["id"]
    assert (await one.get(f"/findings/{finding_id}")).json()["status"] == "reported"
    assert (await other.get(f"/findings/{finding_id}")).status_code == 404


async def test_a_moderator_confirms_what_they_took_for_review(city: TestCity):
    resource_id = await in_review(city)
    confirmed = await (await city.as_(Role.MODERATOR)).post(f"/resources/{resource_id}/confirm")
    assert (confirmed.json()["status"], confirmed.json()["review_until"]) == ("confirmed", None)


async def test_a_rejection_has_its_reason(city: TestCity):
    resource_id = await in_review(city)
    rejected = await (await city.as_(Role.MODERATOR)).post(
        f"/resources/{resource_id}/reject", json={"reason": "not_drugs"}
    )
    assert (rejected.json()["status"], rejected.json()["rejection_reason"]) == ("rejected", "not_drugs")


async def test_nobody_checks_their_own_finding(city: TestCity):
    moderator = await city.as_(Role.MODERATOR)
    resource_id = (await moderator.post("/findings", json=SHOP)).json()["resource_id"]
    assert (await moderator.post(f"/resources/{resource_id}/review")).json()["code"] == "own_finding"


async def test_who_reports_it_during_the_review_does_not_decide(city: TestCity):
    resource_id = await in_review(city)
    moderator = await city.as_(Role.MODERATOR)
    await moderator.post("/findings", json=SHOP)
    assert (await moderator.post(f"/resources/{resource_id}/confirm")).json()["code"] == "own_finding"


async def test_nothing_is_decided_without_a_review(city: TestCity):
    resource_id = await found(city)
    moderator = await city.as_(Role.MODERATOR)
    assert (await moderator.post(f"/resources/{resource_id}/confirm")).json()["code"] == "wrong_status"


async def test_a_review_is_held_by_one_moderator_of_all_who_take_it_at_once(city: TestCity):
    resource_id = await found(city)
    moderators = [await city.client_of(await city.account(Role.MODERATOR)) for _ in range(6)]
    answers = await asyncio.gather(*(one.post(f"/resources/{resource_id}/review") for one in moderators))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"review_taken"}
    until = next(answer.json()["review_until"] for answer in answers if answer.status_code == 200)
    there = datetime.fromisoformat(until).astimezone(ZoneInfo("Asia/Almaty"))
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert f"until {there:%Y-%m-%d %H:%M}." in refused.json()["detail"]


async def test_a_review_lapses_after_half_an_hour(city: TestCity):
    resource_id = await in_review(city)
    first = await city.as_(Role.MODERATOR)
    account = await city.account(Role.MODERATOR)
    with time_machine.travel(utc_now() + timedelta(minutes=31), tick=True):
        first, second = await city.client_of(await city.account(Role.MODERATOR)), await city.client_of(account)
        assert (await first.post(f"/resources/{resource_id}/confirm")).json()["code"] == "review_lapsed"
        assert (await second.post(f"/resources/{resource_id}/review")).status_code == 200
        assert (await second.post(f"/resources/{resource_id}/confirm")).json()["status"] == "confirmed"

import asyncio
from datetime import UTC, date, datetime

import httpx
import pytest
import time_machine

from app.domain.permissions import Role
from app.domain.volunteers import age_on
from app.models.volunteers import Consent, Volunteer
from tests.city import TestCity, application, found_city

GUARDIAN = {"name": "Анасы", "phone": "+77017654321"}


async def apply(city: TestCity, **changes) -> httpx.Response:
    return await city.anonymous.post(f"/public/{city.id}/volunteers", json=application(**changes))


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["code"], error["pointer"]) for error in answer.json()["errors"]]


def consents(*purposes: str, given_by: str = "self") -> list[dict[str, str]]:
    common = {"text_version": "1", "language": "kk", "given_by": given_by}
    return [{"purpose": purpose, **common} for purpose in purposes]


NEEDED = ("personal_data", "participation")
MINOR = {"guardian": GUARDIAN, "consents": consents(*NEEDED, given_by="guardian")}


async def test_an_application_waits_for_a_coordinator(city: TestCity):
    taken = await apply(city, districts=["west"])
    assert (taken.status_code, taken.json()["status"]) == (202, "applied")
    volunteer = await city.one(Volunteer, taken.json()["id"])
    assert (volunteer.status, volunteer.account_id) == ("applied", None)
    assert {consent.purpose for consent in await city.rows(Consent)} == set(NEEDED)


@pytest.mark.parametrize(
    ("birth_on", "refused"),
    [
        ("2012-05-11", [("under_age", "/body/birth_on")]),
        ("2012-05-10", []),
        ("1990-05-11", []),
        ("1990-05-10", [("over_age", "/body/birth_on")]),
        ("0001-01-01", [("over_age", "/body/birth_on")]),
        ("9999-12-31", [("under_age", "/body/birth_on")]),
    ],
)
async def test_the_programme_is_for_ages_14_to_35_both_included(city: TestCity, birth_on: str, refused):
    with time_machine.travel(datetime(2026, 5, 10, 12, tzinfo=UTC)):
        answer = await apply(city, birth_on=birth_on, **(MINOR if birth_on > "2008" else {}))
    assert (faults(answer) if refused else answer.status_code) == (refused or 202)


async def test_a_birthday_begins_at_midnight_in_the_city(city: TestCity):
    child = {"birth_on": "2012-05-10", **MINOR}
    with time_machine.travel(datetime(2026, 5, 9, 18, 59, 50, tzinfo=UTC), tick=False):
        assert faults(await apply(city, **child)) == [("under_age", "/body/birth_on")]
    with time_machine.travel(datetime(2026, 5, 9, 19, 0, tzinfo=UTC), tick=False):
        assert (await apply(city, **child)).status_code == 202


@pytest.mark.parametrize(
    ("day", "age"),
    [(date(2026, 2, 28), 13), (date(2026, 3, 1), 14), (date(2028, 2, 28), 15), (date(2028, 2, 29), 16)],
)
def test_who_is_born_on_29_february_is_a_year_older_on_1_march(day: date, age: int):
    assert age_on(date(2012, 2, 29), day) == age


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"guardian": GUARDIAN},
        {"consents": MINOR["consents"]},
        {"guardian": GUARDIAN, "consents": consents("personal_data", given_by="guardian")},
    ],
)
async def test_a_minor_needs_a_guardian_with_both_consents(city: TestCity, changes):
    with time_machine.travel(datetime(2026, 5, 10, 12, tzinfo=UTC)):
        assert faults(await apply(city, birth_on="2008-05-11", **changes)) == [
            ("no_guardian_consent", "/body/guardian")
        ]
        assert (await apply(city, birth_on="2008-05-10")).status_code == 202
    assert await city.count(Volunteer) == 1


@pytest.mark.parametrize("given", [(), ("personal_data",), ("participation", "photos")])
async def test_an_adult_consents_to_the_use_of_data_and_to_taking_part(city: TestCity, given):
    assert faults(await apply(city, consents=consents(*given))) == [("consent_missing", "/body/consents")]


async def test_all_that_is_wrong_is_said_at_once(city: TestCity):
    answer = await apply(city, birth_on="1900-01-01", districts=["north", "west"], consents=[])
    assert faults(answer) == [
        ("over_age", "/body/birth_on"),
        ("consent_missing", "/body/consents"),
        ("no_such_district", "/body/districts"),
    ]
    assert await city.count(Volunteer) == 0


@pytest.mark.parametrize("typed", ["8 701 123-45-67", "+7 (701) 123 45 67", "77011234567"])
async def test_a_phone_number_is_kept_in_one_form(city: TestCity, typed: str):
    assert (await apply(city, phone=typed)).status_code == 202
    assert [volunteer.phone for volunteer in await city.rows(Volunteer)] == ["+77011234567"]


@pytest.mark.parametrize("typed", ["112", "8701flowers", "8701123456", "+7 701 123 45 67 or 68", "жоқ"])
async def test_what_is_no_phone_number_is_refused(city: TestCity, typed: str):
    assert faults(await apply(city, phone=typed)) == [("not_a_phone", "/body/phone")]


async def test_whether_a_phone_number_is_known_is_told_to_nobody(city: TestCity):
    first = await apply(city, phone="87011234567", given_name="Айгерім")
    again = await apply(city, phone="+77011234567", given_name="Stranger")
    assert again.status_code == first.status_code
    assert again.json().keys() == first.json().keys()
    assert again.json()["status"] == first.json()["status"]
    assert [volunteer.given_name for volunteer in await city.rows(Volunteer)] == ["Айгерім"]
    assert await city.count(Consent) == 2


async def test_an_application_sent_many_times_at_once_is_one(city: TestCity):
    same = application()
    where = f"/public/{city.id}/volunteers"
    answers = await asyncio.gather(*(city.anonymous.post(where, json=same) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert (await city.count(Volunteer), await city.count(Consent)) == (1, 2)


async def test_whoever_was_rejected_may_apply_again(city: TestCity):
    sent = application(given_name="Айгерім")
    first = (await apply(city, **sent)).json()["id"]
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/volunteers/{first}/reject", json={"reason": "did not answer the phone"})

    assert (await apply(city, **{**sent, "given_name": "Аружан"})).status_code == 202

    again = (await coordinator.get(f"/volunteers/{first}")).json()
    assert (again["status"], again["given_name"], again["status_reason"]) == ("applied", "Аружан", None)
    assert (await city.count(Volunteer), await city.count(Consent)) == (1, 4)


async def test_the_same_phone_number_may_apply_in_another_city(city: TestCity):
    sent = application()
    async with found_city(city.app) as other:
        await apply(other, **sent)
        assert (await apply(city, **sent)).status_code == 202
        assert (await city.count(Volunteer), await other.count(Volunteer)) == (1, 1)


async def test_a_city_that_is_not_there_takes_no_applications(city: TestCity):
    assert (await city.anonymous.post("/public/nowhere/volunteers", json=application())).status_code == 404

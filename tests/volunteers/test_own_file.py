"""A volunteer's own file: what they may change, what a coordinator may, and who sees what."""

import asyncio
from typing import Any

import httpx
import pytest

from app.domain.permissions import Role
from app.models.accounts import Account
from app.models.ledger import LedgerEntry
from tests.city import Client, TestCity, application

WEEK = [
    {"weekday": 1, "starts": "18:00", "ends": "24:00"},
    {"weekday": 2, "starts": "00:00", "ends": "01:30"},
    {"weekday": 7, "starts": "10:00", "ends": "14:00"},
]
OWN: dict[str, Any] = {
    "language": "ru",
    "languages": ["en", "ru"],
    "districts": ["east", "west"],
    "skills": ["driver", "first_aid"],
    "availability": WEEK,
}


async def change(client: Client, path: str, version: str = '"1"', **changes: Any) -> httpx.Response:
    return await client.patch(path, json=changes, headers={"If-Match": version})


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["code"], error["pointer"]) for error in answer.json()["errors"]]


async def test_volunteers_change_what_they_can_do_when_and_where(city: TestCity):
    _, client = await city.volunteer()
    changed = await change(client, "/volunteers/me", **OWN)
    assert {name: changed.json()[name] for name in OWN} == OWN
    assert (changed.headers["ETag"], changed.json()) == ('"2"', (await client.get("/volunteers/me")).json())


@pytest.mark.parametrize(
    "field", ["status", "programmes", "birth_on", "given_name", "coordinator_note", "guardian", "status_reason"]
)
async def test_the_rest_of_the_file_is_not_theirs_to_change(city: TestCity, field: str):
    _, client = await city.volunteer()
    assert faults(await change(client, "/volunteers/me", **{field: "x"})) == [("unknown", f"/body/{field}")]


@pytest.mark.parametrize(
    ("availability", "code", "pointer"),
    [
        ([WEEK[2], {**WEEK[2], "starts": "13:59", "ends": "15:00"}], "slots_overlap", "/body/availability/1"),
        ([{**WEEK[2], "starts": "14:00"}], "ends_before_start", "/body/availability/0"),
        ([{**WEEK[2], "weekday": 8}], "too_big", "/body/availability/0/weekday"),
        ([{**WEEK[2], "starts": "9:00"}], "wrong_pattern", "/body/availability/0/starts"),
        ([{**WEEK[2], "ends": "13:00:30"}], "wrong_pattern", "/body/availability/0/ends"),
        ([{**WEEK[2], "starts": "24:00"}], "wrong_pattern", "/body/availability/0/starts"),
        ([WEEK[2]] * 29, "too_long", "/body/availability"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_by_its_place(city: TestCity, availability, code: str, pointer: str):
    _, client = await city.volunteer()
    assert faults(await change(client, "/volunteers/me", availability=availability)) == [(code, pointer)]


async def test_an_unknown_district_and_an_empty_list_of_languages_are_refused(city: TestCity):
    _, client = await city.volunteer()
    assert faults(await change(client, "/volunteers/me", districts=["north"])) == [
        ("no_such_district", "/body/districts")
    ]
    assert faults(await change(client, "/volunteers/me", languages=[])) == [("too_short", "/body/languages")]
    assert faults(await change(client, "/volunteers/me", skills=["flying"])) == [("not_listed", "/body/skills/0")]


async def test_a_new_phone_number_is_the_new_login_of_whoever_signs_in_with_the_old_one(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    sent = application()
    volunteer_id = (await city.anonymous.post(f"/public/{city.id}/volunteers", json=sent)).json()["id"]
    approved = await coordinator.post(f"/volunteers/{volunteer_id}/approve")
    account_id, version = approved.json()["account_id"], approved.headers["ETag"]
    phone = application()["phone"]
    assert (await change(coordinator, f"/volunteers/{volunteer_id}", version, phone=phone)).status_code == 200
    assert (await city.one(Account, account_id)).login == phone
    other, client = await city.volunteer()
    before = (await city.one(Account, other.account_id)).login
    assert (await change(client, "/volunteers/me", phone=application()["phone"])).status_code == 200
    assert (await city.one(Account, other.account_id)).login == before


async def test_a_phone_number_is_one_volunteers(city: TestCity):
    await city.volunteer(phone="+77011234567")
    _, client = await city.volunteer()
    assert (await change(client, "/volunteers/me", phone="+77011234567")).status_code == 409


async def test_of_two_changes_with_one_etag_one_wins(city: TestCity):
    volunteer, client = await city.volunteer()
    coordinator = await city.as_(Role.COORDINATOR)
    for version, skill in enumerate(("it", "video", "design", "driver", "painting"), start=1):
        tag, path = f'"{version}"', f"/volunteers/{volunteer.id}"
        answers = await asyncio.gather(
            change(client, "/volunteers/me", tag, skills=[skill]),
            change(coordinator, path, tag, coordinator_note=f"{version}"),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_a_change_names_the_version_that_it_is_of(city: TestCity):
    volunteer, client = await city.volunteer()
    coordinator = await city.as_(Role.COORDINATOR)
    for who, path in ((client, "/volunteers/me"), (coordinator, f"/volunteers/{volunteer.id}")):
        assert (await who.patch(path, json={"skills": []})).status_code == 428
        assert (await change(who, path, '"7"', skills=[])).status_code == 412


async def test_a_coordinator_corrects_the_rest_and_keeps_a_note_that_the_volunteer_does_not_see(city: TestCity):
    volunteer, client = await city.volunteer()
    coordinator = await city.as_(Role.COORDINATOR)
    correct = {"family_name": "Қасенова", "birth_on": "2001-02-03", "coordinator_note": "Calls back in the evening"}
    guardian = {"name": "Анасы", "phone": "+77017654321"}
    changed = await change(coordinator, f"/volunteers/{volunteer.id}", **correct, guardian=guardian)
    assert {name: changed.json()[name] for name in correct} == correct
    assert changed.json()["guardian_name"] == "Анасы"
    own = (await client.get("/volunteers/me")).json()
    assert (own["family_name"], "coordinator_note" in own) == ("Қасенова", False)
    cleared = await change(coordinator, f"/volunteers/{volunteer.id}", '"2"', coordinator_note=None)
    assert (cleared.json()["coordinator_note"], cleared.json()["family_name"]) == (None, "Қасенова")
    too_old = await change(coordinator, f"/volunteers/{volunteer.id}", '"3"', birth_on="1980-01-01")
    assert faults(too_old) == [("over_age", "/body/birth_on")]


async def test_a_programme_counts_once_however_often_it_is_taken_up(city: TestCity):
    volunteer, _ = await city.volunteer(programmes=["outreach"])
    coordinator = await city.as_(Role.COORDINATOR)
    for version, programmes in enumerate((["street"], ["outreach"], ["street", "online"]), start=1):
        await change(coordinator, f"/volunteers/{volunteer.id}", f'"{version}"', programmes=programmes)
    entries = sorted((entry.metric.value, entry.amount) for entry in await city.rows(LedgerEntry))
    assert entries == [
        ("volunteers_online", 1),
        ("volunteers_online_active", 1),
        ("volunteers_street", 1),
        ("volunteers_street_active", -1),
        ("volunteers_street_active", 1),
        ("volunteers_street_active", 1),
    ]


async def test_skills_have_names_in_the_callers_language(city: TestCity):
    _, client = await city.volunteer()
    found = (await client.get("/volunteers/skills", headers={"Accept-Language": "kk"})).json()["items"]
    assert {"skill": "driver", "name": "жүргізуші"} in found


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ANALYST])
async def test_moderators_and_analysts_see_no_people(city: TestCity, role: Role):
    volunteer, _ = await city.volunteer()
    client = await city.as_(role)
    paths = ("", "/me", f"/{volunteer.id}", f"/{volunteer.id}/consents", f"/{volunteer.id}/history")
    assert {(await client.get(f"/volunteers{path}")).status_code for path in paths} == {403}

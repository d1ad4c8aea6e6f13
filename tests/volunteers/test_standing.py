"""Suspended or gone: places, access and consents."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.permissions import Role
from app.models.ledger import LedgerEntry
from app.models.raids import Raid
from app.models.volunteers import Consent, VolunteerEvent
from tests.city import Client, TestCity
from tests.raids.test_waiting_list import crowd, places, raid_in
from tests.volunteers.test_applications import consents

REASON = {"reason": "Exams"}
SAID = {"text_version": "2", "language": "ru"}


@pytest.fixture
async def coordinator(city: TestCity) -> Client:
    return await city.as_(Role.COORDINATOR)


@pytest.mark.parametrize("step", ["suspend", "leave"])
async def test_who_goes_leaves_the_place_to_the_next_in_line(city: TestCity, coordinator: Client, step: str):
    raid_id, draft = await raid_in(city, capacity=1), await raid_in(city)
    volunteer, client = await city.volunteer()
    await client.post(f"/raids/{raid_id}/sign-up")
    await coordinator.put(f"/raids/{raid_id}/lead", json={"volunteer_id": str(volunteer.id)})
    next_in_line = await crowd(city, raid_id, 2)

    answer = await coordinator.post(f"/volunteers/{volunteer.id}/{step}", json=REASON)

    assert (answer.status_code, answer.json()["status_reason"]) == (200, "Exams")
    assert await places(next_in_line, raid_id) == [("offered", None), ("waiting", 1)]
    raid = await city.one(Raid, raid_id)
    assert (raid.places_taken, raid.lead_id, (await city.one(Raid, draft)).places_taken) == (1, None, 0)
    assert (await client.get("/volunteers/me")).status_code == 401


async def test_a_place_on_a_raid_under_way_is_the_leads_to_judge(city: TestCity, coordinator: Client):
    raid = await city.open_raid()
    volunteer, client = await city.volunteer()
    await client.post(f"/raids/{raid['id']}/sign-up")
    await coordinator.post(f"/raids/{raid['id']}/start")
    await coordinator.post(f"/volunteers/{volunteer.id}/suspend", json=REASON)
    crew = (await coordinator.get(f"/raids/{raid['id']}/crew")).json()["items"]
    assert [member["status"] for member in crew] == ["accepted"]


async def test_suspensions_and_sign_ups_at_once_never_leave_a_place_free_while_somebody_waits(
    city: TestCity, coordinator: Client
):
    for _ in range(5):
        raid_id = await raid_in(city, capacity=2)
        people = [await city.volunteer() for _ in range(6)]
        await people[0][1].post(f"/raids/{raid_id}/sign-up")
        await people[1][1].post(f"/raids/{raid_id}/sign-up")
        steps = [coordinator.post(f"/volunteers/{people[n][0].id}/suspend", json=REASON) for n in (0, 1)]
        sign_ups = [client.post(f"/raids/{raid_id}/sign-up") for _, client in people[2:]]
        answers = await asyncio.gather(*steps, *sign_ups)
        assert {answer.status_code for answer in answers} <= {200, 201}
        statuses = [status for status, _ in await places([client for _, client in people[2:]], raid_id)]
        assert sum(status in {"accepted", "offered"} for status in statuses) == 2
        assert (await city.one(Raid, raid_id)).places_taken == 2


async def test_a_suspension_does_not_wait_for_what_only_names_an_account(city: TestCity, coordinator: Client):
    """As each row does that says who decided: two suspensions on one raid were a deadlock, and a second lost."""
    volunteer, _ = await city.volunteer()
    async with city.beside() as other, other.transaction():
        await other.execute("SELECT FROM account WHERE city_id = $1 FOR KEY SHARE", city.id)
        assert (await coordinator.post(f"/volunteers/{volunteer.id}/suspend", json=REASON)).status_code == 200


async def test_a_suspension_has_a_reason_and_perhaps_a_last_day(city: TestCity, coordinator: Client):
    volunteer, _ = await city.volunteer()
    path = f"/volunteers/{volunteer.id}"
    assert (await coordinator.post(f"{path}/suspend", json={})).status_code == 422
    past = await coordinator.post(f"{path}/suspend", json={**REASON, "until": "2020-01-01"})
    assert past.json()["errors"][0]["pointer"] == "/body/until"
    suspended = (await coordinator.post(f"{path}/suspend", json={**REASON, "until": "2090-01-01"})).json()
    assert (suspended["status"], suspended["suspended_until"]) == ("suspended", "2090-01-01")
    back = (await coordinator.post(f"{path}/reinstate")).json()
    assert (back["status"], back["status_reason"], back["suspended_until"]) == ("active", None, None)
    history = (await coordinator.get(f"{path}/history")).json()["items"]
    assert [(each["action"], each["reason"], each["until"]) for each in history] == [
        ("reinstate", None, None),
        ("suspend", "Exams", "2090-01-01"),
    ]
    assert all(each["decided_by"] for each in history)


async def test_volunteers_leave_by_themselves_and_what_they_did_stays_counted(city: TestCity, coordinator: Client):
    raid_id = await raid_in(city, capacity=1)
    volunteer, client = await city.volunteer(programmes=["outreach"])
    await coordinator.patch(f"/volunteers/{volunteer.id}", json={"programmes": ["street"]}, headers={"If-Match": '"1"'})
    await client.post(f"/raids/{raid_id}/sign-up")
    assert (await client.post("/volunteers/me/leave", json={"reason": "Moved"})).status_code == 204
    assert (await client.get("/volunteers/me")).status_code == 401
    file = (await coordinator.get(f"/volunteers/{volunteer.id}")).json()
    assert (file["status"], file["status_reason"]) == ("left", "Moved")
    assert (await city.one(Raid, raid_id)).places_taken == 0
    assert sorted((row.metric.value, row.amount) for row in await city.rows(LedgerEntry)) == [
        ("volunteers_street", 1),
        ("volunteers_street_active", -1),
        ("volunteers_street_active", 1),
    ]


async def test_a_consent_is_taken_back_and_given_again_by_further_rows(city: TestCity):
    volunteer, client = await city.volunteer()
    for is_given in (True, False, True):
        word = {"purpose": "photos", "is_given": is_given, **SAID}
        assert (await client.post("/volunteers/me/consents", json=word)).status_code == 201
    found = (await client.get("/volunteers/me/consents")).json()["items"]
    assert [each["is_given"] for each in found] == [True, False, True]
    assert {each["recorded_by"] for each in found} == {str(volunteer.account_id)}
    assert (await client.get("/volunteers/me")).json()["status"] == "active"


async def test_without_a_consent_that_is_needed_nobody_goes_on(city: TestCity, coordinator: Client):
    raid_id = await raid_in(city, capacity=1)
    volunteer, client = await city.volunteer()
    await client.post(f"/raids/{raid_id}/sign-up")
    word = {"purpose": "personal_data", "is_given": False, **SAID}
    assert (await client.post("/volunteers/me/consents", json=word)).json()["is_given"] is False
    assert (await client.get("/volunteers/me")).status_code == 401
    assert (await city.one(Raid, raid_id)).places_taken == 0
    path = f"/volunteers/{volunteer.id}"
    assert (await coordinator.get(path)).json()["status"] == "suspended"
    assert (await coordinator.post(f"{path}/reinstate")).json()["code"] == "consent_withdrawn"
    again = await coordinator.post(f"{path}/consents", json={**word, "is_given": True, "given_by": "self"})
    assert again.status_code == 201
    assert (await coordinator.post(f"{path}/reinstate")).json()["status"] == "active"
    assert [row.is_given for row in sorted(await city.rows(Consent), key=lambda row: row.id)] == [False, True]
    assert await city.count(VolunteerEvent) == 2


async def test_for_a_minor_it_is_the_guardians_word_that_counts(city: TestCity, coordinator: Client):
    fifteen = (datetime.now(UTC) - timedelta(days=15 * 366)).date()
    guardian = {"guardian_name": "Анасы", "guardian_phone": "+77017654321"}
    volunteer, client = await city.volunteer(birth_on=fifteen, **guardian)
    own = {"purpose": "participation", "is_given": False, **SAID}
    await client.post("/volunteers/me/consents", json=own)
    path = f"/volunteers/{volunteer.id}"
    assert (await coordinator.get(path)).json()["status"] == "active"
    await coordinator.post(f"{path}/consents", json={**own, "given_by": "guardian"})
    assert (await coordinator.get(path)).json()["status"] == "suspended"


async def test_a_guardian_who_is_not_on_file_says_nothing(city: TestCity, coordinator: Client):
    volunteer, _ = await city.volunteer()
    word: dict[str, Any] = {"purpose": "photos", "is_given": True, "given_by": "guardian", **SAID}
    refused = await coordinator.post(f"/volunteers/{volunteer.id}/consents", json=word)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_guardian")
    assert await city.count(Consent) == 0


async def test_an_application_whose_consent_was_taken_back_is_not_approved(city: TestCity, coordinator: Client):
    volunteer, _ = await city.volunteer(status="applied", account_id=None)
    await city.add(
        *(
            Consent(city_id=city.id, volunteer_id=volunteer.id, is_given=False, **each)
            for each in consents("participation")
        )
    )
    refused = await coordinator.post(f"/volunteers/{volunteer.id}/approve", json={"reason": "Known from school"})
    assert refused.json()["code"] == "consent_withdrawn"
    assert await city.count(VolunteerEvent) == 0

import asyncio
from collections import Counter

import pytest

from app.domain.permissions import Role
from app.models.accounts import Account
from app.models.ledger import LedgerEntry
from tests.auth.devices import sign_in
from tests.city import Client, TestCity, application


async def applied(city: TestCity, **changes) -> str:
    taken = await city.anonymous.post(f"/public/{city.id}/volunteers", json=application(**changes))
    return taken.json()["id"]


@pytest.fixture
async def coordinator(city: TestCity) -> Client:
    return await city.as_(Role.COORDINATOR)


async def test_from_the_application_to_the_first_sign_in(city: TestCity, coordinator: Client):
    sent = application()
    volunteer_id = await applied(city, **sent)
    approved = (await coordinator.post(f"/volunteers/{volunteer_id}/approve")).json()
    invitation = (await coordinator.post(f"/volunteers/{volunteer_id}/invite")).json()
    assert (approved["status"], invitation["login"]) == ("active", sent["phone"])

    chosen = {"login": sent["phone"].replace("+7", "8"), "code": invitation["code"], "password": "таза қала 2026"}
    assert (await city.anonymous.post("/auth/password", json=chosen)).status_code == 204
    token = (await sign_in(city.anonymous, chosen["login"], chosen["password"])).json()["access_token"]
    own = await city.anonymous.get("/volunteers/me", headers={"Authorization": f"Bearer {token}"})
    file = (await coordinator.get(f"/volunteers/{volunteer_id}")).json()
    assert own.json() == {name: value for name, value in file.items() if name != "coordinator_note"}


async def test_approval_counts_the_volunteer_once_in_each_programme(city: TestCity, coordinator: Client):
    volunteer_id = await applied(city, programmes=["street", "online", "outreach"])
    answers = await asyncio.gather(*(coordinator.post(f"/volunteers/{volunteer_id}/approve") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    await coordinator.post(f"/volunteers/{volunteer_id}/suspend", json={"reason": "Exams"})
    await coordinator.post(f"/volunteers/{volunteer_id}/reinstate")
    entries = Counter((entry.metric.value, entry.amount) for entry in await city.rows(LedgerEntry))
    assert entries == {
        ("volunteers_street", 1): 1,
        ("volunteers_online", 1): 1,
        ("volunteers_street_active", 1): 2,
        ("volunteers_street_active", -1): 1,
        ("volunteers_online_active", 1): 2,
        ("volunteers_online_active", -1): 1,
    }
    street = (await city.totals())["volunteers_street_active"]
    assert (street["kind"], street["total"]) == ("level", 1)


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ([], ["suspend", "reinstate", "leave", "invite"]),
        (["reject"], ["approve", "reject", "suspend", "reinstate", "leave", "invite"]),
        (["approve"], ["approve", "reject", "reinstate"]),
        (["approve", "suspend"], ["approve", "reject", "suspend", "invite"]),
        (["approve", "suspend", "reinstate"], ["approve", "reject", "reinstate"]),
        (["approve", "suspend", "leave"], ["approve", "reject", "suspend", "reinstate", "leave", "invite"]),
        (["approve", "leave"], ["approve", "reject", "suspend", "reinstate", "leave", "invite"]),
    ],
)
async def test_a_step_that_the_flow_does_not_list_is_refused(city: TestCity, coordinator: Client, steps, refused):
    volunteer_id = await applied(city)

    async def take(step: str) -> int:
        body = {"reason": "did not answer the phone"} if step in {"reject", "suspend"} else None
        return (await coordinator.post(f"/volunteers/{volunteer_id}/{step}", json=body)).status_code

    assert [await take(step) for step in steps] == [200] * len(steps)
    before = (await coordinator.get(f"/volunteers/{volunteer_id}")).json()
    assert [await take(step) for step in refused] == [409] * len(refused)
    assert (await coordinator.get(f"/volunteers/{volunteer_id}")).json() == before


async def test_a_login_that_is_taken_stops_the_approval_and_counts_nobody(city: TestCity, coordinator: Client):
    sent = application()
    await city.add(Account(city_id=city.id, login=sent["phone"], role=Role.MODERATOR))
    volunteer_id = await applied(city, **sent)
    refused = await coordinator.post(f"/volunteers/{volunteer_id}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "login_taken")
    assert (await coordinator.get(f"/volunteers/{volunteer_id}")).json()["status"] == "applied"
    assert await city.count(LedgerEntry) == 0


async def test_nobody_becomes_an_admin_by_way_of_a_volunteers_file(city: TestCity, coordinator: Client):
    """A volunteer who has risen to admin keeps the file; the code for the account is no longer a coordinator's."""
    volunteer, _ = await city.volunteer()
    admin = await city.as_(Role.ADMIN)
    await admin.put(f"/accounts/{volunteer.account_id}/access", json={"role": "admin", "is_active": True})
    for step in ("invite", "suspend"):
        body = {"reason": "Exams"} if step == "suspend" else None
        assert (await coordinator.post(f"/volunteers/{volunteer.id}/{step}", json=body)).status_code == 403
    risen = await city.one(Account, volunteer.account_id)
    assert (risen.is_active, risen.invitation_hash) == (True, None)
    assert (await admin.post(f"/volunteers/{volunteer.id}/suspend", json={"reason": "Exams"})).status_code == 200

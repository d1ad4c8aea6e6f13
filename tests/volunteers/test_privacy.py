from uuid import uuid4

from app.domain.permissions import Role
from tests.auth.devices import refusal
from tests.city import TestCity


async def test_a_list_carries_no_birth_dates_and_no_guardians(city: TestCity):
    await city.volunteer(guardian_name="Анасы", guardian_phone="+77017654321")
    (line,) = (await (await city.as_(Role.COORDINATOR)).get("/volunteers")).json()["items"]
    assert line["has_guardian"] is True
    assert not line.keys() & {"birth_on", "guardian_name", "guardian_phone", "account_id"}
    assert "+77017654321" not in str(line)


async def test_volunteers_see_their_own_file_and_no_other(city: TestCity):
    own, client = await city.volunteer(given_name="Own")
    other, _ = await city.volunteer(given_name="Other")
    assert (await client.get("/volunteers/me")).json()["given_name"] == "Own"
    asked = [await client.get(f"/volunteers/{each}") for each in (other.id, own.id, uuid4())]
    assert refusal(asked[0]) == refusal(asked[1]) == refusal(asked[2])
    assert asked[0].status_code == 403


async def test_a_role_without_a_file_has_none_to_see(city: TestCity):
    assert (await (await city.as_(Role.VOLUNTEER)).get("/volunteers/me")).status_code == 404


async def test_the_list_can_be_asked_for_those_who_wait(city: TestCity):
    await city.volunteer(status="active")
    await city.volunteer(status="applied", given_name="Waits")
    found = await (await city.as_(Role.COORDINATOR)).get("/volunteers", params={"status": "applied"})
    assert [volunteer["given_name"] for volunteer in found.json()["items"]] == ["Waits"]

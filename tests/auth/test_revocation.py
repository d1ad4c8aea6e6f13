"""What takes access away does so with the very next request, whatever the token still says."""

import pytest

from app.domain.permissions import AccountKind, Role
from app.models.raids import Raid
from tests.auth.devices import Device, device, person, sign_in
from tests.city import TestCity, raid_plan


async def test_logging_out_ends_this_device_only(city: TestCity):
    account = await person(city)
    phone, laptop = await device(city, account), await device(city, account)
    assert (await phone.post("/auth/logout")).status_code == 204
    assert (await phone.read()).json()["code"] == "token_superseded"
    assert (await phone.refresh()).status_code == 401
    assert (await laptop.read()).status_code == 200
    assert (await laptop.refresh()).status_code == 200


async def test_logging_out_everywhere_ends_all_devices_of_the_account_alone(city: TestCity):
    account, colleague = await person(city), await person(city)
    phone, laptop, other = await device(city, account), await device(city, account), await device(city, colleague)
    assert (await phone.post("/auth/logout-everywhere")).status_code == 204
    for ended in phone, laptop:
        assert (await ended.read()).status_code == 401
        assert (await ended.refresh()).status_code == 401
    assert (await other.read()).status_code == 200
    assert (await sign_in(city.anonymous, account.login)).status_code == 200


@pytest.fixture
async def demoted(city: TestCity) -> Device:
    """A coordinator, signed in, who has become an analyst since."""
    account = await person(city, Role.COORDINATOR)
    phone = await device(city, account)
    assert (await phone.post("/raids", json=raid_plan())).status_code == 201
    admin = await city.as_(Role.ADMIN)
    await admin.put(f"/accounts/{account.id}/access", json={"role": "analyst", "is_active": True})
    return phone


async def test_after_a_change_of_role_the_old_token_reads_nothing(city: TestCity, demoted: Device):
    refused = await demoted.read()
    assert (refused.status_code, refused.json()["code"]) == (401, "token_superseded")


async def test_after_a_change_of_role_the_old_token_writes_nothing(city: TestCity, demoted: Device):
    refused = await demoted.post("/raids", json=raid_plan())
    assert (refused.status_code, refused.json()["code"]) == (401, "token_superseded")
    assert await city.count(Raid) == 1


async def test_after_a_change_of_role_a_refreshed_token_has_the_new_one(city: TestCity, demoted: Device):
    assert (await demoted.refresh()).status_code == 200
    assert (await demoted.read()).json()["role"] == "analyst"
    assert (await demoted.post("/raids", json=raid_plan())).status_code == 403


async def test_a_new_password_signs_all_devices_out(city: TestCity):
    account = await person(city)
    phone, admin = await device(city, account), await city.as_(Role.ADMIN)
    code = (await admin.post(f"/accounts/{account.id}/invite")).json()["code"]
    chosen = {"login": account.login, "code": code, "password": "another one 5"}
    assert (await city.anonymous.post("/auth/password", json=chosen)).status_code == 204
    assert (await phone.read()).status_code == 401
    assert (await phone.refresh()).status_code == 401
    assert (await sign_in(city.anonymous, account.login)).status_code == 401
    assert (await sign_in(city.anonymous, account.login, "another one 5")).status_code == 200


async def test_a_suspended_volunteer_is_out_at_once_and_signs_in_again_when_reinstated(city: TestCity):
    account = await person(city, Role.VOLUNTEER)
    volunteer, _ = await city.volunteer(account_id=account.id)
    phone, coordinator = await device(city, account), await city.as_(Role.COORDINATOR)

    await coordinator.post(f"/volunteers/{volunteer.id}/suspend", json={"reason": "Exams"})
    assert (await phone.read()).status_code == 401
    assert (await sign_in(city.anonymous, account.login)).status_code == 401

    await coordinator.post(f"/volunteers/{volunteer.id}/reinstate")
    assert (await phone.read()).status_code == 401
    assert (await phone.refresh()).status_code == 401
    back = Device(city.anonymous, (await sign_in(city.anonymous, account.login)).json())
    assert (await back.read()).status_code == 200


async def test_a_new_service_secret_ends_what_the_old_one_opened(city: TestCity):
    service, admin = await person(city, Role.ANALYST, kind=AccountKind.SERVICE), await city.as_(Role.ADMIN)
    client = await city.client_of(service)
    assert (await admin.post(f"/accounts/{service.id}/secret")).status_code == 201
    assert (await client.get("/metrics")).status_code == 401

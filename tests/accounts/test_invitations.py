from datetime import timedelta

import httpx
import pytest
import time_machine

from app.core.clock import utc_now
from app.domain.permissions import AccountKind, Role
from app.models.accounts import Account
from app.services.accounts import INVITATION_LIFETIME
from tests.auth.devices import refusal, sign_in
from tests.city import TestCity

CHOSEN = "тек маған мәлім 1"


@pytest.fixture
async def account(city: TestCity) -> Account:
    return await city.account(Role.MODERATOR)


async def invite(city: TestCity, account: Account) -> str:
    return (await (await city.as_(Role.ADMIN)).post(f"/accounts/{account.id}/invite")).json()["code"]


async def choose(city: TestCity, account: Account, code: str, password: str = CHOSEN) -> httpx.Response:
    chosen = {"login": account.login, "code": code, "password": password}
    return await city.anonymous.post("/auth/password", json=chosen)


async def test_with_the_code_a_password_is_set_once(city: TestCity, account: Account):
    code = await invite(city, account)
    assert (await choose(city, account, f" {code.upper()} ")).status_code == 204
    assert (await sign_in(city.anonymous, account.login, CHOSEN)).status_code == 200
    assert (await choose(city, account, code, "somebody else's")).status_code == 401
    assert (await sign_in(city.anonymous, account.login, CHOSEN)).status_code == 200


async def test_a_code_that_is_wrong_old_replaced_or_anothers_is_refused_alike(city: TestCity, account: Account):
    replaced = await invite(city, account)
    code = await invite(city, account)
    anothers = await invite(city, await city.account(Role.MODERATOR))
    refused = [await choose(city, account, each) for each in ("0000-0000-0000-0000", replaced, anothers)]
    refused.append(await choose(city, Account(login="nobody@example.kz", role=Role.MODERATOR), code))
    with time_machine.travel(utc_now() + INVITATION_LIFETIME + timedelta(seconds=1)):
        refused.append(await choose(city, account, code))
    assert refusal(refused[0])["code"] == "invitation_refused"
    assert all(refusal(answer) == refusal(refused[0]) for answer in refused)
    assert (await choose(city, account, code)).status_code == 204


async def test_a_code_does_not_open_an_account_that_is_switched_off(city: TestCity, account: Account):
    code = await invite(city, account)
    admin = await city.as_(Role.ADMIN)
    await admin.put(f"/accounts/{account.id}/access", json={"role": "moderator", "is_active": False})
    assert (await choose(city, account, code)).status_code == 401


@pytest.mark.parametrize("weak", ["nine char", "{login}", "{LOGIN}"])
async def test_a_weak_password_is_refused_and_the_code_stays_good(city: TestCity, account: Account, weak: str):
    code = await invite(city, account)
    refused = await choose(city, account, code, weak.format(login=account.login, LOGIN=account.login.upper()))
    assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [("weak_password", "/body/password")]
    assert (await choose(city, account, code)).status_code == 204


async def test_ones_own_phone_number_is_no_password(city: TestCity):
    account = Account(city_id=city.id, login="+77019876543", role=Role.VOLUNTEER)
    refused = await choose(city, account, "0", "8 701 987 65 43")
    assert refused.json()["errors"][0]["code"] == "weak_password"


async def test_a_service_is_not_invited_and_a_person_has_no_secret(city: TestCity, account: Account):
    admin = await city.as_(Role.ADMIN)
    service = Account(city_id=city.id, login=f"dashboard-{city.id}", role=Role.ANALYST, kind=AccountKind.SERVICE)
    await city.add(service)
    assert (await admin.post(f"/accounts/{service.id}/invite")).status_code == 404
    assert (await admin.post(f"/accounts/{account.id}/secret")).status_code == 404

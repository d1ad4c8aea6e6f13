import asyncio
from uuid import uuid4

import pytest
from sqlmodel import select

from app.domain.permissions import Role
from app.models.accounts import Account
from tests.auth.devices import refusal
from tests.city import TestCity, found_city


def draft(**changes):
    return {"login": f"{uuid4().hex}@example.kz", "role": "coordinator", **changes}


async def test_an_admin_makes_an_account_that_nobody_can_sign_in_to_yet(city: TestCity):
    admin = await city.as_(Role.ADMIN)
    made = await admin.post("/accounts", json=draft(login="Aigerim@Example.KZ"))
    assert made.status_code == 201
    assert (made.json()["login"], made.json()["is_active"]) == ("aigerim@example.kz", True)
    assert made.json() == (await admin.get(f"/accounts/{made.json()['id']}")).json()
    assert (await city.one(Account, made.json()["id"])).secret_hash is None


@pytest.mark.parametrize("same", [str, str.upper])
async def test_a_login_is_taken_in_whatever_city_and_letters(city: TestCity, same):
    taken = draft()
    async with found_city(city.app) as other:
        await (await other.as_(Role.ADMIN)).post("/accounts", json=taken)
    refused = await (await city.as_(Role.ADMIN)).post("/accounts", json=draft(login=same(taken["login"])))
    assert (refused.status_code, refused.json()["code"]) == (409, "login_taken")


async def test_a_phone_number_is_kept_in_one_form(city: TestCity):
    admin, digits = await city.as_(Role.ADMIN), f"{uuid4().int % 10**7:07}"
    made = await admin.post("/accounts", json=draft(login=f"8701{digits}"))
    assert made.json()["login"] == f"+7701{digits}"
    assert (await admin.post("/accounts", json=draft(login=f"+7701{digits}"))).status_code == 409


async def test_of_two_who_make_the_same_account_at_once_one_does(city: TestCity):
    admin, same = await city.as_(Role.ADMIN), draft()
    answers = await asyncio.gather(*(admin.post("/accounts", json=same) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_who_am_i(city: TestCity):
    for role in Role:
        assert (await (await city.as_(role)).get("/accounts/me")).json()["role"] == role


async def test_the_list_can_be_asked_for_one_role(city: TestCity):
    admin = await city.as_(Role.ADMIN)
    analyst = await city.account(Role.ANALYST)
    everyone = (await admin.get("/accounts")).json()["items"]
    assert {account["role"] for account in everyone} == {"admin", "analyst"}
    analysts = (await admin.get("/accounts", params={"role": "analyst"})).json()["items"]
    assert [account["id"] for account in analysts] == [str(analyst.id)]


async def test_no_admin_changes_their_own_access_so_that_a_city_keeps_one(city: TestCity):
    account = await city.account(Role.ADMIN)
    admin = await city.client_of(account)
    for change in ({"role": "analyst", "is_active": True}, {"role": "admin", "is_active": False}):
        refused = await admin.put(f"/accounts/{account.id}/access", json=change)
        assert (refused.status_code, refused.json()["code"]) == (403, "own_account")
    assert (await admin.get("/accounts/me")).json()["role"] == "admin"


async def test_of_two_admins_who_switch_each_other_off_at_once_one_remains(city: TestCity):
    first, second = await city.account(Role.ADMIN), await city.account(Role.ADMIN)
    off = {"role": "admin", "is_active": False}
    clients = await city.client_of(first), await city.client_of(second)
    async with city.database.transaction() as session:  # holds both until both are under way
        await session.exec(select(Account).where(Account.city_id == city.id).with_for_update())
        changes = [
            asyncio.create_task(client.put(f"/accounts/{other.id}/access", json=off))
            for client, other in zip(clients, (second, first), strict=True)
        ]
        await asyncio.sleep(0.2)
    assert sorted(answer.status_code for answer in await asyncio.gather(*changes)) == [200, 401]
    assert sorted(account.is_active for account in await city.rows(Account)) == [False, True]


@pytest.fixture(params=["of another city", "of the republic"])
async def out_of_reach(request: pytest.FixtureRequest, city: TestCity):
    async with found_city(city.app) as other:
        yield await other.account(Role.ANALYST, None if request.param == "of the republic" else other.id)


async def test_an_account_out_of_reach_is_like_one_that_does_not_exist(city: TestCity, out_of_reach: Account):
    admin = await city.as_(Role.ADMIN)
    change = {"role": "volunteer", "is_active": False}
    for method, path, body in (
        ("GET", "/accounts/{}", None),
        ("PUT", "/accounts/{}/access", change),
        ("POST", "/accounts/{}/invite", None),
        ("POST", "/accounts/{}/secret", None),
    ):
        refused = await admin.request(method, path.format(out_of_reach.id), json=body)
        missing = await admin.request(method, path.format(uuid4()), json=body)
        assert refused.status_code == 404
        assert refusal(refused) == refusal(missing)
    listed = (await admin.get("/accounts")).json()["items"]
    assert str(out_of_reach.id) not in {account["id"] for account in listed}
    async with city.database.transaction() as session:
        stored = await session.get(Account, out_of_reach.id)
    assert stored == out_of_reach

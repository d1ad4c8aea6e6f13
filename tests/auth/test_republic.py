"""Accounts of no city: the republic's analysts and admins name the city they act in with each request."""

from uuid import uuid4

import pytest

from app.domain.permissions import Role
from tests.city import Client, TestCity, found_city, raid_plan


@pytest.fixture
async def republican(city: TestCity) -> Client:
    return await city.client_of(await city.account(Role.ADMIN, city_id=None))


async def test_it_acts_in_the_city_it_names(city: TestCity, republican: Client):
    made = await republican.post("/raids", json=raid_plan(), headers={"X-City": city.id})
    assert made.status_code == 201
    async with found_city(city.app) as other:
        there = await republican.get(f"/raids/{made.json()['id']}", headers={"X-City": other.id})
    assert there.status_code == 404


@pytest.mark.parametrize("named", [None, ""])
async def test_without_the_name_of_a_city_it_does_nothing(republican: Client, named: str | None):
    headers = {} if named is None else {"X-City": named}
    for answer in (
        await republican.get("/raids", headers=headers),
        await republican.post("/raids", json=raid_plan(), headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "city_needed")


@pytest.mark.parametrize("named", ["Almaty", "a", "../almaty", "almaty, astana", "a" * 40])
async def test_a_name_that_can_be_no_citys_is_said_to_be_none(republican: Client, named: str):
    for answer in (
        await republican.get("/raids", headers={"X-City": named}),
        await republican.post("/raids", json=raid_plan(), headers={"X-City": named}),
    ):
        faults = [(error["code"], error["pointer"]) for error in answer.json()["errors"]]
        assert (answer.status_code, faults) == (422, [("not_a_slug", "/header/X-City")])


async def test_in_a_city_that_is_not_there_it_finds_nothing(republican: Client):
    nowhere = {"X-City": f"no-{uuid4().hex[:8]}"}
    for path in ("/raids", "/spots", "/spots/map", "/metrics", "/accounts", "/volunteers", "/referrals", "/imports"):
        answer = await republican.get(path, headers=nowhere)
        assert (answer.status_code, answer.json()["detail"]) == (404, "Not found: city.")
    assert (await republican.post("/raids", json=raid_plan(), headers=nowhere)).status_code == 404


async def test_who_am_i_and_signing_out_need_no_city(republican: Client):
    assert (await republican.get("/accounts/me")).json()["role"] == "admin"
    assert (await republican.post("/auth/logout")).status_code == 204
    assert (await republican.get("/accounts/me")).status_code == 401


async def test_a_role_is_judged_before_the_city_is_asked_for(city: TestCity):
    analyst = await city.client_of(await city.account(Role.ANALYST, city_id=None))
    assert (await analyst.post("/raids", json=raid_plan())).json()["code"] == "forbidden"


async def test_an_account_of_a_city_stays_in_it_whatever_it_names(city: TestCity):
    async with found_city(city.app) as other:
        await (await other.as_(Role.COORDINATOR)).post("/raids", json=raid_plan())
        coordinator = await city.as_(Role.COORDINATOR)
        there = {"X-City": other.id}
        assert (await coordinator.get("/raids", headers=there)).json()["items"] == []
        made = (await coordinator.post("/raids", json=raid_plan(), headers=there)).json()
        assert (await coordinator.get(f"/raids/{made['id']}")).status_code == 200

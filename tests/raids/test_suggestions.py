from datetime import timedelta

from app.domain.permissions import Role
from tests.city import TestCity, found_city
from tests.raids.test_waiting_list import raid_in


async def test_eligibility_names_every_reason_in_the_callers_language(city: TestCity):
    raid_id = await raid_in(city)
    volunteer, _ = await city.volunteer(status="suspended", programmes=["online"])
    fit, _ = await city.volunteer()
    coordinator = await city.as_(Role.COORDINATOR)

    found = await coordinator.get(f"/raids/{raid_id}/eligibility/{volunteer.id}", headers={"Accept-Language": "ru"})
    good = await coordinator.get(f"/raids/{raid_id}/eligibility/{fit.id}")

    assert found.json()["is_eligible"] is False
    assert [reason["code"] for reason in found.json()["reasons"]] == ["not_active", "not_in_programme"]
    assert "Волонтёр" in found.json()["reasons"][0]["detail"]
    assert good.json() == {"volunteer_id": str(fit.id), "is_eligible": True, "reasons": []}


async def test_another_citys_volunteer_is_not_judged(city: TestCity):
    raid_id = await raid_in(city)
    async with found_city(city.app) as other:
        stranger, _ = await other.volunteer()
    coordinator = await city.as_(Role.COORDINATOR)
    assert (await coordinator.get(f"/raids/{raid_id}/eligibility/{stranger.id}")).status_code == 404


async def test_the_rest_between_two_raids_is_a_reason(city: TestCity):
    raid_id, soon_after = await raid_in(city), await raid_in(city, timedelta(hours=33, minutes=-1))
    volunteer, client = await city.volunteer()
    await client.post(f"/raids/{raid_id}/sign-up")
    coordinator = await city.as_(Role.COORDINATOR)
    found = (await coordinator.get(f"/raids/{soon_after}/eligibility/{volunteer.id}")).json()
    on_it = (await coordinator.get(f"/raids/{raid_id}/eligibility/{volunteer.id}")).json()
    assert [reason["code"] for reason in found["reasons"]] == ["too_little_rest"]
    assert [reason["code"] for reason in on_it["reasons"]] == ["already_on_it"]


async def test_those_who_may_go_are_ranked_near_first_then_asked_longest_ago(city: TestCity):
    raid_id = await raid_in(city)
    await city.volunteer(given_name="far", districts=["east"])
    _, client = await city.volunteer(given_name="near, asked lately", districts=["west"])
    await city.volunteer(given_name="near", districts=["west", "east"])
    await city.volunteer(given_name="suspended", status="suspended", districts=["west"])
    await city.volunteer(given_name="online", programmes=["online"], districts=["west"])
    other = await raid_in(city)
    await client.post(f"/raids/{other}/sign-up")
    await client.post(f"/raids/{other}/withdraw")
    _, on_it = await city.volunteer(given_name="on it", districts=["west"])
    await on_it.post(f"/raids/{raid_id}/sign-up")

    found = await (await city.as_(Role.COORDINATOR)).get(f"/raids/{raid_id}/suggestions")

    items = found.json()["items"]
    assert [each["given_name"] for each in items] == ["near", "near, asked lately", "far"]
    assert [each["is_near"] for each in items] == [True, True, False]
    assert [each["last_asked_at"] is None for each in items] == [True, False, True]
    assert not items[0].keys() & {"birth_on", "phone"}

from datetime import UTC, datetime, timedelta

import pytest

from app.core.ranges import half_open
from app.domain.availability import part_of_week
from app.domain.eligibility import asking_order
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


async def test_who_has_time_comes_before_who_has_not_and_may_be_offered_a_place_all_the_same(city: TestCity):
    raid_id = await raid_in(city)
    week = half_open([(0, 7 * 1440)])
    await city.volunteer(given_name="far, free", districts=["east"], availability=week)
    busy, _ = await city.volunteer(given_name="near, busy", districts=["west"])
    await city.volunteer(given_name="near, free", districts=["west"], availability=week)
    coordinator = await city.as_(Role.COORDINATOR)

    items = (await coordinator.get(f"/raids/{raid_id}/suggestions")).json()["items"]

    assert [each["given_name"] for each in items] == ["near, free", "near, busy", "far, free"]
    assert [(each["is_near"], each["is_available"]) for each in items] == [(True, True), (True, False), (False, True)]
    offered = await coordinator.post(f"/raids/{raid_id}/offers", json={"volunteer_id": str(busy.id)})
    assert offered.json()["status"] == "offered"


def test_of_those_asked_in_the_same_week_whoever_gave_least_is_asked_first():
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    asked = [(None, 0), (monday - timedelta(days=1), 900), (monday + timedelta(days=5), 0), (monday, 60)]
    assert sorted(asked[2:] + asked[:2], key=lambda each: asking_order(*each)) == asked


@pytest.mark.parametrize(
    ("starts", "ends", "minutes"),
    [
        ("2026-11-23T00:00:00+05:00", "2026-11-23T02:00:00+05:00", [(0, 120)]),
        ("2026-11-22T18:59:30Z", "2026-11-22T19:00:30Z", [(0, 1), (7 * 1440 - 1, 7 * 1440)]),
        ("2026-11-28T12:00:00+05:00", "2026-11-28T12:00:10+05:00", [(5 * 1440 + 720, 5 * 1440 + 721)]),
    ],
)
def test_a_raid_is_a_part_of_the_citys_week(starts: str, ends: str, minutes: list[tuple[int, int]]):
    assert part_of_week(datetime.fromisoformat(starts), datetime.fromisoformat(ends), "Asia/Almaty") == minutes

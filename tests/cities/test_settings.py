"""What a city decides for itself."""

import pytest

from app.domain.permissions import Role
from app.models.cities import City
from tests.city import IN_WEST, Client, TestCity
from tests.spots.walls import north_of, spot_of

ADDRESS = "/city/settings"


async def change(client: Client, version: str = '"1"', **settings: object):
    return await client.patch(ADDRESS, json=settings, headers={"If-Match": version})


async def test_a_city_has_settings_of_its_own(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    there = await coordinator.get(ADDRESS)
    assert (there.headers["etag"], there.json()) == (
        '"1"',
        {"version": 1, "same_spot_metres": 15, "checked_percent": 10},
    )


async def test_a_change_holds_from_now_on_and_leaves_the_rest(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    first = await spot_of(city)
    changed = await change(coordinator, same_spot_metres=5)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert changed.json() == {"version": 2, "same_spot_metres": 5, "checked_percent": 10}
    assert await spot_of(city, point=north_of(IN_WEST, 10)) != first


async def test_a_change_does_not_wait_for_what_is_just_being_written(city: TestCity):
    """Each row of the city holds it by its key until it is committed: an import does so for minutes."""
    async with city.beside() as other, other.transaction():
        await other.execute("SELECT FROM city WHERE id = $1 FOR KEY SHARE", city.id)
        assert (await change(await city.as_(Role.COORDINATOR), checked_percent=20)).status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("same_spot_metres", 0, "too_small"),
        ("same_spot_metres", 101, "too_big"),
        ("checked_percent", -1, "too_small"),
        ("checked_percent", 101, "too_big"),
        ("checked_percent", "10", "wrong_type"),
        ("colour", 1, "unknown"),
    ],
)
async def test_what_cannot_be_set(city: TestCity, name: str, value: object, code: str):
    refused = await change(await city.as_(Role.ADMIN), **{name: value})
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [(code, f"/body/{name}")]


async def test_who_has_read_an_older_version_changes_nothing(city: TestCity):
    admin = await city.as_(Role.ADMIN)
    await change(admin, checked_percent=20)
    stale = await change(admin, checked_percent=30)
    unnamed = await admin.patch(ADDRESS, json={"checked_percent": 30})
    assert (stale.status_code, unnamed.status_code) == (412, 428)
    async with city.database.transaction() as session:
        assert (await session.get(City, city.id)).checked_percent == 20

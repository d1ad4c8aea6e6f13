"""The ETag of a report is made of what it depends on: nothing is counted to say that it is as it was."""

import asyncio

import pytest
import sqlalchemy as sa

from app.domain.permissions import Role
from app.models.cities import District
from tests.city import IN_WEST, TestCity, removal
from tests.client import Client

PATHS = [
    "/metrics/funnel",
    "/metrics/map?metric=graffiti_painted",
    "/metrics/leaderboard?metric=graffiti_painted",
    "/metrics/leaderboard/crews",
]


async def tag(client: Client, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_report_is_told_again_when_a_fact_has_come(city: TestCity, path: str):
    analyst, coordinator = await city.as_(Role.ANALYST), await city.as_(Role.COORDINATOR)
    raid = await city.raid_under_way()
    await coordinator.post(f"/raids/{raid['id']}/removals", json=removal(point=IN_WEST))
    before = await tag(analyst, path)
    again = await analyst.get(path, headers={"If-None-Match": before})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", before)

    assert (await coordinator.post(f"/raids/{raid['id']}/finish")).status_code == 200
    assert (await analyst.get(path, headers={"If-None-Match": before})).status_code == 200
    after = await tag(analyst, path)
    assert (await analyst.get(path, headers={"If-None-Match": f'W/{after}, "x"'})).status_code == 304


@pytest.mark.parametrize("path", PATHS)
async def test_it_is_one_document_for_all_of_a_role_and_another_as_a_table(city: TestCity, path: str):
    analyst, other = await city.as_(Role.ANALYST), await city.client_of(await city.account(Role.ANALYST))
    _, volunteer = await city.volunteer()
    table = f"{path}{'&' if '?' in path else '?'}format=csv"
    assert await tag(analyst, path) == await tag(other, path)
    tags = {await tag(client, form) for client in (analyst, volunteer) for form in (path, table)}
    assert len(tags) == 4


async def test_a_district_that_is_renamed_is_told(city: TestCity):
    analyst, path = await city.as_(Role.ANALYST), "/metrics/leaderboard?metric=sightings"
    before = await tag(analyst, path)
    async with city.database.transaction() as session:
        renamed = sa.update(District).where(District.city_id == city.id, District.id == "west").values(name_en="West")
        await session.exec(renamed)
    told = await analyst.get(path, headers={"If-None-Match": before})
    assert told.status_code == 200
    assert "West" in told.text


@pytest.mark.parametrize("path", PATHS[1:3])
async def test_what_everybody_may_read_is_told_again_within_a_second(city: TestCity, path: str):
    path = f"/public/{city.id}{path}"
    before = await tag(city.anonymous, path)
    again = await city.anonymous.get(path, headers={"If-None-Match": before})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "public, max-age=1")
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/raids/{raid['id']}/removals", json=removal(point=IN_WEST))
    assert (await coordinator.post(f"/raids/{raid['id']}/finish")).status_code == 200
    await asyncio.sleep(1)
    assert (await city.anonymous.get(path, headers={"If-None-Match": before})).status_code == 200
    assert await tag(city.anonymous, path) != before

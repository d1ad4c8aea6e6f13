from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from app.core.ids import new_id
from app.domain.permissions import Role
from app.models.raids import Raid
from tests.city import IN_EAST, TestCity, found_city, raid_plan


async def test_a_planned_raid_is_a_draft_that_volunteers_do_not_see(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    planned = await coordinator.post("/raids", json=raid_plan(point=IN_EAST))
    _, volunteer = await city.volunteer()

    assert planned.status_code == 201
    assert planned.headers["etag"] == '"1"'
    assert planned.json()["status"] == "draft"
    assert planned.json()["district_id"] == "east"
    assert (await volunteer.get(f"/raids/{planned.json()['id']}")).status_code == 404
    assert (await volunteer.get("/raids")).json()["items"] == []


async def test_what_is_read_is_what_was_answered(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    planned = await coordinator.post("/raids", json=raid_plan())
    read = await coordinator.get(f"/raids/{planned.json()['id']}")
    assert read.content == planned.content
    assert read.headers["etag"] == planned.headers["etag"]


async def test_a_meeting_point_outside_every_district_has_none(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    suburb = {"latitude": 42.83, "longitude": 76.5}
    assert (await coordinator.post("/raids", json=raid_plan(point=suburb))).json()["district_id"] is None
    assert (await coordinator.post("/raids", json=raid_plan(point=None))).json()["district_id"] is None


async def test_a_phone_may_bring_the_id_and_send_it_twice(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    plan = raid_plan(id=str(new_id()))
    first = await coordinator.post("/raids", json=plan)
    second = await coordinator.post("/raids", json=plan)
    assert first.json()["id"] == plan["id"]
    assert second.status_code == 409
    assert await city.count(Raid) == 1


async def test_impossible_times_are_refused_with_a_pointer_each(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    backwards = raid_plan(starts_at=long_ago.isoformat(), ends_at=(long_ago - timedelta(hours=1)).isoformat())

    refused = await coordinator.post("/raids", json=backwards)

    assert refused.status_code == 422
    faults = [(fault["code"], fault["pointer"]) for fault in refused.json()["errors"]]
    assert faults == [("ends_before_start", "/body/ends_at"), ("in_past", "/body/ends_at")]
    assert await city.count(Raid) == 0


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("starts_at", "2099-06-06T10:00:00", "not_a_moment"),
        ("ends_at", "2099-06-06", "not_a_moment"),
        ("capacity", 0, "too_small"),
        ("capacity", 10_001, "too_big"),
    ],
)
async def test_what_a_raid_cannot_be(city: TestCity, field: str, value: object, code: str):
    refused = await (await city.as_(Role.COORDINATOR)).post("/raids", json=raid_plan(**{field: value}))
    assert refused.status_code == 422
    assert [(fault["code"], fault["pointer"]) for fault in refused.json()["errors"]] == [(code, f"/body/{field}")]


async def test_a_raid_of_thirteen_hours_is_too_long(city: TestCity):
    now = datetime.now(UTC)
    plan = raid_plan(starts_at=now.isoformat(), ends_at=(now + timedelta(hours=13)).isoformat())
    refused = await (await city.as_(Role.COORDINATOR)).post("/raids", json=plan)
    assert [fault["code"] for fault in refused.json()["errors"]] == ["raid_too_long"]


async def test_pages_follow_each_other_without_gap_or_repeat(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    made = [(await coordinator.post("/raids", json=raid_plan(title=f"Raid {n}"))).json()["id"] for n in range(5)]

    seen, address = [], "/raids?limit=2"
    while address:
        page = await coordinator.get(address.removeprefix("/v1"))
        seen += [raid["id"] for raid in page.json()["items"]]
        link = page.headers.get("link", "")
        assert bool(link) == (page.json()["next"] is not None)
        address = link.partition(">")[0].lstrip("<")

    assert seen == made[::-1]


async def test_raids_are_found_by_status_and_district(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    opened = await city.open_raid(point=IN_EAST)
    await coordinator.post("/raids", json=raid_plan(point=IN_EAST))
    await city.open_raid()
    found = await coordinator.get("/raids", params={"status": "open", "district": "east"})
    assert [raid["id"] for raid in found.json()["items"]] == [opened["id"]]


async def test_a_known_version_is_not_sent_again(city: TestCity):
    raid = await city.open_raid()
    coordinator = await city.as_(Role.COORDINATOR)
    unchanged = await coordinator.get(f"/raids/{raid['id']}", headers={"If-None-Match": f'"{raid["version"]}"'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    changed = await coordinator.get(f"/raids/{raid['id']}", headers={"If-None-Match": '"0"'})
    assert changed.status_code == 200


async def test_a_change_needs_the_version_that_was_read(city: TestCity):
    raid = await city.open_raid()
    coordinator = await city.as_(Role.COORDINATOR)
    change = {"title": "Sunday", "capacity": 9}

    blind = await coordinator.patch(f"/raids/{raid['id']}", json=change)
    stale = await coordinator.patch(f"/raids/{raid['id']}", json=change, headers={"If-Match": '"1"'})
    known = await coordinator.patch(f"/raids/{raid['id']}", json=change, headers={"If-Match": '"2"'})

    assert (blind.status_code, stale.status_code, known.status_code) == (428, 412, 200)
    assert (known.json()["title"], known.json()["capacity"], known.json()["version"]) == ("Sunday", 9, 3)


async def test_capacity_does_not_shrink_below_those_who_are_coming(city: TestCity):
    raid = await city.open_raid(capacity=2)
    for _ in range(2):
        _, volunteer = await city.volunteer()
        await volunteer.post(f"/raids/{raid['id']}/sign-up")
    read = (await (await city.as_(Role.COORDINATOR)).get(f"/raids/{raid['id']}")).headers["etag"]
    refused = await (await city.as_(Role.COORDINATOR)).patch(
        f"/raids/{raid['id']}", json={"capacity": 1}, headers={"If-Match": read}
    )
    assert [fault["code"] for fault in refused.json()["errors"]] == ["too_small"]


async def test_a_started_raid_is_not_changed(city: TestCity):
    raid = await city.raid_under_way()
    refused = await (await city.as_(Role.COORDINATOR)).patch(
        f"/raids/{raid['id']}", json={"capacity": 9}, headers={"If-Match": f'"{raid["version"]}"'}
    )
    assert refused.json()["code"] == "wrong_status"


async def test_a_raid_does_not_start_more_than_an_hour_early(city: TestCity):
    soon = datetime.now(UTC) + timedelta(minutes=61)
    raid = await city.open_raid(starts_at=soon.isoformat(), ends_at=(soon + timedelta(hours=1)).isoformat())
    refused = await (await city.as_(Role.COORDINATOR)).post(f"/raids/{raid['id']}/start")
    assert refused.json()["code"] == "too_early"
    there = datetime.fromisoformat(raid["starts_at"]).astimezone(ZoneInfo("Asia/Almaty"))
    assert f"{there:%Y-%m-%d %H:%M}" in refused.json()["detail"]


async def test_a_cancelled_raid_says_why_and_counts_nothing(city: TestCity):
    raid = await city.open_raid()
    cancelled = await (await city.as_(Role.COORDINATOR)).post(f"/raids/{raid['id']}/cancel", json={"reason": "Rain"})
    assert (cancelled.json()["status"], cancelled.json()["cancel_reason"]) == ("cancelled", "Rain")
    assert (await city.totals())["raids_held"]["total"] == 0


async def test_another_citys_raid_answers_like_a_missing_one(city: TestCity):
    async with found_city(city.app) as other:
        foreign = await other.open_raid()
    coordinator = await city.as_(Role.COORDINATOR)
    there = await coordinator.get(f"/raids/{foreign['id']}")
    nowhere = await coordinator.get(f"/raids/{uuid4()}")
    assert there.status_code == nowhere.status_code == 404
    assert {**there.json(), "instance": ""} == {**nowhere.json(), "instance": ""}

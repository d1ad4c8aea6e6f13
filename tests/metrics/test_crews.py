"""Crews by what they painted over: never a person, and few people are not shown to who does not see them anyway."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.ids import new_id
from app.domain.assignments import AssignmentStatus
from app.domain.metrics import Metric, Origin
from app.domain.permissions import Role
from app.domain.raids import RaidStatus
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.models.spots import Removal, Spot
from tests.city import TestCity, removal
from tests.metrics.facts import DAY, entry

PATH = "/metrics/leaderboard/crews"
RANGE = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=30)}"}
MINUTES = 60


async def held(city: TestCity, painted: int, people: int = 0, **changes: Any) -> Raid:
    """A finished raid with one removal and its entries in the ledger, on the first of March unless told otherwise."""
    day: date = changes.pop("day", DAY)
    starts_at = datetime.combine(day, time(9), ZoneInfo("Asia/Almaty"))
    times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2)}
    plan = {"title": "Saturday", "meeting_point": "Abay metro", "capacity": 30, "district_id": "west", **changes}
    raid = Raid(city_id=city.id, status=RaidStatus.DONE, **times, **plan)
    spot = Spot(city_id=city.id, latitude=43.5, longitude=76.5)
    await city.add(raid, spot)
    done = Removal(city_id=city.id, spot_id=spot.id, raid_id=raid.id, inscriptions=painted, removed_at=starts_at)
    await city.add(done, entry(city, painted, subject_id=done.id, occurred_on=day, district_id="east"))
    for _ in range(people):
        volunteer, _ = await city.volunteer()
        on_it = Assignment(
            city_id=city.id, raid_id=raid.id, volunteer_id=volunteer.id, status=AssignmentStatus.ATTENDED
        )
        fact = {"subject_id": on_it.id, "occurred_on": day}
        await city.add(on_it)
        await city.add(
            entry(city, metric=Metric.PARTICIPANTS, **fact),
            entry(city, MINUTES, metric=Metric.VOLUNTEER_MINUTES, **fact),
        )
    return raid


async def standings(city: TestCity, role: Role = Role.COORDINATOR, **query: Any) -> list[dict[str, Any]]:
    answer = await (await city.as_(role)).get(PATH, params={**RANGE, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["standings"]


async def painted(city: TestCity, **query: Any) -> list[tuple[int, int]]:
    return [(each["rank"], each["painted"]) for each in await standings(city, **query)]


async def test_a_finished_raid_stands_there_and_what_a_check_takes_back_does_not_count(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    raid, removals = await city.raid_under_way(title="Up the hill"), []
    for inscriptions, longitude in ((3, 76.2), (4, 76.6)):
        body = removal(inscriptions=inscriptions, point={"latitude": 43.5, "longitude": longitude})
        removals.append((await coordinator.post(f"/raids/{raid['id']}/removals", json=body)).json())
    assert (await coordinator.get(PATH)).json()["standings"] == []
    await coordinator.post(f"/raids/{raid['id']}/finish")

    today = datetime.now(ZoneInfo("Asia/Almaty")).date()
    whole = (await coordinator.get(PATH)).json()
    assert (whole["from"], whole["to"]) == (f"{today - timedelta(days=365)}", f"{today}")
    standing = {"rank": 1, "raid_id": raid["id"], "title": "Up the hill", "day": f"{today}", "district_id": "west"}
    assert whole["standings"] == [{**standing, "painted": 7, "people": 0, "minutes": 0}]

    doubt = {"reason": "Still there"}
    admin = await city.as_(Role.ADMIN)
    for item, left in zip(removals, ([4], []), strict=True):
        assert (await admin.post(f"/checks/{item['id']}/dispute", json=doubt)).status_code == 200
        assert [each["painted"] for each in (await coordinator.get(PATH)).json()["standings"]] == left


async def test_the_most_come_first_of_equals_the_latest_and_no_more_than_asked_for(city: TestCity):
    await held(city, 5, title="early")
    await held(city, 9)
    await held(city, 5, title="late", day=DAY + timedelta(days=1))
    assert await painted(city) == [(1, 9), (2, 5), (2, 5)]
    assert [each["title"] for each in await standings(city)] == ["Saturday", "late", "early"]
    assert await painted(city, limit=1) == [(1, 9)]
    for limit in (0, 101):
        refused = await (await city.as_(Role.COORDINATOR)).get(PATH, params={"limit": limit})
        assert refused.status_code == 422


async def test_days_a_district_and_a_moment_narrow_it(city: TestCity):
    await held(city, 5, day=DAY - timedelta(days=1))
    await held(city, 6, district_id="east")
    await held(city, 7)
    before = datetime.now(UTC).isoformat()
    await held(city, 8, people=1)
    assert await painted(city) == [(1, 8), (2, 7), (3, 6)]
    assert await painted(city, district="west") == [(1, 8), (2, 7)]
    assert await painted(city, as_of=before) == [(1, 7), (2, 6)]
    assert await painted(city, **{"from": f"{DAY - timedelta(days=5)}", "to": f"{DAY - timedelta(days=1)}"}) == [(1, 5)]


async def test_only_what_a_raid_of_ours_recorded_counts(city: TestCity):
    await city.add(entry(city, 50), entry(city, 100, origin=Origin.DECLARED))
    assert await standings(city) == []


async def test_more_than_a_year_or_no_day_is_refused(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    year = {"from": "2025-01-01", "to": "2026-01-01"}
    assert (await coordinator.get(PATH, params=year)).status_code == 200
    longer = await coordinator.get(PATH, params={**year, "to": "2026-01-02"}, headers={"Accept-Language": "ru"})
    detail = "Не больше 366 дней за раз."
    assert longer.json()["errors"] == [{"code": "too_many_days", "pointer": "/query/from", "detail": detail}]
    none = await coordinator.get(PATH, params={"from": "2099-01-01"})
    assert [fault["code"] for fault in none.json()["errors"]] == ["ends_before_start"]


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.VOLUNTEER, [None, None]),
        (Role.MODERATOR, [5, None]),
        (Role.ANALYST, [5, None]),
        (Role.COORDINATOR, [5, 4]),
        (Role.ADMIN, [5, 4]),
    ],
)
async def test_few_people_are_shown_to_those_who_see_people(city: TestCity, role: Role, shown: list[int | None]):
    await held(city, 9, people=5)
    await held(city, 7, people=4)
    found = await standings(city, role)
    assert [each["people"] for each in found] == shown
    assert [each["minutes"] for each in found] == [people and people * MINUTES for people in shown]
    assert [each["painted"] for each in found] == [9, 7]


async def test_the_public_has_none(city: TestCity):
    assert (await city.anonymous.get(PATH)).status_code == 401
    assert (await city.anonymous.get(f"/public/{city.id}{PATH}")).status_code == 404


async def test_a_table_of_it(city: TestCity):
    raid = await held(city, 9, people=5, title="=1+1", id=new_id())
    analyst = await city.as_(Role.ANALYST)
    answer = await analyst.get(PATH, params={"format": "csv", **RANGE}, headers={"Accept-Language": "en"})
    header, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert header[:3] == ["Rank", "Raid", "Raid id"]
    assert row == ["1", "'=1+1", f"{raid.id}", f"{DAY}", "west", "9", "5", "300"]
    workbook = await analyst.get(PATH, params={"format": "xlsx", **RANGE})
    assert workbook.headers["content-disposition"] == 'attachment; filename="leaderboard-crews.xlsx"'


async def test_a_district_that_is_not_there_is_refused_as_in_any_report(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    refused = await analyst.get(PATH, params={**RANGE, "district": "nowhere"})
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [
        ("no_such_district", "/query/district")
    ]
    assert (await analyst.get(PATH, params={**RANGE, "district": "west"})).json()["standings"] == []

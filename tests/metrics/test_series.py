"""One metric in time: every bucket is there, and they add up."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import utc_now
from app.domain.metrics import ABOUT_PEOPLE, Metric, Origin
from app.domain.permissions import Role
from app.domain.reports import By, buckets, start_of_series
from app.domain.tallies import FIRST_DAY, LAST_DAY
from app.services.tallies import roll_up
from tests.auth.devices import refusal
from tests.city import TestCity, found_city
from tests.metrics.facts import DAY, entry

DAYS = st.dates(FIRST_DAY, LAST_DAY)


async def series(city: TestCity, metric: str = "graffiti_painted", **query: Any) -> dict[str, Any]:
    answer = await (await city.as_(Role.ANALYST)).get(f"/metrics/{metric}/series", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@given(by=st.sampled_from([By.WEEK, By.MONTH, By.QUARTER]), first=DAYS, length=st.integers(0, 2_000))
def test_each_day_is_in_one_bucket(by: By, first: date, length: int):
    last = min(first + timedelta(days=length), LAST_DAY)
    found = buckets(by, first, last)
    assert (found[0].first, found[-1].last) == (first, last)
    assert all(after.first - before.last == timedelta(days=1) for before, after in pairwise(found))
    assert len({bucket.name for bucket in found}) == len(found)


@given(by=st.sampled_from(By), last=DAYS)
def test_without_a_first_day_there_are_few_buckets(by: By, last: date):
    first = start_of_series(by, last)
    assert first <= last
    assert 1 <= len(buckets(by, first, last)) <= 30


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("day", ["2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05"]),
        ("week", ["2026-W01", "2026-W02"]),
        ("month", ["2025-12", "2026-01"]),
        ("quarter", ["2025-Q4", "2026-Q1"]),
    ],
)
async def test_a_bucket_without_a_fact_is_zero(city: TestCity, by: str, names: list[str]):
    await city.add(entry(city, 5, occurred_on=date(2026, 1, 5)))
    found = await series(city, by=by, **{"from": "2025-12-31", "to": "2026-01-05"})
    assert [bucket["name"] for bucket in found["buckets"]] == names
    assert [bucket["total"] for bucket in found["buckets"]] == [*[0] * (len(names) - 1), 5]
    assert (found["buckets"][0]["first"], found["buckets"][-1]["last"]) == ("2025-12-31", "2026-01-05")


@pytest.mark.parametrize("rolled", [False, True])
@pytest.mark.parametrize("by", By)
async def test_buckets_and_districts_add_up_to_the_range(city: TestCity, by: By, rolled: bool):  # noqa: FBT001
    facts = [
        entry(city, 2**step, occurred_on=DAY + timedelta(days=17 * step), district_id=("west", "east", None)[step % 3])
        for step in range(9)
    ]
    await city.add(*facts, entry(city, 1000, origin=Origin.DECLARED, occurred_on=DAY + timedelta(days=40)))
    await city.add(entry(city, -4, subject_id=facts[2].subject_id, reverses_id=facts[2].id, occurred_on=DAY))
    if rolled:
        async with city.database.transaction() as session:
            await roll_up(session)
    asked = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=100)}"}
    found = await series(city, by=by, by_district=True, **asked)
    expected = (await city.totals(**asked))["graffiti_painted"]
    assert found["recorded"] > 0 < found["declared"]
    for part in ("total", "recorded", "declared"):
        assert found[part] == expected[part]
        assert sum(bucket[part] for bucket in found["buckets"]) == expected[part]
        assert sum(district[part] for district in found["districts"]) == expected[part]
    for district in found["districts"]:
        assert [bucket["name"] for bucket in district["buckets"]] == [bucket["name"] for bucket in found["buckets"]]
        assert sum(bucket["total"] for bucket in district["buckets"]) == district["total"]


async def test_a_level_is_the_value_at_the_end_of_each_bucket(city: TestCity):
    level = Metric.VOLUNTEERS_STREET_ACTIVE
    await city.add(
        entry(city, metric=level, occurred_on=DAY - timedelta(days=400)),
        entry(city, metric=level, occurred_on=DAY),
        entry(city, -1, metric=level, occurred_on=DAY + timedelta(days=2)),
    )
    found = await series(city, level, **{"from": f"{DAY - timedelta(days=1)}", "to": f"{DAY + timedelta(days=2)}"})
    assert [bucket["total"] for bucket in found["buckets"]] == [1, 2, 2, 1]
    assert (found["kind"], found["total"]) == ("level", 1)


async def test_one_district_alone(city: TestCity):
    await city.add(entry(city, 1, district_id="west"), entry(city, 2, district_id="east"))
    found = await series(city, district="east", **{"from": f"{DAY}", "to": f"{DAY}"})
    assert (found["total"], found["buckets"][0]["total"]) == (2, 2)


async def test_what_was_recorded_later_is_not_there_as_of_before(city: TestCity):
    await city.add(entry(city, 3))
    between = utc_now()
    await city.add(entry(city, 4))
    asked = {"from": f"{DAY}", "to": f"{DAY}"}
    assert (await series(city, as_of=between.isoformat(), **asked))["total"] == 3
    assert (await series(city, **asked))["total"] == 7


@pytest.mark.parametrize("time_zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
async def test_it_ends_with_today_in_the_city(city: TestCity, time_zone: str):
    async with found_city(city.app, time_zone) as other:
        found = await series(other)
        hours = {"Pacific/Kiritimati": 14, "Etc/GMT+12": -12}[time_zone]
        today = (datetime.now(UTC) + timedelta(hours=hours)).date()
        assert (len(found["buckets"]), found["to"]) == (30, f"{today}")


async def test_an_unchanged_series_is_not_counted_again(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    first = await analyst.get("/metrics/graffiti_painted/series")
    for known in (first.headers["ETag"], f'"x", W/{first.headers["ETag"]}', "*"):
        again = await analyst.get("/metrics/graffiti_painted/series", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    odd = await analyst.get("/metrics/graffiti_painted/series", headers={"If-None-Match": 'W/"", ,"'})
    assert odd.status_code == 200
    await city.add(entry(city))
    changed = await analyst.get("/metrics/graffiti_painted/series", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("metric", "query", "fault"),
    [
        ("graffiti_painted", {"from": "2026-03-02", "to": "2026-03-01"}, ("ends_before_start", "/query/to")),
        ("graffiti_painted", {"from": "2099-01-01"}, ("ends_before_start", "/query/from")),
        ("graffiti_painted", {"from": "0001-01-01"}, ("date_range", "/query/from")),
        ("graffiti_painted", {"to": "9999-12-31"}, ("date_range", "/query/to")),
        ("graffiti_painted", {"as_of": "2099-01-01T00:00:00Z"}, ("in_future", "/query/as_of")),
        ("graffiti_painted", {"district": "north"}, ("no_such_district", "/query/district")),
        ("graffiti_painted", {"by": "year"}, ("not_listed", "/query/by")),
        ("graffiti_painted", {"format": "pdf"}, ("not_listed", "/query/format")),
        ("graffiti_painted", {"from": "2000-01-01", "to": "2099-12-31"}, ("too_many_buckets", "/query/by")),
        ("walls", {}, ("not_listed", "/path/metric")),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    city: TestCity, metric: str, query: dict[str, str], fault: tuple[str, str]
):
    refused = await (await city.as_(Role.VOLUNTEER)).get(f"/metrics/{metric}/series", params=query)
    assert refused.status_code == 422
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [fault]


async def test_a_series_of_a_hundred_years_by_day_is_refused_with_the_bound(city: TestCity):
    asked = {"from": "2000-01-01", "to": "2099-12-31", "by": "day"}
    refused = await (await city.as_(Role.ANALYST)).get("/metrics/graffiti_painted/series", params=asked)
    assert "400" in refused.json()["errors"][0]["detail"]
    assert len((await series(city, **{**asked, "by": "quarter"}))["buckets"]) == 400


async def test_everybody_may_read_a_series_that_is_not_about_people(city: TestCity):
    await city.add(entry(city, 3, district_id="west"))
    asked = {"from": f"{DAY}", "to": f"{DAY}", "by_district": True}
    public = await city.anonymous.get(f"/public/{city.id}/metrics/graffiti_painted/series", params=asked)
    assert public.json() == await series(city, **asked)
    for metric in ABOUT_PEOPLE:
        refused = await city.anonymous.get(f"/public/{city.id}/metrics/{metric}/series")
        assert refusal(refused)["errors"][0]["pointer"] == "/path/metric"
    assert (await city.anonymous.get("/public/atlantis/metrics/findings/series")).status_code == 404

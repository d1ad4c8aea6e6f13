"""A declared total of days on which facts were recorded too: flagged wherever both are summed."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from app.domain.figures import FigureStatus
from app.domain.metrics import ABOUT_PEOPLE, Metric
from app.domain.permissions import Role
from app.models.figures import Figure
from app.models.ledger import LedgerEntry
from app.services.documents import Documents
from app.services.tallies import roll_up
from tests.city import TestCity, declared_total, found_city, settled
from tests.figures.published import TITLES, drafted, sign, signed
from tests.metrics.facts import entry

YEAR = {"from": "2025-01-01", "to": "2025-12-31"}
MARCH = date(2025, 3, 1)


async def declare(city: TestCity, **changes: Any) -> dict[str, Any]:
    answer = await (await city.as_(Role.ADMIN)).post("/declared-counts", json=declared_total(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def overlap(city: TestCity) -> dict[str, Any]:
    """18,000 declared of 2025, 7 recorded in March; the declared total."""
    await city.add(entry(city, 7, occurred_on=MARCH, district_id="west"))
    return await declare(city)


@pytest.fixture
async def overlapped(city: TestCity) -> dict[str, Any]:
    return await overlap(city)


async def read(city: TestCity, path: str, **query: Any) -> dict[str, Any]:
    answer = await (await city.as_(Role.ANALYST)).get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def painted(city: TestCity, **query: Any) -> dict[str, Any]:
    return (await city.totals(**query))["graffiti_painted"]


@pytest.mark.parametrize("rolled", [False, True])
async def test_each_total_that_may_count_twice_says_so(city: TestCity, overlapped: dict[str, Any], rolled: bool):  # noqa: FBT001
    if rolled:
        await settled(city)
        async with city.database.transaction() as session:
            await roll_up(session)
    found = await painted(city, by_district=True, days=366, **YEAR)
    assert (found["total"], found["recorded"], found["overlap"]) == (18_007, 7, True)
    districts = {part["district_id"]: (part["total"], part["overlap"]) for part in found["districts"]}
    assert districts == {"west": (7, False), None: (18_000, True)}
    assert [day["day"] for day in found["days"] if day["overlap"]] == ["2025-12-31", "2025-03-01"]
    others = (await city.totals(**YEAR)).values()
    assert [metric["metric"] for metric in others if metric["overlap"]] == ["graffiti_painted"]


@pytest.mark.parametrize(
    ("changes", "recorded_on"),
    [
        ({}, date(2026, 1, 1)),
        ({"period_from": "2025-03-02"}, MARCH),
        ({"metric": "raids_held"}, MARCH),
    ],
)
async def test_other_days_and_other_metrics_do_not_overlap(city: TestCity, changes: dict[str, str], recorded_on: date):
    await city.add(entry(city, 7, occurred_on=recorded_on))
    await declare(city, **changes)
    assert not [metric for metric, found in (await city.totals()).items() if found["overlap"]]
    assert (await signed(city, origin=None))["overlap"] is False


async def test_what_is_not_counted_or_was_withdrawn_overlaps_with_nothing(city: TestCity, overlapped: dict[str, Any]):
    before = datetime.now(UTC).isoformat()
    admin = await city.as_(Role.ADMIN)
    await admin.post(f"/declared-counts/{overlapped['id']}/withdraw", json={"reason": "A mistake"})
    assert (await painted(city))["overlap"] is False
    assert (await painted(city, as_of=before))["overlap"] is True


async def test_trends_are_flagged_as_totals_are(city: TestCity):
    today = (await read(city, "/metrics", days=0))["today"]
    await city.add(entry(city, 7, occurred_on=date.fromisoformat(today)))
    await declare(city, period_from=today, period_to=today, published_on=today)
    found = await painted(city)
    assert [found[days]["overlap"] for days in ("today", "last_7_days", "last_30_days")] == [True] * 3
    analyst = await city.as_(Role.ANALYST)
    table = await analyst.get("/metrics", params={"format": "csv"}, headers={"Accept-Language": "en"})
    rows = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    flagged = next(row for row in rows if row["Metric code"] == "graffiti_painted")
    assert (flagged["Overlap in these 14 days"], flagged["Overlap in these 60 days"]) == ("overlap", "overlap")


async def test_a_total_that_ends_after_the_days_asked_for_is_listed_and_not_counted(
    city: TestCity, overlapped: dict[str, Any]
):
    asked = {"from": "2025-03-01", "to": "2025-03-31"}
    answer = await read(city, "/metrics", **asked)
    assert [(said["id"], said["ends_within"], said["overlaps_recorded"]) for said in answer["declared"]] == [
        (overlapped["id"], False, True)
    ]
    found = await painted(city, **asked)
    assert (found["total"], found["declared"], found["overlap"]) == (7, 0, True)
    whole = await read(city, "/metrics", **YEAR)
    assert [said["ends_within"] for said in whole["declared"]] == [True]
    after = await read(city, "/metrics", **{"from": "2026-01-01", "to": "2026-01-31"})
    assert after["declared"] == []


async def test_a_series_names_the_totals_and_flags_the_buckets(city: TestCity, overlapped: dict[str, Any]):
    await declare(city, metric="raids_held", amount=210)
    public = f"/public/{city.id}/metrics/graffiti_painted/series"
    for path in ("/metrics/graffiti_painted/series", public):
        found = await read(city, path, by="month", by_district=True, **YEAR)
        assert found["overlap"]
        assert [bucket["name"] for bucket in found["buckets"] if bucket["overlap"]] == ["2025-03", "2025-12"]
        assert [(line["district_id"], line["overlap"]) for line in found["districts"]] == [
            (None, True),
            ("west", False),
        ]
        (total,) = found["overlaps"]
        assert (total["id"], total["amount"], total["source"]) == (overlapped["id"], 18_000, "Youth Policy")
        assert (total["period_from"], total["period_to"]) == ("2025-01-01", "2025-12-31")
    for query in ({"district": "west", **YEAR}, {"from": "2026-01-01", "to": "2026-01-31"}):
        found = await read(city, "/metrics/graffiti_painted/series", **query)
        assert (found["overlaps"], found["overlap"]) == ([], False)


@pytest.mark.parametrize(("language", "said"), [("en", "overlap"), ("ru", "пересечение"), ("kk", "қабаттасу")])
@pytest.mark.usefixtures("overlapped")
async def test_tables_have_a_column_for_it(city: TestCity, language: str, said: str):
    analyst = await city.as_(Role.ANALYST)
    asked = {"format": "csv", **YEAR}
    paths = {
        "/metrics": [said],
        "/metrics/graffiti_painted/series": [said, said],
        "/metrics/leaderboard": [said],
    }
    for path, flagged in paths.items():
        query = asked | ({"by": "month"} if path.endswith("series") else {})
        answer = await analyst.get(path, params=query, headers={"Accept-Language": language})
        header, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        column = header.index({"en": "Declared", "ru": "Объявлено", "kk": "Жарияланған"}[language]) + 1
        assert [row[column] for row in rows if row[column]] == flagged
        workbook = await analyst.get(path, params=query | {"format": "xlsx"})
        assert workbook.status_code == 200


async def test_a_leaderboard_flags_what_is_of_no_district(city: TestCity, overlapped: dict[str, Any]):
    found = await read(city, "/metrics/leaderboard", **YEAR)
    assert (found["overlap"], [total["id"] for total in found["overlaps"]]) == (True, [overlapped["id"]])
    flagged = {each["district_id"]: each["overlap"] for each in found["standings"]}
    assert flagged == {"west": False, "east": False, None: True}


async def test_a_gauge_counts_the_overlapping_totals_of_each_metric(sparse: FastAPI):
    sparse.state.documents = Documents(sparse.state.database)
    async with found_city(sparse) as city:
        await overlap(city)
        answer = await city.anonymous.get("http://test/metrics/programme")
    told = {
        sample.labels["metric"]: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "narkostop_programme_overlaps" and sample.labels["city"] == city.id
    }
    assert told == {**dict.fromkeys({*Metric} - ABOUT_PEOPLE, 0), "graffiti_painted": 1}


async def progress(city: TestCity, plan_id: str) -> dict[str, Any]:
    """Of the plan's one item, as staff and as everybody sees it, which must agree."""
    (staff,) = (await read(city, f"/plans/{plan_id}/progress"))["directions"][0]["items"]
    public = (await city.anonymous.get(f"/public/{city.id}/plans/{plan_id}")).json()
    (item,) = public["directions"][0]["items"]
    assert {name: staff[name] for name in item} == item
    return item


async def test_where_they_overlap_a_plan_is_judged_by_what_was_recorded(city: TestCity):
    target = {"metric": "graffiti_painted", "amount": 100, "from": "2025-01-01", "to": "2025-12-31"}
    ids = await city.plan_in_force(target=target)
    await declare(city)
    item = await progress(city, ids["plan_id"])
    assert (item["judged_by"], item["done"], item["standing"]) == ("both", 18_000, "reached")
    await city.add(entry(city, 7, occurred_on=MARCH))
    item = await progress(city, ids["plan_id"])
    assert (item["judged_by"], item["done"], item["done_percent"]) == ("recorded", 7, 7)
    assert (item["recorded"], item["declared"]) == (7, 18_000)
    assert item["standing"] != "reached"


async def test_an_item_without_a_target_is_judged_by_neither(city: TestCity):
    ids = await city.plan_in_force()
    assert (await progress(city, ids["plan_id"]))["judged_by"] is None


async def test_a_figure_of_both_is_refused_until_it_names_one_origin(city: TestCity, overlapped: dict[str, Any]):
    days = {"from_day": "2025-01-01", "to_day": "2025-12-31"}
    draft = await drafted(city, **days)
    assert draft["overlap"] is None
    analyst = await city.as_(Role.ANALYST)
    seen = await read(city, f"/figures/{draft['id']}/check")
    assert seen["recomputed"]["value"] == 18_007
    assert [total["id"] for total in seen["overlaps"]] == [overlapped["id"]]

    refused = await sign(analyst, draft["id"], 18_007)
    assert (refused.status_code, refused.json()["code"]) == (409, "overlap")
    assert "Youth Policy declared a total for 2025-01-01 to 2025-12-31" in refused.json()["detail"]
    assert "origin “recorded” or “declared”" in refused.json()["detail"]
    assert (await analyst.get(f"/figures/{draft['id']}")).json()["status"] == "draft"

    for origin, value, words in (("recorded", 7, "recorded only"), ("declared", 18_000, "declared only")):
        figure = await signed(city, origin=origin, **days)
        page = (await city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}")).json()
        assert (page["value"], page["overlap"], page["origin"]) == (value, True, origin)
        cited = (await city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}/cite.json")).json()
        assert cited["overlap"] is True
        assert words in cited["sentence"]["en"]
        assert "twice" not in cited["sentence"]["en"]


@pytest.mark.usefixtures("overlapped")
@pytest.mark.parametrize(
    ("filters", "overlap"),
    [
        ({}, True),
        ({"from_day": "2025-12-31"}, True),
        ({"to_day": "2025-01-01"}, True),
        ({"from_day": "2026-01-01"}, False),
        ({"to_day": "2024-12-31"}, False),
        ({"district": "west"}, False),
        ({"metric": "raids_held"}, False),
        ({"as_of": "2025-01-01T00:00:00Z"}, False),
    ],
)
async def test_only_what_the_filters_leave_is_refused(city: TestCity, filters: dict[str, str], overlap: bool):  # noqa: FBT001
    draft = await drafted(city, **filters)
    analyst = await city.as_(Role.ANALYST)
    seen = await read(city, f"/figures/{draft['id']}/check")
    answer = await sign(analyst, draft["id"], seen["recomputed"]["value"])
    assert (bool(seen["overlaps"]), answer.status_code) == (overlap, 409 if overlap else 200)
    assert answer.json().get("overlap") is (None if overlap else False)


async def test_a_total_declared_after_the_sign_off_shows_in_the_check_and_not_on_the_page(city: TestCity):
    await city.add(entry(city, 7, occurred_on=MARCH))
    figure = await signed(city)
    said = await declare(city)
    check = await read(city, f"/figures/{figure['id']}/check")
    assert (check["outcome"], check["overlaps"], check["value_now"]) == ("differs", [], 18_007)
    assert [total["id"] for total in check["overlaps_now"]] == [said["id"]]
    assert (await city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}")).json()["overlap"] is False


async def test_a_sum_that_was_signed_before_this_was_refused_is_quoted_with_a_warning(
    city: TestCity, overlapped: dict[str, Any]
):
    """As it stands in databases from before: the row is signed past the service."""
    draft = await drafted(city)
    signer = await city.account(Role.ANALYST)
    async with city.database.transaction() as session:
        figure = await session.get_one(Figure, (city.id, draft["id"]))
        words = {name: dict.fromkeys(("kk", "ru", "en"), "words") for name in ("name", "definition", "unit")}
        parts = {"value": 18_007, "recorded": 7, "declared": 18_000, "entries": 2, "overlap": True}
        moment = {"signed_at": datetime.now(UTC), "signed_by": signer.id, "status": FigureStatus.SIGNED}
        figure.sqlmodel_update({**parts, **moment, "words": words, "digest": bytes(32)})
    place = f"/public/{city.id}/figures/{draft['id']}"
    assert (await city.anonymous.get(place)).json()["overlap"] is True
    cited = await city.anonymous.get(f"{place}/cite", params={"lang": "en"})
    assert cited.text.startswith(f"{TITLES['en']}: 18,007 (")
    assert "partly of the same days, so that some may be counted twice" in cited.text
    assert overlapped["counted"] is True
    assert await city.count(LedgerEntry) == 2

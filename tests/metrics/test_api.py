from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.domain.metrics import ABOUT_PEOPLE, Metric, Origin
from app.domain.permissions import Role
from app.models.ledger import LedgerEntry
from tests.city import TestCity, declared_total
from tests.metrics.facts import DAY, entry


async def test_a_city_without_facts_has_every_metric_at_zero(city: TestCity):
    totals = await city.totals()
    assert set(totals) == set(Metric)
    assert {(part["total"], part["recorded"], part["declared"]) for part in totals.values()} == {(0, 0, 0)}


async def test_recorded_and_declared_stay_apart_and_add_up(city: TestCity):
    await city.add(
        entry(city, 5, district_id="west"),
        entry(city, 7, occurred_on=DAY + timedelta(days=1)),
        entry(city, 100, origin=Origin.DECLARED),
    )
    painted = (await city.totals(by_district=True, days=2, to="2026-03-02"))["graffiti_painted"]
    assert (painted["total"], painted["recorded"], painted["declared"]) == (112, 12, 100)
    for parts in (painted["districts"], painted["days"]):
        assert sum(part["total"] for part in parts) == 112
        assert sum(part["recorded"] for part in parts) == 12
    assert [part["day"] for part in painted["days"]] == ["2026-03-02", "2026-03-01"]
    assert [part["district_id"] for part in painted["districts"]] == [None, "west"]


async def test_a_reversal_takes_its_fact_back(city: TestCity):
    fact = entry(city, 5)
    await city.add(fact)
    await city.add(entry(city, -5, subject_id=fact.subject_id, reverses_id=fact.id))
    assert (await city.totals())["graffiti_painted"]["total"] == 0


async def test_a_range_and_a_district_narrow_every_part(city: TestCity):
    await city.add(
        entry(city, 1, district_id="west"),
        entry(city, 2, district_id="east"),
        entry(city, 4, district_id="west", occurred_on=DAY + timedelta(days=5)),
    )
    first = (await city.totals(**{"from": f"{DAY}", "to": f"{DAY}"}, by_district=True))["graffiti_painted"]
    assert (first["total"], len(first["districts"])) == (3, 2)
    west = (await city.totals(district="west", by_district=True))["graffiti_painted"]
    assert (west["total"], [part["district_id"] for part in west["districts"]]) == (5, ["west"])


async def test_only_so_many_days_are_listed_but_all_are_summed(city: TestCity):
    await city.add(*(entry(city, 1, occurred_on=DAY + timedelta(days=n)) for n in (0, 1, 3)))
    painted = (await city.totals(days=3, to=f"{DAY + timedelta(days=4)}"))["graffiti_painted"]
    assert painted["total"] == 3
    assert [(part["day"], part["total"]) for part in painted["days"]] == [
        ("2026-03-05", 0),
        ("2026-03-04", 1),
        ("2026-03-03", 0),
    ]
    assert (await city.totals())["graffiti_painted"]["days"] == []


async def test_a_range_that_ends_before_it_begins_is_refused(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    refused = await analyst.get("/metrics", params={"from": "2026-03-02", "to": "2026-03-01"})
    assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [("ends_before_start", "/query/to")]


async def test_everybody_may_read_the_public_totals(city: TestCity):
    await city.add(entry(city, 5, district_id="west"))
    public = (await city.anonymous.get(f"/public/{city.id}/metrics")).json()
    signed_in = (await (await city.as_(Role.ANALYST)).get("/metrics")).json()
    for document in (public, signed_in):
        document["metrics"] = [item for item in document["metrics"] if item["metric"] not in ABOUT_PEOPLE]
    assert public == signed_in
    assert public["is_demo"] is False


async def test_of_people_the_public_learns_totals_only(city: TestCity):
    await city.add(entry(city, 5, metric=Metric.VOLUNTEERS_STREET, district_id="west"))
    asked = {"by_district": True, "days": 3}
    public = (await city.anonymous.get(f"/public/{city.id}/metrics", params=asked)).json()["metrics"]
    street = next(item for item in public if item["metric"] == "volunteers_street")
    assert (street["total"], street["days"], street["districts"]) == (5, [], [])
    assert {street[part] for part in ("today", "last_7_days", "last_30_days", "changed_at")} == {None}


@pytest.mark.parametrize(
    ("recorded", "declared", "is_shown"),
    [(0, 0, True), (4, 0, False), (5, 0, True), (9, 4, False), (4, 100, False), (9, 100, True)],
)
async def test_fewer_than_five_people_are_not_told(city: TestCity, recorded: int, declared: int, is_shown: bool):  # noqa: FBT001
    parts = {Origin.RECORDED: recorded, Origin.DECLARED: declared}
    await city.add(
        *(entry(city, part, metric=Metric.VOLUNTEERS_STREET, origin=origin) for origin, part in parts.items() if part),
        entry(city, 1),
    )
    volunteer, analyst = await city.as_(Role.VOLUNTEER), await city.as_(Role.ANALYST)
    asked = [(city.anonymous, f"/public/{city.id}/metrics"), (volunteer, "/metrics"), (analyst, "/metrics")]
    answers = [(await client.get(path, params={"days": 0})).json()["metrics"] for client, path in asked]
    told = [{item["metric"]: item["total"] for item in answer} for answer in answers]
    total = recorded + declared
    assert [each.get("volunteers_street") for each in told] == [*([total if is_shown else None] * 2), total]
    # What is no person may be one.
    assert [each["graffiti_painted"] for each in told] == [1, 1, 1]


@pytest.mark.parametrize(
    "narrowed",
    [{"from": "2026-03-01"}, {"to": "2026-03-01"}, {"district": "west"}, {"as_of": "2026-03-01T00:00:00Z"}],
)
async def test_the_public_cannot_ask_for_people_by_day_or_district(city: TestCity, narrowed: dict[str, str]):
    await city.add(entry(city, metric=Metric.VOLUNTEERS_ONLINE), entry(city, district_id="west"))
    public = (await city.anonymous.get(f"/public/{city.id}/metrics", params=narrowed)).json()["metrics"]
    named = {item["metric"] for item in public}
    assert "graffiti_painted" in named
    assert named.isdisjoint(ABOUT_PEOPLE)


async def test_a_city_that_is_not_there_is_not_found(city: TestCity):
    assert (await city.anonymous.get("/public/atlantis/metrics")).status_code == 404


async def test_each_metric_is_defined_in_three_languages(city: TestCity):
    defined = (await (await city.as_(Role.ANALYST)).get("/metrics/definitions")).json()["items"]
    assert [item["metric"] for item in defined] == list(Metric)
    assert all(
        item[part][language]
        for item in defined
        for part in ("name", "definition", "fact", "unit")
        for language in ("kk", "ru", "en")
    )


@pytest.mark.parametrize("statement", ["UPDATE ledger_entry SET amount = 9", "DELETE FROM ledger_entry"])
async def test_the_database_refuses_to_change_the_ledger(city: TestCity, statement: str):
    await city.add(entry(city))
    with pytest.raises(DBAPIError, match="append-only"):
        async with city.database.transaction() as session:
            await session.exec(text(f"{statement} WHERE city_id = '{city.id}'"))
    assert [row.amount for row in await city.rows(LedgerEntry)] == [1]


async def test_the_database_counts_a_fact_once_and_reverses_it_once(city: TestCity):
    fact = entry(city)
    await city.add(fact)
    with pytest.raises(IntegrityError, match="uq_ledger_entry_fact"):
        await city.add(entry(city, subject_id=fact.subject_id))
    await city.add(entry(city, -1, subject_id=fact.subject_id, reverses_id=fact.id))
    with pytest.raises(IntegrityError, match="reverses_id"):
        await city.add(entry(city, -1, subject_id=fact.subject_id, reverses_id=fact.id))


@pytest.mark.parametrize("changes", [{"amount": 0}, {"district_id": "north"}, {"reverses_id": UUID(int=0)}])
async def test_the_database_refuses_an_entry_that_cannot_be(city: TestCity, changes: dict[str, Any]):
    with pytest.raises(IntegrityError):
        await city.add(entry(city, **changes))


async def test_one_subject_counts_for_several_metrics(city: TestCity):
    subject_id = uuid4()
    await city.add(
        entry(city, metric=Metric.VOLUNTEERS_STREET, subject_id=subject_id),
        entry(city, metric=Metric.VOLUNTEERS_ONLINE, subject_id=subject_id),
    )
    assert await city.count(LedgerEntry) == 2


@pytest.mark.parametrize(("people", "is_shown"), [(4, False), (5, True)])
async def test_minutes_of_fewer_than_five_people_are_not_told(city: TestCity, people: int, is_shown: bool):  # noqa: FBT001
    """However many took part: some have no minutes, and those that were taken back are nobody's."""
    facts = [entry(city, 60, metric=Metric.VOLUNTEER_MINUTES) for _ in range(people + 1)]
    await city.add(*facts, *(entry(city, metric=Metric.PARTICIPANTS) for _ in range(9)))
    await city.add(entry(city, -60, metric=Metric.VOLUNTEER_MINUTES, reverses_id=facts[0].id))
    public = (await city.anonymous.get(f"/public/{city.id}/metrics", params={"days": 0})).json()["metrics"]
    told = {item["metric"]: item["total"] for item in public}
    assert told["participants"] == 9
    assert told.get("volunteer_minutes") == (60 * people if is_shown else None)


async def test_a_declared_total_of_fewer_than_five_people_is_not_told(city: TestCity):
    admin = await city.as_(Role.ADMIN)
    for amount, metric in ((4, "participants"), (5, "volunteers_street"), (4, "raids_held")):
        said = declared_total(metric=metric, amount=amount)
        assert (await admin.post("/declared-counts", json=said)).status_code == 201
    asked = [(city.anonymous, f"/public/{city.id}/metrics"), (admin, "/metrics")]
    told = [(await client.get(path, params={"days": 0})).json()["declared"] for client, path in asked]
    assert [len(totals) for totals in told] == [2, 3]
    assert {total["metric"] for total in told[0]} == {"volunteers_street", "raids_held"}


async def test_of_what_was_declared_of_people_the_days_stay_ours(city: TestCity):
    admin, day = await city.as_(Role.ADMIN), "2025-03-01"
    said = declared_total(metric="volunteers_street", amount=30, period_from=day, period_to=day)
    assert (await admin.post("/declared-counts", json=said)).status_code == 201
    await city.add(entry(city, 9, metric=Metric.VOLUNTEERS_STREET, occurred_on=date(2025, 3, 1)))
    path = f"/public/{city.id}/metrics"
    asked = [(city.anonymous, path), (await city.as_(Role.VOLUNTEER), "/metrics"), (admin, "/metrics")]
    for query, seen in (({"days": 0}, [[None], [None], [True]]), ({"from": day, "to": day}, [[], [], [True]])):
        answers = [(await client.get(at, params=query)).json()["declared"] for client, at in asked]
        assert [[total["overlaps_recorded"] for total in answer] for answer in answers] == seen
    whole = (await city.anonymous.get(path)).json()["metrics"]
    street = next(item for item in whole if item["metric"] == "volunteers_street")
    # Both are in it, whichever days they are of.
    assert (street["total"], street["overlap"]) == (39, True)


async def test_volunteers_learn_of_people_what_the_public_does(city: TestCity):
    await city.add(entry(city, 5, metric=Metric.VOLUNTEERS_STREET, district_id="west"))
    volunteer, analyst = await city.as_(Role.VOLUNTEER), await city.as_(Role.ANALYST)
    for query in ({"from": f"{DAY}"}, {"district": "west"}, {"by_district": True, "days": 1, "to": f"{DAY}"}):
        seen = {item["metric"]: item for item in (await volunteer.get("/metrics", params=query)).json()["metrics"]}
        assert ABOUT_PEOPLE.isdisjoint(seen)
        known = {item["metric"]: item for item in (await analyst.get("/metrics", params=query)).json()["metrics"]}
        assert known["volunteers_street"]["total"] == 5
    for path in ("/metrics", "/metrics?days=1&by_district=true"):
        items = {item["metric"]: item for item in (await volunteer.get(path)).json()["metrics"]}
        street = items["volunteers_street"]
        assert (street["total"], street["today"], street["days"], street["districts"]) == (5, None, [], [])
    refused = await volunteer.get("/metrics/volunteers_street/series", params={"by": "day", "from": f"{DAY}"})
    assert [fault["code"] for fault in refused.json()["errors"]] == ["about_people"]

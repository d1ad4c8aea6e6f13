"""Totals entered by hand: each is kept with its source, none is counted twice, and a mistake is taken back."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from app.domain.metrics import Metric, Origin
from app.domain.permissions import Actor, Role
from app.models.ledger import DeclaredCount, DeclaredWithdrawal, LedgerEntry
from app.services import ledger
from app.services.ledger import Fact
from tests.city import TestCity, declared_total

POLICE = {"source": "Police", "amount": 15_000, "published_on": "2026-01-20"}
WRONG = {"reason": "The press service corrected it"}


async def declare(city: TestCity, **changes: Any) -> dict[str, Any]:
    answer = await sent(city, **changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def sent(city: TestCity, **changes: Any) -> Response:
    return await (await city.as_(Role.ADMIN)).post("/declared-counts", json=declared_total(**changes))


async def withdrawn(city: TestCity, declared_id: str) -> Response:
    return await (await city.as_(Role.ADMIN)).post(f"/declared-counts/{declared_id}/withdraw", json=WRONG)


async def counted(city: TestCity) -> dict[str, bool]:
    """By source."""
    found = (await (await city.as_(Role.ANALYST)).get("/declared-counts")).json()["items"]
    return {item["source"]: item["counted"] for item in found if not item["withdrawn_at"]}


async def total(city: TestCity, metric: str = "graffiti_painted") -> int:
    return (await city.totals())[metric]["declared"]


async def test_a_total_is_kept_with_its_source_and_with_who_entered_it(city: TestCity):
    said = await declare(city, url="https://example.org/press/318")

    (row,), (entry,) = await city.rows(DeclaredCount), await city.rows(LedgerEntry)
    assert (said["amount"], said["precision"], said["counted"], said["edition"]) == (18_000, "at_least", True, 1)
    assert (said["entered_by"], said["import_id"]) == (str(row.entered_by), None)
    assert (entry.origin, entry.amount, entry.subject_id, str(entry.occurred_on)) == (
        "declared",
        18_000,
        row.id,
        "2025-12-31",
    )
    assert entry.recorded_by == row.entered_by
    assert await total(city) == 18_000


async def test_of_totals_for_the_same_days_only_the_first_is_counted(city: TestCity):
    await declare(city)
    await declare(city, **POLICE, period_from="2025-06-01")
    await declare(city, source="Akimat", period_from="2026-01-01", period_to="2026-01-31", amount=40)

    assert await counted(city) == {"Youth Policy": True, "Police": False, "Akimat": True}
    assert await total(city) == 18_040


async def test_when_the_counted_one_is_withdrawn_those_that_waited_take_its_place_in_their_order(city: TestCity):
    first = await declare(city)
    await declare(city, **POLICE, period_to="2025-06-30")
    await declare(city, source="Akimat", period_from="2025-06-01", amount=9_000)
    await declare(city, source="School", period_from="2025-07-01", amount=500)

    assert (await withdrawn(city, first["id"])).status_code == 200

    assert await counted(city) == {"Police": True, "Akimat": False, "School": True}
    assert await total(city) == 15_500


async def test_what_was_withdrawn_stays_and_says_so(city: TestCity):
    said = await declare(city)
    answer = (await withdrawn(city, said["id"])).json()

    assert (answer["counted"], answer["withdrawal_reason"]) == (False, WRONG["reason"])
    (mistake,) = await city.rows(DeclaredWithdrawal)
    assert answer["withdrawn_by"] == str(mistake.withdrawn_by)
    assert answer["version"] > said["version"]
    assert await total(city) == 0
    assert sorted(entry.amount for entry in await city.rows(LedgerEntry)) == [-18_000, 18_000]
    public = (await city.anonymous.get(f"/public/{city.id}/metrics")).json()["declared"]
    assert [(item["amount"], item["withdrawn"], item["counted"]) for item in public] == [(18_000, True, False)]
    assert not {"entered_by", "withdrawn_by", "withdrawal_reason"} & public[0].keys()


async def test_a_count_of_a_past_moment_still_has_what_was_withdrawn_later(city: TestCity):
    said = await declare(city)
    before = datetime.now(UTC).isoformat()
    await withdrawn(city, said["id"])

    analyst = await city.as_(Role.ANALYST)
    then = (await analyst.get("/metrics", params={"as_of": before})).json()
    assert [(item["counted"], item["withdrawn"]) for item in then["declared"]] == [(True, False)]
    painted = next(item for item in then["metrics"] if item["metric"] == "graffiti_painted")
    assert painted["declared"] == 18_000


async def test_a_count_of_a_past_moment_overlaps_with_what_was_recorded_by_then(city: TestCity):
    await declare(city)
    before = datetime.now(UTC).isoformat()
    fact = {"city_id": city.id, "metric": Metric.GRAFFITI_PAINTED, "origin": Origin.RECORDED, "amount": 7}
    await city.add(LedgerEntry(**fact, occurred_on=date(2025, 6, 1), subject_id=uuid4()))

    analyst = await city.as_(Role.ANALYST)
    answers = [(await analyst.get("/metrics", params=query)).json() for query in ({"as_of": before}, {"days": 0})]
    assert [answer["declared"][0]["overlaps_recorded"] for answer in answers] == [False, True]


async def test_a_withdrawal_changes_the_tag_of_the_metrics_even_when_nothing_was_counted(city: TestCity):
    await declare(city)
    waiting = await declare(city, **POLICE)
    analyst = await city.as_(Role.ANALYST)
    before = (await analyst.get("/metrics", params={"days": 0})).headers["etag"]

    await withdrawn(city, waiting["id"])

    again = await analyst.get("/metrics", params={"days": 0}, headers={"If-None-Match": before})
    assert again.status_code == 200
    assert [item["withdrawn"] for item in again.json()["declared"]] == [False, True]
    assert await total(city) == 18_000


async def test_a_source_may_say_another_number_after_its_first_was_withdrawn(city: TestCity):
    first = await declare(city)
    refused = await sent(city, amount=15_000)
    assert (refused.status_code, refused.json()["code"]) == (409, "declared_before")
    assert "18000" in refused.json()["detail"]

    await withdrawn(city, first["id"])
    second = await declare(city, amount=15_000)

    assert (second["edition"], second["counted"], await total(city)) == (2, True, 15_000)
    again = await withdrawn(city, first["id"])
    assert (again.status_code, again.json()["code"]) == (409, "already_withdrawn")


async def test_days_with_recorded_facts_are_flagged(city: TestCity):
    said = await declare(city)
    assert not said["overlaps_recorded"]
    analyst = await city.as_(Role.ANALYST)
    path = f"/declared-counts/{said['id']}"
    tag = (await analyst.get(path)).headers["etag"]
    assert (await analyst.get(path, headers={"If-None-Match": tag})).status_code == 304

    await city.add(
        LedgerEntry(
            city_id=city.id,
            metric="graffiti_painted",
            origin="recorded",
            amount=7,
            occurred_on=datetime(2025, 3, 1, tzinfo=UTC).date(),
            subject_id=uuid4(),
        )
    )

    known = await analyst.get(path, headers={"If-None-Match": tag})
    assert (known.status_code, known.json()["overlaps_recorded"]) == (200, True)


async def test_the_list_is_filtered_by_metric_and_days_and_read_page_by_page(city: TestCity):
    for month in ("01", "02", "03"):
        await declare(city, period_from=f"2025-{month}-01", period_to=f"2025-{month}-28")
    await declare(city, metric="raids_held", amount=210)
    analyst = await city.as_(Role.ANALYST)

    async def listed(**query: Any) -> list[str]:
        return [item["period_from"] for item in (await analyst.get("/declared-counts", params=query)).json()["items"]]

    assert await listed(metric="raids_held") == ["2025-01-01"]
    february = await listed(metric="graffiti_painted", **{"from": "2025-02-28", "to": "2025-03-01"})
    assert february == ["2025-03-01", "2025-02-01"]
    page = (await analyst.get("/declared-counts", params={"limit": 3})).json()
    assert (len(page["items"]), await listed(after=page["next"])) == (3, ["2025-01-01"])


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"period_to": "2024-12-31"}, "/body/period_to", "ends_before_start"),
        (
            {"published_on": (datetime.now(UTC) + timedelta(days=2)).date().isoformat()},
            "/body/published_on",
            "in_future",
        ),
        (
            {"period_to": (datetime.now(UTC) + timedelta(days=2)).date().isoformat()},
            "/body/period_to",
            "in_future",
        ),
        ({"metric": "volunteers_street_active"}, "/body/metric", "level_of_days"),
        ({"metric": "walls"}, "/body/metric", "not_listed"),
        ({"amount": 0}, "/body/amount", "too_small"),
        ({"amount": 2_000_000_001}, "/body/amount", "too_big"),
        ({"precision": "roughly"}, "/body/precision", "not_listed"),
        ({"url": "javascript:alert(1)"}, "/body/url", "wrong_pattern"),
        ({"source": " "}, "/body/source", "too_short"),
        ({"period_from": "1999-12-31"}, "/body/period_from", "date_range"),
        ({"counted": True}, "/body/counted", "unknown"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_name(city: TestCity, changes: dict[str, Any], pointer: str, code: str):
    refused = await sent(city, **changes)

    assert refused.status_code == 422
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [(pointer, code)]
    assert await city.count(DeclaredCount) == 0


async def test_a_retry_with_the_same_key_declares_once(city: TestCity):
    admin, key = await city.as_(Role.ADMIN), {"Idempotency-Key": uuid4().hex}
    first, again = [await admin.post("/declared-counts", json=declared_total(), headers=key) for _ in range(2)]

    assert first.json() == again.json()
    assert await city.count(DeclaredCount) == 1


async def test_however_many_declare_at_once_one_is_counted_and_a_withdrawal_counts_one_other(city: TestCity):
    answers = await asyncio.gather(*(sent(city, source=f"Office {number}", amount=number + 1) for number in range(6)))
    said = [answer.json() for answer in answers]
    assert [answer.status_code for answer in answers] == [201] * 6
    (first,) = [item for item in said if item["counted"]]
    assert await total(city) == first["amount"]

    tries = await asyncio.gather(*(withdrawn(city, first["id"]) for _ in range(3)))

    assert sorted(answer.status_code for answer in tries) == [200, 409, 409]
    assert sum((await counted(city)).values()) == 1
    second = sorted(said, key=lambda item: item["id"])[1]
    assert await total(city) == second["amount"]


async def test_a_file_does_not_bring_back_what_was_withdrawn(city: TestCity, told, tmp_path):
    file = tmp_path / "declared.csv"
    head = "metric,period_from,period_to,amount,precision,source,published_on"
    file.write_text(f"{head}\ngraffiti_painted,2025-01-01,2025-12-31,18000,at_least,police,2026-01-20\n")
    command = ("import", "counts", str(file), "--city", city.id)
    await told(*command)
    (row,) = await city.rows(DeclaredCount)
    await withdrawn(city, str(row.id))

    assert "1 already there" in await told(*command)
    assert await total(city) == 0
    file.write_text(file.read_text().replace("18000", "15000"))
    assert "1 imported" in await told(*command)
    assert await total(city) == 15_000


async def test_a_reversal_of_a_recorded_fact_stays_recorded(city: TestCity):
    fact = Fact(Metric.RAIDS_HELD, uuid4(), datetime(2025, 3, 1, tzinfo=UTC).date())
    account = await city.account(Role.COORDINATOR)
    actor = Actor(account.id, city.id, Role.COORDINATOR, 1, None)
    async with city.database.transaction() as session:
        ledger.record(session, actor, fact)
    async with city.database.transaction() as session:
        await ledger.reverse(session, actor, fact.metric, fact.subject_id)

    assert {entry.origin for entry in await city.rows(LedgerEntry)} == {"recorded"}

"""What was recorded late, taken back, or not yet at a past moment: only what stood then overlaps."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings

from app.domain.metrics import Metric, Origin, Precision
from app.domain.permissions import Role
from app.domain.tallies import FIRST_DAY, LAST_DAY, Period, Span, month_after
from app.jobs import rolling_up
from app.models.ledger import DeclaredCount, LedgerEntry
from app.services import sums
from app.services.sums import Question
from tests.city import TestCity, declared_total, found_city, settled
from tests.figures.published import signed
from tests.metrics.facts import entry
from tests.metrics.histories import DAYS, HISTORIES, HOURS, START, Fact, moment, write

MARCH = date(2025, 3, 1)


async def declare(city: TestCity, metric: Metric, first: date, last: date) -> DeclaredCount:
    """Before anything was recorded."""
    total = DeclaredCount(
        city_id=city.id,
        metric=metric,
        period_from=first,
        period_to=last,
        amount=100,
        precision=Precision.EXACT,
        source="Youth Policy",
        created_at=START - timedelta(days=1),
        published_on=last,
    )
    before = {"recorded_at": START - timedelta(days=1), "origin": Origin.DECLARED, "occurred_on": last}
    await city.add(total)
    await city.add(entry(city, 100, metric=metric, subject_id=total.id, **before))
    return total


def overlaps(total: DeclaredCount, facts: list[Fact], as_of: datetime | None) -> bool:
    return (
        sum(
            fact.amount
            for fact in facts
            if fact.origin is Origin.RECORDED
            and fact.metric is total.metric
            and total.period_from <= fact.occurred_on <= total.period_to
            and (as_of is None or fact.recorded_at <= as_of)
        )
        != 0
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=HISTORIES,
    days=st.tuples(DAYS, DAYS).map(sorted),
    moments=st.lists(st.one_of(st.none(), HOURS.map(moment)), min_size=2, max_size=6, unique=True),
)
async def test_a_total_overlaps_with_what_stood_recorded_of_its_days(
    app: FastAPI, history: list[Fact | int | str], days: list[date], moments: list[datetime | None]
):
    async with found_city(app) as city:
        totals = [await declare(city, metric, *days) for metric in (Metric.GRAFFITI_PAINTED, Metric.SIGHTINGS)]
        facts = await write(city, history)
        for as_of in moments:
            found = await sums.of_city(city.database, None, city.id, Question([Period("ever")], as_of=as_of))
            meant = {total.id for total in totals if overlaps(total, facts, as_of)}
            assert {total.id for total in found.overlaps} == meant, as_of


FROM_TO = st.tuples(st.dates(FIRST_DAY, LAST_DAY), st.one_of(st.integers(0, 800), st.integers(0, 36_600)))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(period=FROM_TO)
@example(period=(date(2024, 1, 1), 365))
@example(period=(date(2024, 2, 1), 28))
@example(period=(date(2024, 2, 2), 27))
@example(period=(date(2024, 12, 31), 1))
@example(period=(FIRST_DAY, 36_600))
async def test_a_period_is_put_together_of_each_of_its_days_once(app: FastAPI, period: tuple[date, int]):
    first, days = period
    last = min(first + timedelta(days=days), LAST_DAY)
    rows = await app.state.database.fetch("SELECT span, starts_on FROM spans_of($1, $2)", first, last)
    for spans in ([(Span(span), starts_on) for span, starts_on in rows], [*Period("asked", first, last).spans()]):
        day = first
        for span, starts_on in spans:
            assert starts_on == day, span
            day = day_after(span, day)
        assert day == last + timedelta(days=1)
    assert sum(span is not Span.YEAR for span, _ in spans) <= 34


def day_after(span: Span, starts_on: date) -> date:
    if span is Span.EVER:
        return LAST_DAY + timedelta(days=1)
    if span is Span.DAY or (span is Span.TEN_DAYS and starts_on.day < 21):
        return starts_on + timedelta(days=1 if span is Span.DAY else 10)
    return month_after(starts_on, {Span.QUARTER: 3, Span.YEAR: 12}.get(span, 1))


async def taken_back(city: TestCity, fact: LedgerEntry) -> None:
    await city.add(entry(city, -fact.amount, occurred_on=fact.occurred_on, reverses_id=fact.id))


async def test_a_fact_that_was_taken_back_overlaps_no_longer(city: TestCity):
    fact = entry(city, 7, occurred_on=MARCH)
    await city.add(fact)
    await settled(city)
    await rolling_up.once(city.database, in_turn=True)
    admin = await city.as_(Role.ADMIN)
    total = (await admin.post("/declared-counts", json=declared_total())).json()
    path = f"/declared-counts/{total['id']}"
    flagged = await admin.get(path)
    before = datetime.now(UTC).isoformat()
    await taken_back(city, fact)
    cleared = await admin.get(path, headers={"If-None-Match": flagged.headers["ETag"]})
    assert (flagged.json()["overlaps_recorded"], cleared.json()["overlaps_recorded"]) == (True, False)
    assert (await city.totals())["graffiti_painted"]["overlap"] is False
    assert (await city.totals(as_of=before))["graffiti_painted"]["overlap"] is True
    assert (await signed(city, origin=None))["value"] == 18_000


async def test_a_total_has_another_etag_in_each_of_its_states(city: TestCity):
    """An overlap that ends and a count that begins do not make up for each other."""
    admin = await city.as_(Role.ADMIN)
    first = (await admin.post("/declared-counts", json=declared_total())).json()
    second = (await admin.post("/declared-counts", json=declared_total(source="City Health"))).json()
    assert (first["counted"], second["counted"]) == (True, False)
    fact = entry(city, 7, occurred_on=MARCH)
    states: list[tuple[str, dict[str, Any]]] = []

    async def look() -> None:
        answer = await admin.get(f"/declared-counts/{second['id']}")
        states.append((answer.headers["ETag"], answer.json()))

    await look()
    await city.add(fact)
    await look()
    await taken_back(city, fact)
    await admin.post(f"/declared-counts/{first['id']}/withdraw", json={"reason": "A mistake"})
    await look()
    await admin.post(f"/declared-counts/{second['id']}/withdraw", json={"reason": "A mistake"})
    await look()
    assert [state["counted"] for _, state in states] == [False, False, True, False]
    assert len({etag for etag, _ in states}) == 4

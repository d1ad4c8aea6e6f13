"""Histories of a ledger, made up by hypothesis: written early and late, reversed, rolled up and sealed in any order.

Its pages are of few entries, so that a short history has many.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import hypothesis.strategies as st

from app.core.ids import new_id
from app.domain.metrics import Metric, Origin
from app.jobs import rolling_up, sealing
from app.models.ledger import LedgerEntry
from tests.city import TestCity

START = datetime(2026, 2, 26, 22, tzinfo=UTC)
"""Four days with the turn of a month and, an hour apart, many turns of the UTC day."""
METRICS = st.sampled_from([Metric.GRAFFITI_PAINTED, Metric.SIGHTINGS, Metric.VOLUNTEERS_STREET_ACTIVE])
DISTRICTS = st.sampled_from(["west", "east", None])
HOURS = st.integers(0, 96)
DAYS = st.dates(date(2025, 12, 30), date(2026, 3, 2))
ROLL_UP, SEAL = "roll up", "seal"
ENTRIES_A_PAGE = 3


@dataclass
class Fact:
    metric: Metric
    origin: Origin
    amount: int
    occurred_on: date
    district_id: str | None
    recorded_at: datetime
    id: UUID = field(default_factory=new_id)
    reverses_id: UUID | None = None

    def entry(self, city_id: str) -> LedgerEntry:
        return LedgerEntry(city_id=city_id, subject_id=self.reverses_id or self.id, **vars(self))


def moment(hour: int) -> datetime:
    return START + timedelta(hours=hour)


FACTS = st.builds(
    Fact,
    metric=METRICS,
    origin=st.sampled_from(Origin),
    amount=st.integers(-5, 10**12).filter(bool),
    occurred_on=DAYS,
    district_id=DISTRICTS,
    recorded_at=HOURS.map(moment),
)
HISTORIES = st.lists(st.one_of(FACTS, st.integers(0, 30), st.sampled_from([ROLL_UP, SEAL])), max_size=25)
"""Facts in the order in which they are written, recorded early or late; a number reverses one of those before it."""


async def write(city: TestCity, history: list[Fact | int | str]) -> list[Fact]:
    written: list[Fact] = []
    for step in history:
        if step == ROLL_UP:
            await rolling_up.once(city.database, in_turn=True, entries_a_page=ENTRIES_A_PAGE)
        elif step == SEAL:
            await sealing.of_city(city.database, city.id, await sealing.mark(city.database))
        elif (fact := step if isinstance(step, Fact) else reversal(written, int(step))) is not None:
            await city.add(fact.entry(city.id))
            written.append(fact)
    return written


def reversal(written: list[Fact], number: int) -> Fact | None:
    undone = {fact.reverses_id for fact in written}
    reversible = [fact for fact in written if fact.reverses_id is None and fact.id not in undone]
    if not reversible:
        return None
    fact = reversible[number % len(reversible)]
    later = fact.recorded_at + timedelta(hours=number)
    return Fact(fact.metric, fact.origin, -fact.amount, fact.occurred_on, fact.district_id, later, reverses_id=fact.id)

"""Entries of the ledger, made up for a test."""

from datetime import date
from typing import Any

from app.core.ids import new_id
from app.domain.metrics import Metric, Origin
from app.models.ledger import LedgerEntry
from tests.city import TestCity

DAY = date(2026, 3, 1)


def entry(city: TestCity, amount: int = 1, **changes: Any) -> LedgerEntry:
    """A recorded fact of one metric on the first of March 2026, a Sunday, unless told otherwise."""
    fact = {
        "city_id": city.id,
        "metric": Metric.GRAFFITI_PAINTED,
        "origin": Origin.RECORDED,
        "amount": amount,
        "occurred_on": DAY,
        "subject_id": new_id(),
    }
    return LedgerEntry(**(fact | changes))

"""The tables. Importing this package is what makes them known to Alembic."""

from app.models import (
    accounts,
    assignments,
    calendars,
    cities,
    idempotency,
    ledger,
    plans,
    raids,
    records,
    referrals,
    resources,
    spots,
    tallies,
    volunteers,
)

__all__ = [
    "accounts",
    "assignments",
    "calendars",
    "cities",
    "idempotency",
    "ledger",
    "plans",
    "raids",
    "records",
    "referrals",
    "resources",
    "spots",
    "tallies",
    "volunteers",
]

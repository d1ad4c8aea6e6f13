"""The tables. Importing this package is what makes them known to Alembic."""

from app.models import (
    accounts,
    assignments,
    calendars,
    cities,
    figures,
    idempotency,
    ledger,
    plans,
    raids,
    records,
    referrals,
    resources,
    seals,
    spots,
    tallies,
    volunteers,
)

__all__ = [
    "accounts",
    "assignments",
    "calendars",
    "cities",
    "figures",
    "idempotency",
    "ledger",
    "plans",
    "raids",
    "records",
    "referrals",
    "resources",
    "seals",
    "spots",
    "tallies",
    "volunteers",
]

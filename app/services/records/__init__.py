"""Records from before the system, taken over once each: old removals, and totals that offices declared."""

from app.services.records.counts import take_over_counts
from app.services.records.graffiti import take_over_graffiti
from app.services.records.mappings import read as read_mapping
from app.services.records.mappings import shipped as shipped_mapping
from app.services.records.queries import card, cards
from app.services.records.reports import Delivery, Report

__all__ = [
    "Delivery",
    "Report",
    "card",
    "cards",
    "read_mapping",
    "shipped_mapping",
    "take_over_counts",
    "take_over_graffiti",
]

"""Spots and the sightings that make them."""

from app.services.spots.heat import heat_map
from app.services.spots.joining import Found, faults_of, found
from app.services.spots.merging import merge
from app.services.spots.queries import (
    card,
    cards,
    events,
    features,
    sighting_card,
    sighting_cards,
    visible_to,
)
from app.services.spots.reappearance import reappearances
from app.services.spots.sightings import Outcome, report, report_batch
from app.services.spots.splitting import split
from app.services.spots.steps import advance, check, confirm, dismiss, get

__all__ = [
    "Found",
    "Outcome",
    "advance",
    "card",
    "cards",
    "check",
    "confirm",
    "dismiss",
    "events",
    "faults_of",
    "features",
    "found",
    "get",
    "heat_map",
    "merge",
    "reappearances",
    "report",
    "report_batch",
    "sighting_card",
    "sighting_cards",
    "split",
    "visible_to",
]

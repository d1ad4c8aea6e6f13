"""Counts laid out in time, along the way of a resource, on the map and by district."""

from app.services.reports.cells import count_map
from app.services.reports.crews import crews
from app.services.reports.funnel import funnel
from app.services.reports.leaderboard import leaderboard
from app.services.reports.questions import Asked, check_public
from app.services.reports.series import series
from app.services.reports.tags import of_names, of_places, of_ways, tag

__all__ = [
    "Asked",
    "check_public",
    "count_map",
    "crews",
    "funnel",
    "leaderboard",
    "of_names",
    "of_places",
    "of_ways",
    "series",
    "tag",
]

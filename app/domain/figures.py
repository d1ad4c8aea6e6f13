"""A figure is a published number: drafted by one, signed off by another, and withdrawn but never deleted."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.domain.flow import Flow
from app.domain.metrics import ABOUT_PEOPLE, Metric

MOST_LISTED = 50
"""So many entries a check names; it counts all."""


class FigureStatus(StrEnum):
    DRAFT = "draft"
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"


class FigureAction(StrEnum):
    SIGN = "sign"
    WITHDRAW = "withdraw"


FIGURE_FLOW = Flow(
    "figure",
    {
        (FigureStatus.DRAFT, FigureAction.SIGN): FigureStatus.SIGNED,
        (FigureStatus.DRAFT, FigureAction.WITHDRAW): FigureStatus.WITHDRAWN,
        (FigureStatus.SIGNED, FigureAction.WITHDRAW): FigureStatus.WITHDRAWN,
    },
)


class Outcome(StrEnum):
    """What a figure is against the ledger of now."""

    HOLDS = "holds"
    """The ledger gives the same number."""
    DIFFERS = "differs"
    """The number was right; what was recorded since has changed it."""
    TAMPERED = "tampered"
    """The entries it was made of are not what they were when it was signed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which facts a figure is about; of the days both ends are included, and None leaves one open."""

    metric: Metric
    from_day: date | None
    to_day: date | None
    district_id: str | None


def narrowings(scope: Scope) -> list[str]:
    """The filters that a public figure about people may not have: they could point at one person."""
    if scope.metric not in ABOUT_PEOPLE:
        return []
    filters = {"from": scope.from_day, "to": scope.to_day, "district": scope.district_id}
    return [name for name, value in filters.items() if value is not None]

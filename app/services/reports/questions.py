"""Who asks for a report, and which questions are refused before anything is counted."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.domain.errors import Fault, Invalid
from app.domain.metrics import ABOUT_PEOPLE, Metric
from app.domain.permissions import Actor
from app.schemas.metrics import CountQuery
from app.services.sums import Standing

Q_co = TypeVar("Q_co", bound=CountQuery, covariant=True)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q_co]):
    """A question about a city; the public has no actor."""

    city_id: str
    actor: Actor | None
    query: Q_co

    def heading(self, standing: Standing) -> dict[str, Any]:
        """What every report begins with."""
        return {
            "city_id": self.city_id,
            "is_demo": standing.is_demo,
            "time_zone": standing.time_zone,
            "from_": self.query.from_,
            "to": self.query.to,
            "as_of": self.query.as_of,
            "revision": standing.revision,
        }


def check_public(metric: Metric, pointer: str) -> None:
    """Raises Invalid for counts of people: of these the public learns totals only."""
    if metric in ABOUT_PEOPLE:
        raise Invalid(Fault("about_people", pointer))

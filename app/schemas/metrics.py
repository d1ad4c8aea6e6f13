from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.metrics import Metric, Precision
from app.schemas.base import DIGITS, Day, DistrictId, In, Moment, Out


class MetricsQuery(In):
    from_: Annotated[Day | None, Field(alias="from", description="First day, in the city's time zone")] = None
    to: Annotated[Day | None, Field(description="Last day, included")] = None
    district: DistrictId | None = None
    days: Annotated[
        int,
        Field(ge=0, le=366, description="How many days to list for each metric, the newest with a fact first"),
        DIGITS,
    ] = 31


class Parts(Out):
    """Whole numbers: what this system saw, what it took over as declared, and both together."""

    total: int
    recorded: int
    declared: int


class DistrictParts(Parts):
    district_id: Annotated[str | None, Field(description="null: no district is known for these")]


class DayParts(Parts):
    day: Day


class MetricRead(Parts):
    metric: Metric
    districts: list[DistrictParts]
    days: list[DayParts]


class DeclaredRead(Out):
    """A published total, with the words it was published in."""

    id: UUID
    metric: Metric
    period_from: Day
    period_to: Day
    amount: int
    precision: Precision
    source: str
    published_on: Day
    url: str | None
    counted: Annotated[
        bool, Field(description="false: another total for the same days is in the sum, and this one stands beside it")
    ]
    overlaps_recorded: Annotated[
        bool, Field(description="true: this system recorded facts on these days too, perhaps the same ones")
    ]


class MetricsRead(Out):
    city_id: str
    is_demo: Annotated[bool, Field(description="true: made-up data, to look at only")]
    time_zone: str
    as_of: Moment
    metrics: list[MetricRead]
    declared: list[DeclaredRead]


class Words(Out):
    kk: str
    ru: str
    en: str


class MetricDefinition(Out):
    metric: Metric
    name: Words
    definition: Words
    unit: Words


class MetricDefinitions(Out):
    items: list[MetricDefinition]

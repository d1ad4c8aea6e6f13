from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.metrics import Kind, Metric, Precision
from app.schemas.base import DIGITS, Day, DistrictId, In, Moment, Out

AsOf = Annotated[Moment | None, Field(description="Only what was recorded by then; everything, if it is left out")]


class Format(StrEnum):
    """Named in the query and not by Accept, so that a link from a page or a spreadsheet can ask for it."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class CountQuery(In):
    """What every question about counts may name."""

    from_: Annotated[
        Day | None, Field(alias="from", description="First day, in the city's time zone", examples=["2026-01-01"])
    ] = None
    to: Annotated[Day | None, Field(description="Last day, included", examples=["2026-03-31"])] = None
    as_of: AsOf = None
    format: Format = Format.JSON


class MetricsQuery(CountQuery):
    district: DistrictId | None = None
    by_district: Annotated[bool, Field(description="List each district's part too")] = False
    days: Annotated[
        int,
        Field(ge=0, le=366, description="List so many days, up to `to` or today; each, also without a fact"),
        DIGITS,
    ] = 0


class Parts(Out):
    """Whole numbers: what this system saw, what it took over as declared, and both together."""

    total: int
    recorded: int
    declared: int
    overlap: Annotated[
        bool,
        Field(
            description="true: some of these days are also those of a declared total on whose days facts were recorded "
            "here too; both together may count the same ones twice. Of people, for who may not see them: both are in it"
        ),
    ]


class DistrictParts(Parts):
    district_id: Annotated[str | None, Field(description="null: no district is known for these")]


class DayParts(Parts):
    day: Day


class Today(Out):
    total: int
    overlap: Annotated[bool, Field(description="As beside a total")]


class Trend(Out):
    """The last days, today included, and as many days before them."""

    total: int
    before: int
    overlap: Annotated[bool, Field(description="As beside a total; of either")]


class MetricRead(Parts):
    metric: Metric
    kind: Annotated[
        Kind,
        Field(description="flow: facts of the days asked for; level: how many there are at the end of the last day"),
    ]
    today: Annotated[
        Today | None, Field(description="Of a level the change, here and below; null: about people, and only for staff")
    ]
    last_7_days: Trend | None
    last_30_days: Trend | None
    changed_at: Annotated[Moment | None, Field(description="When the newest entry was recorded")]
    districts: list[DistrictParts]
    days: list[DayParts]


class DeclaredTotal(Out):
    """A published total, with the words it was published in."""

    id: UUID
    metric: Metric
    period_from: Day
    period_to: Day
    amount: int
    precision: Precision
    source: str
    published_on: Day
    url: Annotated[str | None, Field(examples=["https://example.org/report"])]


Overlaps = Annotated[
    list[DeclaredTotal],
    Field(
        description="Declared totals of some of these days, on whose days this system recorded facts too, perhaps the "
        "same ones; a total that ends later is here and in no sum"
    ),
]


class DeclaredState(DeclaredTotal):
    """What became of it."""

    counted: Annotated[bool, Field(description="false: withdrawn, or another total for the same days is in the sum")]
    withdrawn: Annotated[bool, Field(description="true: it was a mistake and is in no sum")]
    overlaps_recorded: Annotated[
        bool | None,
        Field(
            description="true: this system recorded facts on these days too, perhaps the same ones; "
            "null: about people, and only for staff"
        ),
    ]


class DeclaredRead(DeclaredState):
    """And whether it is in the totals of the days that were asked for."""

    ends_within: Annotated[
        bool, Field(description="false: it counts on the last day of its period, which is after `to`: in none of these")
    ]


class MetricsRead(Out):
    city_id: Annotated[str, Field(examples=["almaty"])]
    is_demo: Annotated[bool, Field(description="true: made-up data, to look at only")]
    time_zone: str
    today: Annotated[Day, Field(description="The last of the last 7 and 30 days")]
    as_of: AsOf
    revision: Annotated[
        int, Field(description="Entries in the city's ledger: the same number means the same counts, whoever answers")
    ]
    metrics: Annotated[
        list[MetricRead],
        Field(description="Without those of people to who may not see them: the narrowed ones, and those below five"),
    ]
    declared: list[DeclaredRead]


class RevisionRead(Out):
    """What a stream tells: the counts are no longer those of an earlier revision."""

    revision: int
    etag: Annotated[str, Field(description="Of GET /v1/metrics at this revision")]
    today: Day


class Words(Out):
    kk: str
    ru: str
    en: str


class MetricDefinition(Out):
    metric: Metric
    kind: Kind
    name: Words
    definition: Words
    fact: Annotated[Words, Field(description="What one entry in the ledger stands for")]
    unit: Words


class MetricDefinitions(Out):
    items: list[MetricDefinition]

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.funnel import FunnelStep
from app.domain.metrics import Kind, Metric
from app.domain.reports import By
from app.schemas.base import DIGITS, Day, DistrictId, Out
from app.schemas.metrics import AsOf, CountQuery, Overlaps, Parts, Words
from app.schemas.spots import CellPolygon


class SeriesQuery(CountQuery):
    """Without `to` up to today; without `from` 30 days, 13 weeks, 12 months or 8 quarters."""

    by: Annotated[By, Field(description="Weeks are those of ISO 8601, from Monday")] = By.DAY
    district: DistrictId | None = None
    by_district: Annotated[bool, Field(description="Give each district's series too")] = False


class FunnelQuery(CountQuery):
    """Of the resources that were first reported from `from` to `to`."""


class Mapped(StrEnum):
    GRAFFITI_PAINTED = Metric.GRAFFITI_PAINTED
    SIGHTINGS = Metric.SIGHTINGS


class MapQuery(CountQuery):
    metric: Annotated[Mapped, Field(description="What is counted in each cell")] = Mapped.GRAFFITI_PAINTED
    resolution: Annotated[int, Field(ge=8, le=10, description="Of the H3 hexagons"), DIGITS] = 9


class LeaderboardQuery(CountQuery):
    metric: Annotated[Metric, Field(description="What the districts are ranked by")] = Metric.GRAFFITI_PAINTED


class CrewQuery(CountQuery):
    """Without `to` up to today; without `from` the year before. At most 366 days."""

    district: Annotated[DistrictId | None, Field(description="That of the raid", examples=["medeu"])] = None
    limit: Annotated[int, Field(ge=1, le=100, description="So many crews at most"), DIGITS] = 20


class Report(Out):
    city_id: Annotated[str, Field(examples=["almaty"])]
    is_demo: Annotated[bool, Field(description="true: made-up data, to look at only")]
    time_zone: Annotated[str, Field(examples=["Asia/Almaty"])]
    from_: Annotated[
        Day | None, Field(serialization_alias="from", description="First day; null: as far as the records go back")
    ]
    to: Annotated[Day | None, Field(description="Last day; null: whatever comes")]
    as_of: AsOf
    revision: Annotated[int, Field(description="Entries in the city's ledger when this was counted", examples=[51234])]


class Bucket(Parts):
    name: Annotated[str, Field(description="2026-03-01, 2026-W09, 2026-03 or 2026-Q1", examples=["2026-W09"])]
    first: Annotated[Day, Field(description="Its first day that was asked for")]
    last: Day


class DistrictSeries(Parts):
    district_id: Annotated[str | None, Field(description="null: no district is known for these", examples=["medeu"])]
    buckets: list[Bucket]


class SeriesRead(Report, Parts):
    """A flow's buckets add up to its total; a level's are its value at the end of each, its total that of the last."""

    metric: Metric
    kind: Kind
    by: By
    overlaps: Overlaps
    buckets: list[Bucket]
    districts: Annotated[list[DistrictSeries], Field(description="Those with entries; they add up to the whole")]


class FunnelStepRead(Out):
    step: FunnelStep
    resources: Annotated[int, Field(description="How many of those reported have reached it by now", examples=[797])]
    of: Annotated[FunnelStep | None, Field(description="The step before; null for the first")]
    of_resources: Annotated[int | None, Field(description="The denominator of `rate`", examples=[2964])]
    rate: Annotated[float | None, Field(description="From 0 to 1; null where nothing has reached the step before")]
    median_days: Annotated[
        int | None,
        Field(
            description="Kaplan-Meier median of the days since the step before, those that still wait included; "
            "null while the curve has not fallen to one half"
        ),
    ]
    waiting: Annotated[
        int | None, Field(description="Have reached the step before and neither this one nor an end (censored)")
    ]


class FunnelRead(Report):
    steps: list[FunnelStepRead]


class CellCount(Out):
    total: Annotated[int, Field(examples=[37])]


class CountCell(Out):
    type: Annotated[str, Field(examples=["Feature"])]
    id: Annotated[str, Field(description="The H3 cell", examples=["892c9a5b4d3ffff"])]
    geometry: CellPolygon
    properties: CellCount


class CountMap(Report):
    """A GeoJSON FeatureCollection (RFC 7946); what is not of GeoJSON are foreign members."""

    type: Annotated[str, Field(examples=["FeatureCollection"])]
    metric: Mapped
    resolution: int
    total: Annotated[int, Field(description="On the map or not")]
    without_point: Annotated[int, Field(description="Of these only an address is known")]
    not_shown: Annotated[int, Field(description="In cells with fewer than 5, which the public is not shown")]
    features: list[CountCell]


class Standing(Parts):
    """Of a district's own nothing is declared, and so nothing overlaps."""

    rank: Annotated[int | None, Field(description="Equal counts have the same; null: no district", examples=[1])]
    district_id: Annotated[str | None, Field(description="null: no district is known for these", examples=["medeu"])]
    names: Annotated[Words | None, Field(description="Of the district")]


class LeaderboardRead(Report, Parts):
    """Districts, the highest first, also those without a fact; and last what is of no known district."""

    metric: Metric
    kind: Kind
    overlaps: Overlaps
    standings: list[Standing]


class CrewStanding(Out):
    """Who was on one finished raid, together; never by name."""

    rank: Annotated[int, Field(description="Equal counts have the same", examples=[1])]
    raid_id: UUID
    title: Annotated[str, Field(examples=["Up the hill"])]
    day: Annotated[Day, Field(description="On which the raid was planned to begin")]
    district_id: Annotated[str | None, Field(description="Of the raid; null: not known", examples=["medeu"])]
    painted: Annotated[int, Field(description="Inscriptions, without those that a check took back", examples=[37])]
    people: Annotated[int | None, Field(description="null, and minutes with it: about too few people to show")]
    minutes: Annotated[int | None, Field(description="Of all of them together")]


class CrewLeaderboard(Report):
    """Those who painted over most, the highest first; of equals the latest. Only what was recorded here."""

    standings: list[CrewStanding]

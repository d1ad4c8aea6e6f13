"""The same numbers as rows: what a spreadsheet is made from. Texts for people are named here, and said elsewhere."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.schemas.metrics import MetricRead, MetricsRead, Parts, Today, Trend, Words
from app.schemas.reports import CountMap, CrewLeaderboard, FunnelRead, LeaderboardRead, SeriesRead

Cell = str | int | float | date | datetime | StrEnum | Words | None
"""A Metric or another value of the domain, and Words, are said in the reader's language."""


class Said(StrEnum):
    NO_DISTRICT = "no_district"
    """In the column of districts, where an empty cell is the whole city."""
    OVERLAP = "overlap"
    """In the column of its own, where an empty cell is none."""


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    """Of the file, without its ending."""
    columns: tuple[str, ...]
    """Their codes in app/messages.toml."""
    rows: Iterable[tuple[Cell, ...]]


def of_metrics(read: MetricsRead) -> Sheet:
    columns = (
        *("metric", "metric_code", "district", "day", *_PARTS),
        *("today", "today_overlap", "last_7_days", "days_7_before", "days_7_overlap"),
        *("last_30_days", "days_30_before", "days_30_overlap", "changed_at"),
    )
    return Sheet("metrics", columns, (row for metric in read.metrics for row in _metric_rows(metric)))


def of_series(read: SeriesRead) -> Sheet:
    columns = ("metric", "metric_code", "district", "bucket", "first_day", "last_day", *_PARTS)
    of_districts = ((line.district_id or Said.NO_DISTRICT, line.buckets) for line in read.districts)
    rows = (
        (read.metric, read.metric.value, district, bucket.name, bucket.first, bucket.last, *_parts(bucket))
        for district, buckets in [(None, read.buckets), *of_districts]
        for bucket in buckets
    )
    return Sheet(f"series-{read.metric}-by-{read.by}", columns, rows)


def of_funnel(read: FunnelRead) -> Sheet:
    columns = ("step", "resources", "of_step", "of_resources", "rate", "median_days", "waiting")
    rows = (
        (step.step, step.resources, step.of, step.of_resources, step.rate, step.median_days, step.waiting)
        for step in read.steps
    )
    return Sheet("funnel", columns, rows)


def of_map(read: CountMap) -> Sheet:
    """A cell and its middle, for whoever draws maps from tables."""
    columns = ("cell", "longitude", "latitude", "total")
    rows = ((cell.id, *_middle(cell.geometry.coordinates[0]), cell.properties.total) for cell in read.features)
    return Sheet(f"map-{read.metric}", columns, rows)


def of_leaderboard(read: LeaderboardRead) -> Sheet:
    columns = ("rank", "district", "district_code", *_PARTS)
    rows = ((each.rank, each.names or Said.NO_DISTRICT, each.district_id, *_parts(each)) for each in read.standings)
    return Sheet(f"leaderboard-{read.metric}", columns, rows)


def of_crews(read: CrewLeaderboard) -> Sheet:
    columns = ("rank", "raid", "raid_id", "day", "district_code", "painted", "people", "minutes")
    rows = (
        (each.rank, each.title, f"{each.raid_id}", each.day, each.district_id, each.painted, each.people, each.minutes)
        for each in read.standings
    )
    return Sheet("leaderboard-crews", columns, rows)


_PARTS = ("total", "recorded", "declared", "overlap")


def _parts(parts: Parts) -> tuple[Cell, ...]:
    return parts.total, parts.recorded, parts.declared, _overlap(parts)


def _overlap(count: Parts | Today | Trend) -> Said | None:
    return Said.OVERLAP if count.overlap else None


def _metric_rows(metric: MetricRead) -> Iterator[tuple[Cell, ...]]:
    name = (metric.metric, metric.metric.value)
    today = (metric.today.total, _overlap(metric.today)) if metric.today else (None, None)
    trends = (*today, *_trend(metric.last_7_days), *_trend(metric.last_30_days))
    yield (*name, None, None, *_parts(metric), *trends, metric.changed_at)
    nothing = (None,) * 9
    for district in metric.districts:
        yield (*name, district.district_id or Said.NO_DISTRICT, None, *_parts(district), *nothing)
    for each in metric.days:
        yield (*name, None, each.day, *_parts(each), *nothing)


def _trend(trend: Trend | None) -> tuple[Cell, Cell, Cell]:
    return (trend.total, trend.before, _overlap(trend)) if trend else (None, None, None)


def _middle(ring: list[tuple[float, float]]) -> tuple[float, float]:
    """Of a hexagon's closed ring, well enough for a point on a map."""
    corners = ring[:-1]
    longitude, latitude = (sum(corner[axis] for corner in corners) / len(corners) for axis in (0, 1))
    return round(longitude, 6), round(latitude, 6)

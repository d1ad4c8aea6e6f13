"""The programme's counts as OpenMetrics. Labels name cities and metrics, never a person or a place."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.openmetrics.exposition import (
    generate_latest,  # pyright: ignore[reportUnknownVariableType] not typed there
)
from prometheus_client.registry import Collector

from app.domain.metrics import ABOUT_PEOPLE, LEVELS, Metric
from app.services.programme import CityCounts

OPENMETRICS = CONTENT_TYPE.partition(";")[0]
EXAMPLE = 'narkostop_programme_counted{city="almaty",metric="graffiti_painted",origin="recorded"} 18342.0\n# EOF\n'


class _Programme(Collector):
    def __init__(self, cities: Iterable[CityCounts]) -> None:
        self._cities = cities

    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ["city", "metric", "origin"]
        # Gauges: a reversal takes a fact back, and then a total falls.
        total = GaugeMetricFamily("narkostop_programme_counted", "All facts of a metric so far", labels=labels)
        level = GaugeMetricFamily("narkostop_programme_level", "How many there are at present", labels=labels)
        entries = GaugeMetricFamily("narkostop_programme_entries", "Entries in the ledger", labels=["city"])
        demo = GaugeMetricFamily("narkostop_programme_demo", "1: the city's data is made up", labels=["city"])
        overlaps = GaugeMetricFamily(
            "narkostop_programme_overlaps",
            "Declared totals of days on which facts were recorded too: the origins added up may count them twice",
            labels=["city", "metric"],
        )
        for city in self._cities:
            entries.add_metric([city.city_id], city.revision)
            demo.add_metric([city.city_id], city.is_demo)
            for (metric, origin), count in city.counts.items():
                family = level if metric in LEVELS else total
                family.add_metric([city.city_id, metric, origin], count)
            for metric in [metric for metric in Metric if metric not in ABOUT_PEOPLE]:
                overlaps.add_metric([city.city_id, metric], city.overlaps.get(metric, 0))
        yield from (total, level, overlaps, entries, demo)


def exposition(cities: Iterable[CityCounts]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Programme(cities))
    return generate_latest(registry)  # pyright: ignore[reportUnknownVariableType] see above

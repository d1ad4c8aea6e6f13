"""Requests answered, for Prometheus: plain numbers of one thread, where its own metrics take a lock for each."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_NAMES = (*map(str, BUCKETS_S), "+Inf")


@dataclass(slots=True)
class Answered:
    """How often an operation was answered with a status, by how long it took; the last are slower than any bucket."""

    by_bucket: list[int] = field(default_factory=lambda: [0] * len(_NAMES))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.by_bucket[bisect_left(BUCKETS_S, seconds)] += 1
        self.seconds += seconds

    def take_in(self, other: "Answered") -> None:
        self.by_bucket = [mine + theirs for mine, theirs in zip(self.by_bucket, other.by_bucket, strict=True)]
        self.seconds += other.seconds


ANSWERED: defaultdict[tuple[str, int], Answered] = defaultdict(Answered)
"""By operation and status."""


class _Requests(Collector):
    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        requests = CounterMetricFamily("narkostop_http_requests", "Requests answered", labels=["operation", "status"])
        times = HistogramMetricFamily(
            "narkostop_http_request_seconds", "Time until the answer has left", labels=["operation"]
        )
        of_operation: defaultdict[str, Answered] = defaultdict(Answered)
        for (operation, status), answered in ANSWERED.items():
            requests.add_metric([operation, str(status)], sum(answered.by_bucket))
            of_operation[operation].take_in(answered)
        for operation, answered in of_operation.items():
            buckets = list(zip(_NAMES, accumulate(answered.by_bucket), strict=True))
            times.add_metric([operation], buckets, answered.seconds)
        yield from (requests, times)


REGISTRY.register(_Requests())

"""An observation is one dated measurement or attestation that a resource is up, down, blocked or removed.

What becomes of a resource is observed, not declared: its status follows the observations by the rules below
(docs/adr/0020).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from app.domain.metrics import Metric
from app.domain.resources import RESOURCE_FLOW, ResourceAction, ResourceStatus

NETWORKS = 2
"""A block in one network may be that network's own fault."""
PERIOD = timedelta(hours=48)
"""What lasts less may be an outage."""
LARGEST_ASN = 2**32 - 1
"""RFC 6793."""
MOST_LOOKED_AT = 5_000
"""Of one resource, the latest: four networks that are asked every five minutes make so many in four days."""


class State(StrEnum):
    UP = "up"
    DOWN = "down"
    """It does not answer, and nothing says that it is blocked."""
    BLOCKED = "blocked"
    """What answers is a page that says so, or what that network does to blocked names."""
    REMOVED = "removed"
    """Its host or its platform says that it took it down."""


class Seen(NamedTuple):
    """An observation whose control could be reached; sorted as they were made, whenever they arrive."""

    observed_at: datetime
    id: UUID
    asn: int
    state: State


@dataclass(frozen=True, slots=True)
class Standing:
    status: ResourceStatus
    settled_at: datetime
    """What was seen up to then has led to the status, and leads to nothing more."""
    evidence_from: datetime
    """Nothing is borne out by what was seen before: of a block, before the day that the authority names."""


def steps(standing: Standing, seen: Iterable[Seen]) -> Iterator[tuple[ResourceAction, Seen]]:
    """What follows from all that was seen since the resource was confirmed or last came back, with what settled it."""
    status, settled_at, evidence = standing.status, standing.settled_at, _Evidence()
    for one in sorted(seen):
        is_borne_out = one.observed_at >= standing.evidence_from and evidence.bears_out(one)
        action = _STEPS[one.state]
        is_news = one.observed_at > settled_at and RESOURCE_FLOW.allows(status, action)
        if is_news and (is_borne_out or _is_enough(status, one.state)):
            yield action, one
            status, settled_at = RESOURCE_FLOW.after(status, action), one.observed_at
            evidence = _Evidence() if status is ResourceStatus.REAPPEARED else evidence


def _is_enough(status: ResourceStatus, state: State) -> bool:
    return state is State.REMOVED or (state is State.UP and status not in STANDING_BLOCKS)


@dataclass(slots=True)
class _Run:
    """Of one state, while what was seen is either up each time or never."""

    first_at: datetime
    asns: set[int] = field(default_factory=set[int])


class _Evidence:
    def __init__(self) -> None:
        self._runs: dict[State, _Run] = {}
        self._is_up: bool | None = None
        self._last: dict[int, State] = {}
        """By network."""

    def bears_out(self, one: Seen) -> bool:
        """Whether more than one network has seen it, and for more than a while; or it is up where it was blocked."""
        is_up = one.state is State.UP
        if is_up is not self._is_up:
            self._runs, self._is_up = {}, is_up
        run = self._runs.setdefault(one.state, _Run(one.observed_at))
        run.asns.add(one.asn)
        was = self._last.get(one.asn)
        self._last[one.asn] = one.state
        has_lasted = len(run.asns) >= NETWORKS and one.observed_at - run.first_at >= PERIOD
        return has_lasted or (is_up and was is State.BLOCKED)


_STEPS = {
    State.UP: ResourceAction.REAPPEAR,
    State.DOWN: ResourceAction.GO_OFFLINE,
    State.BLOCKED: ResourceAction.VERIFY_BLOCK,
    State.REMOVED: ResourceAction.REMOVE,
}
STANDING_BLOCKS = frozenset({ResourceStatus.BLOCK_REPORTED, ResourceStatus.BLOCK_VERIFIED})
"""A block need not reach every network: that it is up in one of them is not enough to be back."""
OBSERVED = RESOURCE_FLOW.before(*_STEPS.values())
"""Statuses in which a resource is observed: from when a moderator has confirmed it, until it is given back."""
COUNTED = {
    ResourceStatus.BLOCK_VERIFIED: Metric.RESOURCES_BLOCK_VERIFIED,
    ResourceStatus.REMOVED: Metric.RESOURCES_REMOVED,
    ResourceStatus.REAPPEARED: Metric.RESOURCES_REAPPEARED,
}
"""Being offline is no success of anybody's."""

"""An observation is one dated measurement or attestation that a resource is up, down, blocked or removed.

What becomes of a resource is observed, not declared: its status follows the observations by the rules below
(docs/adr/0020).
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.domain.metrics import Metric
from app.domain.resources import RESOURCE_FLOW, ResourceAction, ResourceStatus

NETWORKS = 2
"""A block in one network may be that network's own fault."""
PERIOD = timedelta(hours=48)
"""What lasts less may be an outage."""
LARGEST_ASN = 2**32 - 1
"""RFC 6793."""


class State(StrEnum):
    UP = "up"
    DOWN = "down"
    """It does not answer, and nothing says that it is blocked."""
    BLOCKED = "blocked"
    """What answers is a page that says so, or what that network does to blocked names."""
    REMOVED = "removed"
    """Its host or its platform says that it took it down."""


@dataclass(frozen=True, slots=True)
class Run:
    """Observations of one state that nothing in between contradicts."""

    networks: int
    lasted: timedelta

    def bears_out(self) -> bool:
        """Whether the state is more than one network's, and more than a passing one."""
        return self.networks >= NETWORKS and self.lasted >= PERIOD


def step(status: ResourceStatus, state: State) -> ResourceAction | None:
    """What an observation may lead to; None if it can be no more than a note."""
    action = _STEPS[state]
    return action if RESOURCE_FLOW.allows(status, action) else None


def is_enough(status: ResourceStatus, state: State) -> bool:
    """Whether one observation does; otherwise a run must bear it out."""
    return state is State.REMOVED or (state is State.UP and status not in BLOCKED)


_STEPS = {
    State.UP: ResourceAction.REAPPEAR,
    State.DOWN: ResourceAction.GO_OFFLINE,
    State.BLOCKED: ResourceAction.VERIFY_BLOCK,
    State.REMOVED: ResourceAction.REMOVE,
}
BLOCKED = frozenset({ResourceStatus.BLOCK_REPORTED, ResourceStatus.BLOCK_VERIFIED})
"""A block need not reach every network: from one it has come back where it was seen blocked, or where a run says so."""
OBSERVED = RESOURCE_FLOW.before(*_STEPS.values())
"""Statuses in which a resource is observed: from when a moderator has confirmed it, until it is given back."""
COUNTED = {
    ResourceStatus.BLOCK_VERIFIED: Metric.RESOURCES_BLOCK_VERIFIED,
    ResourceStatus.REMOVED: Metric.RESOURCES_REMOVED,
    ResourceStatus.REAPPEARED: Metric.RESOURCES_REAPPEARED,
}
"""Being offline is no success of anybody's."""

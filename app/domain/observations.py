"""An observation is one dated measurement or attestation that a resource is up, down, blocked or removed.

What becomes of a resource is observed, not declared: its status follows the observations by the rules below
(docs/adr/0020).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.metrics import Metric
from app.domain.resources import RESOURCE_FLOW, ResourceAction, ResourceStatus

NETWORKS = 2
"""A block in one network may be that network's own fault."""
PERIOD = timedelta(hours=48)
"""What lasts less may be an outage."""


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
    """Observations of one state since the resource has its status and since it was last up, or was not.

    Those without a control are left out: where nothing else could be reached either, the network was at fault.
    """

    networks: int
    first_at: datetime
    last_at: datetime
    was_blocked_there: bool
    """Whether the observation before this one in the same network was of a block."""

    def bears_out(self) -> bool:
        """Whether the state is more than one network's, and more than a passing one."""
        return self.networks >= NETWORKS and self.last_at - self.first_at >= PERIOD


def step(status: ResourceStatus, state: State) -> ResourceAction | None:
    """What an observation may lead to; None if it can be no more than a note."""
    action = _STEPS[state]
    return action if RESOURCE_FLOW.allows(status, action) else None


def suffices(status: ResourceStatus, state: State, run: Run) -> bool:
    """Whether it does, with those before it."""
    if state is State.REMOVED:
        return True
    if state is State.UP:
        # A block need not reach every network: only where it was blocked can it come back from a block.
        return status not in _BLOCKED or run.was_blocked_there
    return run.bears_out()


_STEPS = {
    State.UP: ResourceAction.REAPPEAR,
    State.DOWN: ResourceAction.GO_OFFLINE,
    State.BLOCKED: ResourceAction.VERIFY_BLOCK,
    State.REMOVED: ResourceAction.REMOVE,
}
_BLOCKED = frozenset({ResourceStatus.BLOCK_REPORTED, ResourceStatus.BLOCK_VERIFIED})
OBSERVED = RESOURCE_FLOW.before(*_STEPS.values())
"""Statuses in which a resource is observed: from when a moderator has confirmed it, until it is given back."""
COUNTED = {
    ResourceAction.VERIFY_BLOCK: Metric.RESOURCES_BLOCK_VERIFIED,
    ResourceAction.REMOVE: Metric.RESOURCES_REMOVED,
    ResourceAction.REAPPEAR: Metric.RESOURCES_REAPPEARED,
}
"""Being offline is no success of anybody's."""

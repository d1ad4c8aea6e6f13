"""The way of a resource from the first report to whether it came back, step by step."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.resources import ResourceStatus


class FunnelStep(StrEnum):
    """Statuses that a resource enters on its way."""

    REPORTED = ResourceStatus.REPORTED
    CONFIRMED = ResourceStatus.CONFIRMED
    REFERRED = ResourceStatus.REFERRED
    ACKNOWLEDGED = ResourceStatus.ACKNOWLEDGED
    BLOCK_REPORTED = ResourceStatus.BLOCK_REPORTED
    BLOCK_VERIFIED = ResourceStatus.BLOCK_VERIFIED
    REAPPEARED = ResourceStatus.REAPPEARED


@dataclass(frozen=True, slots=True)
class Transition:
    step: FunnelStep
    of: FunnelStep
    """The step before, whose resources are the denominator and from which the time is measured."""
    or_else: FunnelStep | None = None
    """After this one it is not waited for any more."""


# An authority may block without having acknowledged before: both are shares of what was referred.
TRANSITIONS = (
    Transition(FunnelStep.CONFIRMED, FunnelStep.REPORTED),
    Transition(FunnelStep.REFERRED, FunnelStep.CONFIRMED),
    Transition(FunnelStep.ACKNOWLEDGED, FunnelStep.REFERRED, or_else=FunnelStep.BLOCK_REPORTED),
    Transition(FunnelStep.BLOCK_REPORTED, FunnelStep.REFERRED),
    Transition(FunnelStep.BLOCK_VERIFIED, FunnelStep.BLOCK_REPORTED, or_else=FunnelStep.REAPPEARED),
    Transition(FunnelStep.REAPPEARED, FunnelStep.BLOCK_REPORTED),
)
EXITS = frozenset(
    {
        ResourceStatus.REJECTED,
        ResourceStatus.REFUSED,
        ResourceStatus.REMOVED,
        ResourceStatus.OFFLINE,
        ResourceStatus.RESTORED,
    }
)
"""In these nothing is waited for: the wait counts as open until the day on which it was entered."""

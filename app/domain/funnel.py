"""The way of a resource from the first report to whether it came back, step by step."""

from dataclasses import dataclass
from enum import StrEnum


class FunnelStep(StrEnum):
    """Named as the statuses that a resource enters on its way; one that its flow does not have yet counts nothing."""

    REPORTED = "reported"
    CONFIRMED = "confirmed"
    REFERRED = "referred"
    ACKNOWLEDGED = "acknowledged"
    BLOCK_REPORTED = "block_reported"
    BLOCK_VERIFIED = "block_verified"
    REAPPEARED = "reappeared"


@dataclass(frozen=True, slots=True)
class Transition:
    step: FunnelStep
    of: FunnelStep
    """The step before, whose resources are the denominator and from which the time is measured."""


# An authority may block without having acknowledged before: both are shares of what was referred.
TRANSITIONS = (
    Transition(FunnelStep.CONFIRMED, FunnelStep.REPORTED),
    Transition(FunnelStep.REFERRED, FunnelStep.CONFIRMED),
    Transition(FunnelStep.ACKNOWLEDGED, FunnelStep.REFERRED),
    Transition(FunnelStep.BLOCK_REPORTED, FunnelStep.REFERRED),
    Transition(FunnelStep.BLOCK_VERIFIED, FunnelStep.BLOCK_REPORTED),
    Transition(FunnelStep.REAPPEARED, FunnelStep.BLOCK_REPORTED),
)
EXITS = frozenset({"rejected", "refused"})
"""Statuses after which nothing is waited for any more: the wait counts as open until that day."""

"""A raid is an outing to paint over spots. All states and steps on one screen."""

from datetime import timedelta
from enum import StrEnum

from app.domain.flow import Flow

MAX_CAPACITY = 500
MAX_HOURS = 12
MAX_STOPS = 100
EARLY_START = timedelta(hours=1)
"""A crew that is complete may set out so long before the planned time."""


class RaidStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    UNDER_WAY = "under_way"
    DONE = "done"
    CANCELLED = "cancelled"


class RaidAction(StrEnum):
    PUBLISH = "publish"
    START = "start"
    FINISH = "finish"
    CANCEL = "cancel"


class StopOutcome(StrEnum):
    PAINTED = "painted"
    NOT_FOUND = "not_found"
    REFUSED_BY_OWNER = "refused_by_owner"
    NOT_REACHED = "not_reached"


RAID_FLOW = Flow(
    "raid",
    {
        (RaidStatus.DRAFT, RaidAction.PUBLISH): RaidStatus.OPEN,
        (RaidStatus.OPEN, RaidAction.START): RaidStatus.UNDER_WAY,
        (RaidStatus.UNDER_WAY, RaidAction.FINISH): RaidStatus.DONE,
        (RaidStatus.DRAFT, RaidAction.CANCEL): RaidStatus.CANCELLED,
        (RaidStatus.OPEN, RaidAction.CANCEL): RaidStatus.CANCELLED,
        (RaidStatus.UNDER_WAY, RaidAction.CANCEL): RaidStatus.CANCELLED,
    },
)

"""A resource is one identity behind many findings: a site, channel or account."""

from datetime import timedelta
from enum import StrEnum

from app.domain.flow import Flow

REVIEW_LEASE = timedelta(minutes=30)
"""How long a moderator keeps a resource that they took for review."""


class ResourceStatus(StrEnum):
    REPORTED = "reported"
    IN_REVIEW = "in_review"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    REFERRED = "referred"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    BLOCK_REPORTED = "block_reported"
    """The authority says that it has blocked it."""
    BLOCK_VERIFIED = "block_verified"
    """Observations bear that out."""
    REMOVED = "removed"
    """Its host or its platform took it down."""
    OFFLINE = "offline"
    """It cannot be reached, and nobody says why."""
    REAPPEARED = "reappeared"
    RESTORED = "restored"
    """Given back by decision."""


class ResourceAction(StrEnum):
    REVIEW = "review"
    CONFIRM = "confirm"
    REJECT = "reject"
    REFER = "refer"
    ACKNOWLEDGE = "acknowledge"
    REPORT_BLOCKED = "report_blocked"
    REFUSE = "refuse"
    RESTORE = "restore"
    VERIFY_BLOCK = "verify_block"
    REMOVE = "remove"
    GO_OFFLINE = "go_offline"
    REAPPEAR = "reappear"


_REACHABLE = (
    ResourceStatus.CONFIRMED,
    ResourceStatus.REFERRED,
    ResourceStatus.ACKNOWLEDGED,
    ResourceStatus.REFUSED,
    ResourceStatus.BLOCK_REPORTED,
    ResourceStatus.BLOCK_VERIFIED,
    ResourceStatus.REAPPEARED,
)
"""For all that is known, somebody somewhere may still reach it."""

RESOURCE_FLOW = Flow(
    "resource",
    {
        (ResourceStatus.REPORTED, ResourceAction.REVIEW): ResourceStatus.IN_REVIEW,
        (ResourceStatus.IN_REVIEW, ResourceAction.REVIEW): ResourceStatus.IN_REVIEW,
        (ResourceStatus.IN_REVIEW, ResourceAction.CONFIRM): ResourceStatus.CONFIRMED,
        (ResourceStatus.IN_REVIEW, ResourceAction.REJECT): ResourceStatus.REJECTED,
        (ResourceStatus.CONFIRMED, ResourceAction.REFER): ResourceStatus.REFERRED,
        (ResourceStatus.REAPPEARED, ResourceAction.REFER): ResourceStatus.REFERRED,
        (ResourceStatus.REFERRED, ResourceAction.ACKNOWLEDGE): ResourceStatus.ACKNOWLEDGED,
        **{
            (status, ResourceAction.REPORT_BLOCKED): ResourceStatus.BLOCK_REPORTED
            for status in (ResourceStatus.REFERRED, ResourceStatus.ACKNOWLEDGED, ResourceStatus.REAPPEARED)
        },
        **{
            (status, ResourceAction.REFUSE): ResourceStatus.REFUSED
            for status in (ResourceStatus.REFERRED, ResourceStatus.ACKNOWLEDGED, ResourceStatus.REAPPEARED)
        },
        # A letter may come after what it is about has gone by itself: it is noted, and what is gone stays gone.
        **{
            (status, action): status
            for status in (ResourceStatus.REMOVED, ResourceStatus.OFFLINE)
            for action in (ResourceAction.REPORT_BLOCKED, ResourceAction.REFUSE)
        },
        (ResourceStatus.BLOCK_REPORTED, ResourceAction.RESTORE): ResourceStatus.RESTORED,
        (ResourceStatus.BLOCK_VERIFIED, ResourceAction.RESTORE): ResourceStatus.RESTORED,
        (ResourceStatus.BLOCK_REPORTED, ResourceAction.VERIFY_BLOCK): ResourceStatus.BLOCK_VERIFIED,
        (ResourceStatus.OFFLINE, ResourceAction.REMOVE): ResourceStatus.REMOVED,
        **{(status, ResourceAction.REMOVE): ResourceStatus.REMOVED for status in _REACHABLE},
        **{(status, ResourceAction.GO_OFFLINE): ResourceStatus.OFFLINE for status in _REACHABLE},
        **{
            (status, ResourceAction.REAPPEAR): ResourceStatus.REAPPEARED
            for status in (
                ResourceStatus.BLOCK_REPORTED,
                ResourceStatus.BLOCK_VERIFIED,
                ResourceStatus.REMOVED,
                ResourceStatus.OFFLINE,
            )
        },
    },
)
REFERABLE = RESOURCE_FLOW.before(ResourceAction.REFER)


class ResourceKind(StrEnum):
    SITE = "site"
    CHANNEL = "channel"
    ACCOUNT = "account"


class RejectionReason(StrEnum):
    NOT_DRUGS = "not_drugs"
    ALREADY_GONE = "already_gone"
    UNREACHABLE = "unreachable"
    NOT_ENOUGH = "not_enough"

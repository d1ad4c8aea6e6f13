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
    BLOCK_REPORTED = "block_reported"
    REFUSED = "refused"


class ResourceAction(StrEnum):
    REVIEW = "review"
    CONFIRM = "confirm"
    REJECT = "reject"
    REFER = "refer"
    REPORT_BLOCKED = "report_blocked"
    REFUSE = "refuse"


RESOURCE_FLOW = Flow(
    "resource",
    {
        (ResourceStatus.REPORTED, ResourceAction.REVIEW): ResourceStatus.IN_REVIEW,
        (ResourceStatus.IN_REVIEW, ResourceAction.REVIEW): ResourceStatus.IN_REVIEW,
        (ResourceStatus.IN_REVIEW, ResourceAction.CONFIRM): ResourceStatus.CONFIRMED,
        (ResourceStatus.IN_REVIEW, ResourceAction.REJECT): ResourceStatus.REJECTED,
        (ResourceStatus.CONFIRMED, ResourceAction.REFER): ResourceStatus.REFERRED,
        (ResourceStatus.REFERRED, ResourceAction.REPORT_BLOCKED): ResourceStatus.BLOCK_REPORTED,
        (ResourceStatus.REFERRED, ResourceAction.REFUSE): ResourceStatus.REFUSED,
    },
)


class ResourceKind(StrEnum):
    SITE = "site"
    CHANNEL = "channel"
    ACCOUNT = "account"


class RejectionReason(StrEnum):
    NOT_DRUGS = "not_drugs"
    ALREADY_GONE = "already_gone"
    UNREACHABLE = "unreachable"
    NOT_ENOUGH = "not_enough"

"""A referral is a numbered batch of confirmed resources sent to an authority."""

from enum import StrEnum

from app.domain.flow import Flow
from app.domain.resources import ResourceAction

MAX_ITEMS = 500


class ReferralStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    ANSWERED = "answered"


class ReferralAction(StrEnum):
    SEND = "send"
    ACKNOWLEDGE = "acknowledge"
    ANSWER = "answer"
    RESTORE = "restore"


REFERRAL_FLOW = Flow(
    "referral",
    {
        (ReferralStatus.DRAFT, ReferralAction.SEND): ReferralStatus.SENT,
        (ReferralStatus.SENT, ReferralAction.ACKNOWLEDGE): ReferralStatus.SENT,
        (ReferralStatus.SENT, ReferralAction.ANSWER): ReferralStatus.ANSWERED,
        (ReferralStatus.SENT, ReferralAction.RESTORE): ReferralStatus.SENT,
        (ReferralStatus.ANSWERED, ReferralAction.RESTORE): ReferralStatus.ANSWERED,
    },
)


class Answer(StrEnum):
    """What the authority said of one resource."""

    BLOCKED = "blocked"
    REFUSED = "refused"


ANSWER_STEPS = {
    Answer.BLOCKED: ResourceAction.REPORT_BLOCKED,
    Answer.REFUSED: ResourceAction.REFUSE,
}

"""One volunteer on one raid: places, the line behind them, and offers that end by themselves."""

from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.flow import Flow

OFFER_STANDS = timedelta(hours=2)
OFFERS_END = timedelta(hours=1)
"""Before the start: whoever has not answered by then is not coming."""
OFFER_AT_LEAST = timedelta(minutes=15)
"""Also when a place frees at the last moment."""
LATE_WITHDRAWAL = timedelta(hours=12)
"""Before the start; from then on a withdrawal leaves a mark."""


class AssignmentStatus(StrEnum):
    OFFERED = "offered"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    PRESENT = "present"
    ABSENT = "absent"
    ATTENDED = "attended"


class AssignmentAction(StrEnum):
    JOIN = "join"
    WAIT = "wait"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"
    MARK_PRESENT = "mark_present"
    MARK_ABSENT = "mark_absent"
    ATTEND = "attend"


_GONE = (AssignmentStatus.WITHDRAWN, AssignmentStatus.DECLINED, AssignmentStatus.LAPSED)

# Who is gone may come again by any of the three ways in; a new assignment begins with where they lead.
ASSIGNMENT_FLOW = Flow(
    "assignment",
    {
        **{(gone, AssignmentAction.JOIN): AssignmentStatus.ACCEPTED for gone in _GONE},
        **{(gone, AssignmentAction.WAIT): AssignmentStatus.WAITING for gone in _GONE},
        **{(gone, AssignmentAction.OFFER): AssignmentStatus.OFFERED for gone in _GONE},
        (AssignmentStatus.WAITING, AssignmentAction.JOIN): AssignmentStatus.ACCEPTED,
        (AssignmentStatus.WAITING, AssignmentAction.OFFER): AssignmentStatus.OFFERED,
        (AssignmentStatus.WAITING, AssignmentAction.WITHDRAW): AssignmentStatus.WITHDRAWN,
        (AssignmentStatus.OFFERED, AssignmentAction.ACCEPT): AssignmentStatus.ACCEPTED,
        (AssignmentStatus.OFFERED, AssignmentAction.DECLINE): AssignmentStatus.DECLINED,
        (AssignmentStatus.OFFERED, AssignmentAction.WITHDRAW): AssignmentStatus.DECLINED,
        (AssignmentStatus.OFFERED, AssignmentAction.LAPSE): AssignmentStatus.LAPSED,
        (AssignmentStatus.ACCEPTED, AssignmentAction.WITHDRAW): AssignmentStatus.WITHDRAWN,
        (AssignmentStatus.ACCEPTED, AssignmentAction.MARK_PRESENT): AssignmentStatus.PRESENT,
        (AssignmentStatus.ACCEPTED, AssignmentAction.MARK_ABSENT): AssignmentStatus.ABSENT,
        (AssignmentStatus.PRESENT, AssignmentAction.ATTEND): AssignmentStatus.ATTENDED,
    },
)
FIRST_STEPS = {
    AssignmentAction.JOIN: AssignmentStatus.ACCEPTED,
    AssignmentAction.WAIT: AssignmentStatus.WAITING,
    AssignmentAction.OFFER: AssignmentStatus.OFFERED,
}
COMING = (AssignmentStatus.ACCEPTED, AssignmentStatus.PRESENT, AssignmentStatus.ATTENDED)
"""The volunteer's own time is taken."""
STAYED = (*COMING, AssignmentStatus.ABSENT)
"""Was accepted and has not withdrawn."""
HOLDING = (AssignmentStatus.OFFERED, *STAYED)
"""A place of the raid is taken."""
ON_IT = (AssignmentStatus.WAITING, *HOLDING)
"""Nobody signs up again before this has ended."""


def offer_deadline(now: datetime, starts_at: datetime) -> datetime:
    """The sooner of OFFER_STANDS from now and OFFERS_END before the start, but never less than OFFER_AT_LEAST."""
    return max(min(now + OFFER_STANDS, starts_at - OFFERS_END), now + OFFER_AT_LEAST)


def is_late_withdrawal(now: datetime, starts_at: datetime) -> bool:
    return now > starts_at - LATE_WITHDRAWAL

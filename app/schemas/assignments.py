from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.assignments import AssignmentStatus
from app.schemas.base import DIGITS, In, Moment, Out


class AssignmentRead(Out):
    id: UUID
    version: int
    raid_id: UUID
    volunteer_id: UUID
    status: AssignmentStatus
    position: Annotated[int | None, Field(description="In line, for who is waiting: 1 is next")]
    offer_expires_at: Annotated[Moment | None, Field(description="Until when an offered place is kept")]
    withdrew_late: bool
    checked_in_at: Moment | None
    checked_out_at: Moment | None
    minutes: int | None


class RollMember(Out):
    """For the lead at the meeting point."""

    id: UUID
    volunteer_id: UUID
    status: AssignmentStatus
    position: int | None
    given_name: str
    family_name: str


class CrewMember(RollMember):
    """For the coordinator at the bus stop: who is coming, and how to call them."""

    phone: str


class Crew(Out):
    items: list[CrewMember]
    next: UUID | None


class Roll(Out):
    items: list[RollMember]
    next: UUID | None


class Chosen(In):
    volunteer_id: Annotated[UUID, Field(examples=["0197a3b4-8f0e-7c51-9d2e-5a1f6b7c8d9e"])]


class Reason(Out):
    code: str
    detail: str


class Eligibility(Out):
    volunteer_id: UUID
    is_eligible: bool
    reasons: list[Reason]


class SuggestionQuery(In):
    limit: Annotated[int, Field(ge=1, le=50), DIGITS] = 20


class Suggestion(Out):
    """Why they stand where they do in the list is in the fields after the name."""

    id: UUID
    given_name: str
    family_name: str
    is_near: Annotated[bool, Field(description="The raid's district is one of theirs")]
    is_available: Annotated[bool, Field(description="Their week has room for the whole of the raid")]
    last_asked_at: Annotated[Moment | None, Field(description="When they last came to be on a raid or were asked")]
    minutes: Annotated[int, Field(description="Given to raids in the last 90 days")]


class Suggestions(Out):
    items: list[Suggestion]


class RollCall(In):
    """Those who are named; who is not stays as they are."""

    present: Annotated[frozenset[UUID], Field(max_length=500, examples=[["0197a3b4-8f0e-7c51-9d2e-5a1f6b7c8d9e"]])] = (
        frozenset()
    )
    absent: Annotated[frozenset[UUID], Field(max_length=500)] = frozenset()

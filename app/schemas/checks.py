from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.checks import Verdict
from app.schemas.base import DIGITS, In, Moment, Out, Text


class CheckRead(Out):
    """A removal as somebody looks at it again; `id` is the removal's."""

    id: UUID
    version: int
    raid_id: UUID
    spot_id: UUID
    inscriptions: int
    removed_at: Moment
    drawn_at: Moment | None
    verdict: Verdict | None
    verdict_reason: str | None
    checked_at: Moment | None


class CheckPage(Out):
    items: list[CheckRead]
    next: UUID | None


class Dispute(In):
    reason: Annotated[Text, Field(max_length=500, examples=["Still there, only scratched"])]


class ErrorRate(Out):
    """How far a lead's records held in a month; look at `checked` before you judge by `rate`."""

    lead_id: UUID | None
    month: Annotated[str, Field(examples=["2026-11"])]
    removals: int
    checked: Annotated[int, Field(description="The sample's size")]
    disputed: int
    rate: Annotated[float | None, Field(description="disputed / checked; null without a check")]


class ErrorRates(Out):
    items: list[ErrorRate]


class ErrorQuery(In):
    months: Annotated[int, Field(ge=1, le=36, description="So many, with the present one"), DIGITS] = 12

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.referrals import MAX_ITEMS, Answer, ReferralStatus
from app.domain.resources import ResourceKind
from app.schemas.base import Day, In, NewId, Note, Out, PageQuery


class ReferralDraft(NewId):
    authority: Annotated[Note, Field(max_length=200, examples=["Ministry of Culture and Information"])]
    resource_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_ITEMS)]


class Sending(In):
    outgoing_number: Annotated[Note, Field(max_length=64, examples=["02-14/318"])]
    sent_on: Annotated[Day, Field(examples=["2026-05-04"])]
    due_on: Annotated[Day, Field(examples=["2026-05-18"])]


class AnswerRecord(In):
    answer: Answer
    answered_on: Annotated[Day, Field(examples=["2026-05-11"])]


class Acknowledgement(In):
    acknowledged_on: Annotated[Day, Field(examples=["2026-05-06"])]


class Restoration(In):
    restored_on: Annotated[Day, Field(examples=["2026-06-02"])]
    reason: Annotated[Note, Field(max_length=500, examples=["The court upheld the owner's appeal"])]


class ReferralRead(Out):
    id: UUID
    version: int
    authority: str
    status: ReferralStatus
    outgoing_number: str | None
    sent_on: Day | None
    due_on: Day | None
    acknowledged_on: Day | None
    items: int
    answered: int


class ReferralPage(Out):
    items: list[ReferralRead]
    next: UUID | None


class ReferralQuery(PageQuery):
    status: ReferralStatus | None = None


class ReferralItemRead(Out):
    id: UUID
    resource_id: UUID
    address: str
    kind: ResourceKind
    answer: Answer | None
    answered_on: Day | None
    restored_on: Day | None
    restored_reason: str | None


class ReferralItemPage(Out):
    items: list[ReferralItemRead]
    next: UUID | None

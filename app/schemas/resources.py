from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.resources import RejectionReason, ResourceKind, ResourceStatus
from app.schemas.base import Day, In, Moment, NewId, Note, Out, PageQuery, Text


class FindingReport(NewId):
    address: Annotated[Text, Field(max_length=2048, examples=["https://t.me/s/example_shop", "@example_shop"])]
    note: Annotated[Note, Field(max_length=1000, examples=["Painted on the wall behind the bus stop"])] | None = None


class FindingRead(Out):
    """For the volunteer: what became of what they reported."""

    id: UUID
    version: int
    resource_id: UUID
    address_typed: Annotated[str, Field(examples=["HTTPS://t.me/s/Example_Shop"])]
    note: str | None
    status: ResourceStatus


class ResourceRead(Out):
    id: UUID
    version: int
    address: str
    kind: ResourceKind
    status: ResourceStatus
    cycle: int
    findings: int
    review_until: Moment | None
    rejection_reason: RejectionReason | None
    created_at: Moment


class ResourcePage(Out):
    items: list[ResourceRead]
    next: UUID | None


class ResourceEventRead(Out):
    id: UUID
    status: ResourceStatus
    occurred_on: Day
    observation_id: Annotated[UUID | None, Field(description="What was observed then, where that led to it")]
    created_at: Moment


class ResourceHistory(Out):
    items: list[ResourceEventRead]
    next: UUID | None


class ResourceQuery(PageQuery):
    status: ResourceStatus | None = None


class ResourceRejection(In):
    reason: RejectionReason

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.ledger import Subject
from app.domain.metrics import Metric, Origin
from app.schemas.base import Day, DistrictId, Moment, Out, PageQuery
from app.schemas.metrics import AsOf
from app.schemas.seals import Hex, SealText


class LedgerQuery(PageQuery):
    metric: Metric | None = None
    origin: Origin | None = None
    from_day: Annotated[Day | None, Field(description="First day, in the city's time zone")] = None
    to_day: Annotated[Day | None, Field(description="Last day, included")] = None
    district: DistrictId | None = None
    has_district: Annotated[
        bool | None, Field(description="false: only what totals have under `district_id: null`; true: all but that")
    ] = None
    subject_id: Annotated[UUID | None, Field(description="Everything counted of one removal, raid, …")] = None
    as_of: AsOf = None


class LedgerEntryRead(Out):
    """One counted fact, without any person."""

    id: UUID
    metric: Metric
    origin: Origin
    amount: Annotated[int, Field(description="Negative: takes another entry back, or somebody ceased to be active")]
    occurred_on: Day
    district_id: str | None
    subject_kind: Subject
    subject_id: UUID
    reverses_id: Annotated[UUID | None, Field(description="The entry that this one takes back")]
    recorded_at: Moment
    seal_id: Annotated[UUID | None, Field(description="null: not sealed yet")]


class LedgerEntryPage(Out):
    items: list[LedgerEntryRead]
    next: UUID | None


class InclusionProof(Out):
    """That one entry is in one seal, as RFC 6962 has it: docs/check_inclusion.py checks it without this service."""

    entry: Annotated[
        str,
        Field(
            description="The entry's canonical bytes, as text in UTF-8", examples=['{"amount":7,"city_id":"almaty"}']
        ),
    ]
    position: Annotated[int, Field(description="Of its leaf in the tree, from 0")]
    path: Annotated[list[Hex], Field(description="The hashes beside its way to the root, lowest first")]
    seal: SealText

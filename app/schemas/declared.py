from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.declared import MOST, WEB_ADDRESS
from app.domain.metrics import Metric, Precision
from app.schemas.base import Count, Day, In, Moment, Out, PageQuery, Text


class DeclaredDraft(In):
    """One total as it was published."""

    metric: Metric
    period_from: Annotated[Day, Field(examples=["2025-01-01"])]
    period_to: Annotated[Day, Field(description="Included; the total counts on this day", examples=["2025-12-31"])]
    amount: Annotated[Count, Field(ge=1, le=MOST, examples=[18_000])]
    precision: Annotated[Precision, Field(description="How it was worded: 797, more than 18,000, almost 3,000")]
    source: Annotated[Text, Field(max_length=200, examples=["Department of Youth Policy"])]
    url: (
        Annotated[
            Text,
            Field(
                pattern=WEB_ADDRESS,
                json_schema_extra={"pattern": WEB_ADDRESS},
                examples=["https://example.org/press/318"],
            ),
        ]
        | None
    ) = None
    published_on: Annotated[Day, Field(examples=["2025-12-07"])]


class DeclaredMistake(In):
    reason: Annotated[Text, Field(max_length=500, examples=["The press service corrected it: 15,000, not 18,000"])]


class DeclaredCountRead(Out):
    """A published total with its source, and what became of it here."""

    id: UUID
    version: int
    metric: Metric
    period_from: Day
    period_to: Day
    amount: int
    precision: Precision
    source: str
    published_on: Day
    url: str | None
    edition: Annotated[
        int, Field(description="Of what this source said of these days: one more than were withdrawn before")
    ]
    counted: Annotated[
        bool, Field(description="It is in the sums; false: withdrawn, or another total for the same days is counted")
    ]
    overlaps_recorded: Annotated[
        bool, Field(description="true: this system recorded facts on these days too, perhaps the same ones")
    ]
    entered_by: Annotated[UUID | None, Field(description="The account; null: from a terminal")]
    entered_at: Moment
    import_id: Annotated[UUID | None, Field(description="null: entered by hand")]
    withdrawn_at: Moment | None
    withdrawn_by: UUID | None
    withdrawal_reason: str | None


class DeclaredCountPage(Out):
    items: list[DeclaredCountRead]
    next: UUID | None


class DeclaredQuery(PageQuery):
    metric: Metric | None = None
    from_: Annotated[Day | None, Field(alias="from", description="Periods that end then or later")] = None
    to: Annotated[Day | None, Field(description="Periods that begin then or earlier")] = None

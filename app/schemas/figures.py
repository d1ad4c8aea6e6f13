from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.domain.figures import FigureStatus, Outcome
from app.domain.metrics import Metric, Origin
from app.schemas.base import Count, Day, DistrictId, In, Moment, NewId, Out, PageQuery, Text
from app.schemas.metrics import DeclaredTotal, Words
from app.schemas.seals import Hex

Title = Annotated[Text, Field(max_length=200, examples=["Inscriptions painted over in 2025"])]


class Titles(In):
    kk: Title
    ru: Title
    en: Title


class FigureDraft(NewId):
    """What the number is to be of. It is counted when it is signed off, and then stands for ever."""

    metric: Metric
    titles: Titles
    from_day: Annotated[Day | None, Field(description="First day, in the city's time zone")] = None
    to_day: Annotated[Day | None, Field(description="Last day, included")] = None
    district: DistrictId | None = None
    origin: Annotated[Origin | None, Field(description="Only what was recorded, or only what was declared")] = None
    as_of: Annotated[Moment | None, Field(description="Only what was recorded by then; now, if it is left out")] = None


class SignOff(In):
    value: Annotated[
        Count, Field(ge=-(2**53), le=2**53, description="The number that is signed, as the draft's check gives it")
    ]


class Withdrawal(In):
    reason: Annotated[
        Text, Field(max_length=500, description="Shown to everybody; names no person", examples=["Counted twice"])
    ]


class FigureWords(Out):
    name: Words
    definition: Words
    unit: Words


class FigurePublic(Out):
    """A signed number with its definition as it was then. A withdrawn one stays, and says so."""

    id: UUID
    version: int
    status: FigureStatus
    titles: Words
    metric: Metric
    words: Annotated[FigureWords | None, Field(description="Of the metric, as they were when it was signed")]
    from_day: Day | None
    to_day: Day | None
    district_id: str | None
    origin: Origin | None
    as_of: Moment
    value: Annotated[int | None, Field(description="Recorded and declared together")]
    recorded: int | None
    declared: int | None
    overlap: Annotated[
        bool | None,
        Field(
            description="true: some of its days are also those of a declared total on whose days facts were recorded "
            "too, as of the same moment; such a number is signed off only of one `origin`. null: not signed yet, and "
            "the check says so, or about people and not public"
        ),
    ]
    entries: Annotated[int | None, Field(description="How many entries of the ledger it is the sum of")]
    digest: Annotated[Hex | None, Field(description="Of their canonical lines by day and id; see docs/seals.md")]
    signed_at: Moment | None
    withdrawn_at: Moment | None
    withdrawal_reason: str | None


class FigureRead(FigurePublic):
    created_at: Moment
    drafted_by: UUID
    signed_by: UUID | None


class FigureQuery(PageQuery):
    status: FigureStatus | None = None


class FigurePage(Out):
    items: list[FigureRead]
    next: UUID | None


class FigurePublicPage(Out):
    items: list[FigurePublic]
    next: UUID | None


class Reckoned(Out):
    value: int
    recorded: int
    declared: int
    entries: int
    digest: Hex


class EntrySince(Out):
    id: UUID
    occurred_on: Day
    amount: int


class FigureCheck(Out):
    id: UUID
    outcome: Annotated[Outcome | None, Field(description="null: not signed yet, so there is nothing to hold against")]
    checked_at: Moment
    as_of: Moment
    signed: Annotated[Reckoned | None, Field(description="What was signed")]
    recomputed: Annotated[
        Reckoned | None,
        Field(
            description="The same from the ledger of now, as of the same moment; null, as what follows: about people, "
            "and only for staff"
        ),
    ]
    value_now: Annotated[int | None, Field(description="With what was recorded since")]
    difference: Annotated[int | None, Field(description="From what was signed, or as of that moment, to now")]
    entries_since: int | None
    overlaps: Annotated[
        list[DeclaredTotal],
        Field(
            description="Declared totals of some of its days, on whose days facts were recorded too, as of the same "
            "moment: with any of them only a number of one `origin` is signed off"
        ),
    ]
    overlaps_now: Annotated[list[DeclaredTotal], Field(description="As of now, and so behind `value_now`")]
    because: Annotated[
        list[EntrySince],
        Field(description="The first of the entries since; none where they are about people"),
    ]


Language = Literal["kk", "ru", "en"]


class CiteQuery(In):
    lang: Annotated[Language | None, Field(description="Rather than what Accept-Language prefers")] = None


class Citation(Out):
    """For whoever quotes the number."""

    id: UUID
    status: FigureStatus
    value: int
    as_of: Moment
    digest: Hex
    url: str
    overlap: Annotated[bool, Field(description="As on the figure's page")]
    sentence: Words

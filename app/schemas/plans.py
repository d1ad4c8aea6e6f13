from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.domain.metrics import Kind, Metric
from app.domain.plans import (
    ITEM_NUMBER,
    MOST_DIRECTIONS,
    Basis,
    ItemStatus,
    PlanLanguage,
    PlanStatus,
    Standing,
    is_contact,
)
from app.schemas.base import Count, Day, DistrictId, In, Moment, NewId, Out, PageQuery, Text

MOST = 2**53 - 1


def _office(owner: str) -> str:
    if is_contact(owner):
        raise PydanticCustomError("contact", "an office, not how to reach somebody")
    return owner


Title = Annotated[Text, Field(max_length=300, examples=["Almaty without drug advertising, 2026"])]
DirectionTitle = Annotated[Text, Field(max_length=300, examples=["Clean walls"])]
ItemTitle = Annotated[Text, Field(max_length=500, examples=["Paint over stencils in every district"])]
DirectionNumber = Annotated[Count, Field(ge=1, le=MOST_DIRECTIONS)]
ItemNumber = Annotated[
    Text,
    Field(max_length=16, pattern=ITEM_NUMBER, json_schema_extra={"pattern": ITEM_NUMBER}, examples=["1.4"]),
]
Owner = Annotated[
    Text,
    Field(max_length=200, description="An office; no mail address, no phone number", examples=["Youth Policy"]),
    AfterValidator(_office),
]
Reason = Annotated[Text, Field(max_length=500, examples=["The paint came a month late"])]
DueOn = Annotated[Day, Field(examples=["2026-11-30"])]
Percent = Annotated[int | None, Field(description="Whole, rounded down; null without a target")]


class PlanDraft(NewId):
    title: Title
    language: Annotated[PlanLanguage, Field(description="In which all its titles are written")]
    starts_on: Annotated[Day, Field(examples=["2026-01-01"])]
    ends_on: Annotated[Day, Field(description="Included", examples=["2026-12-31"])]


class PlanChange(In):
    """What is absent stays as it is. Only a draft is changed."""

    title: Title | None = None
    language: PlanLanguage | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None


class PlanRead(Out):
    id: UUID
    version: Annotated[int, Field(description="Rises with each change of a direction or an item, too")]
    title: str
    language: PlanLanguage
    starts_on: Day
    ends_on: Day
    status: PlanStatus
    adopted_on: Day | None
    closed_on: Day | None
    changed_at: Moment


class PlanPage(Out):
    items: list[PlanRead]
    next: UUID | None


class PlanQuery(PageQuery):
    status: PlanStatus | None = None


class DirectionDraft(NewId):
    number: DirectionNumber
    title: DirectionTitle


class DirectionChange(In):
    """What is absent stays as it is. Only a draft's directions are changed."""

    number: DirectionNumber | None = None
    title: DirectionTitle | None = None


class DirectionRead(Out):
    id: UUID
    version: int
    plan_id: UUID
    number: int
    title: str


class DirectionPage(Out):
    items: list[DirectionRead]
    next: UUID | None


class Target(In):
    """So much of a metric, counted by the ledger alone."""

    metric: Metric
    amount: Annotated[Count, Field(ge=1, le=MOST, description="In the metric's unit", examples=[18_000])]
    district: Annotated[DistrictId | None, Field(description="Only what is counted there")] = None
    from_: Annotated[Day | None, Field(alias="from", description="null: the plan's first day")] = None
    to: Annotated[Day | None, Field(description="null: the due day")] = None


class ItemDraft(NewId):
    direction_id: Annotated[UUID, Field(examples=["0197a3b4-8f0e-7c51-9d2e-5a1f6b7c8d9e"])]
    number: ItemNumber
    title: ItemTitle
    owner: Owner | None = None
    due_on: DueOn
    target: Target | None = None


class ItemChange(In):
    """What is absent stays as it is. In force only owner, due day and target change, and with a reason."""

    direction_id: UUID | None = None
    number: ItemNumber | None = None
    title: ItemTitle | None = None
    owner: Owner | None = None
    due_on: Day | None = None
    target: Annotated[Target | None, Field(description="null takes the target away")] = None
    reason: Annotated[Reason | None, Field(description="Needed once the plan is in force; kept")] = None


class StatusNote(In):
    status: ItemStatus
    note: Annotated[Text, Field(max_length=500, examples=["The contract was signed"])]


class TargetRead(Out):
    metric: Metric
    kind: Annotated[Kind, Field(description="level: as many at the end of the last day")]
    amount: int
    district_id: str | None
    from_: Annotated[Day, Field(serialization_alias="from")]
    to: Day


class ItemRead(Out):
    id: UUID
    version: int
    plan_id: UUID
    direction_id: UUID
    number: str
    title: str
    owner: str | None
    due_on: Day
    metric: Annotated[Metric | None, Field(description="null, and the next four with it: no target")]
    amount: int | None
    district_id: str | None
    counted_from: Annotated[Day | None, Field(description="null beside a metric: the plan's first day")]
    counted_to: Annotated[Day | None, Field(description="null beside a metric: the due day")]
    status: Annotated[ItemStatus | None, Field(description="null: it has a target, and the ledger says how far it is")]


class ItemPage(Out):
    items: list[ItemRead]
    next: UUID | None


class ItemQuery(PageQuery):
    direction: UUID | None = None


class FieldChange(Out):
    field: str
    before: Annotated[str | None, Field(examples=["2026-06-30"])]
    after: Annotated[str | None, Field(examples=["2026-09-30"])]


class ItemChangeRead(Out):
    id: UUID
    changed_at: Moment
    changed_by: UUID
    reason: str
    changes: list[FieldChange]


class ItemChangePage(Out):
    items: list[ItemChangeRead]
    next: UUID | None


class PublicItemProgress(Out):
    number: str
    title: str
    due_on: Day
    target: TargetRead | None
    done: Annotated[int | None, Field(description="null: no target, or about people and not public")]
    judged_by: Annotated[
        Basis | None,
        Field(description="What `done` is; `recorded` where a declared total is of days with recorded facts too"),
    ]
    recorded: Annotated[int | None, Field(description="What this system saw")]
    declared: Annotated[
        int | None, Field(description="What an office declared; in `done` only if it is judged by both")
    ]
    done_percent: Percent
    expected_percent: Annotated[
        int | None, Field(description="What an even pace up to yesterday would have done; null without a target")
    ]
    standing: Annotated[Standing | None, Field(description="null: about people and not public; in no tally then")]
    days_late: Annotated[
        int | None, Field(description="Overdue: since the due day. Behind: since an even pace had done as much")
    ]


class ItemProgress(PublicItemProgress):
    id: UUID
    owner: str | None
    status: ItemStatus | None


class DirectionProgress(Out):
    number: int
    title: str
    standings: Annotated[dict[Standing, int], Field(description="How many items are in each")]
    items: list[ItemProgress]


class PublicDirectionProgress(Out):
    number: int
    title: str
    standings: Annotated[dict[Standing, int], Field(description="How many items are in each")]
    items: list[PublicItemProgress]


class PublicPlanRead(Out):
    id: UUID
    title: str
    language: PlanLanguage
    starts_on: Day
    ends_on: Day
    status: PlanStatus
    adopted_on: Day | None
    closed_on: Day | None


class PublicPlanPage(Out):
    items: list[PublicPlanRead]
    next: UUID | None


class PlanProgress(PlanRead):
    judged_on: Annotated[Day, Field(description="Today, or the day the plan was closed")]
    revision: Annotated[int, Field(description="Entries in the city's ledger that this was counted from")]
    standings: dict[Standing, int]
    directions: list[DirectionProgress]


class PublicPlanProgress(PublicPlanRead):
    judged_on: Annotated[Day, Field(description="Today, or the day the plan was closed")]
    is_demo: Annotated[bool, Field(description="true: made-up data, to look at only")]
    revision: Annotated[int, Field(description="Entries in the city's ledger that this was counted from")]
    standings: dict[Standing, int]
    directions: list[PublicDirectionProgress]


class PlanFile(In):
    title: Title
    language: PlanLanguage
    starts_on: Day
    ends_on: Day
    dry_run: Annotated[bool, Field(description="Judge every row and write nothing")] = False


class RefusedPlanRow(Out):
    row: Annotated[int, Field(description="As the spreadsheet numbers it")]
    field: Annotated[str, Field(description="Empty: the row as a whole")]
    code: str
    detail: str


class PlanFileReport(Out):
    """Rows below the header; each is exactly one of taken over or refused."""

    plan_id: Annotated[UUID | None, Field(description="The new draft; null: a dry run, or no row was good")]
    rows: int
    directions: int
    items: int
    refused: int
    refused_rows: Annotated[list[RefusedPlanRow], Field(description="The first 100")]

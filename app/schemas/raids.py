from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.domain.raids import MAX_CAPACITY, MAX_STOPS, RaidStatus, StopOutcome
from app.domain.spots import SpotKind
from app.schemas.base import Count, DistrictId, In, Moment, NewId, Out, PageQuery, Point, Text

Title = Annotated[Text, Field(max_length=120, examples=["Almaly, Saturday"])]
MeetingPoint = Annotated[Text, Field(max_length=300, examples=["Abay metro, south exit"])]
Supplies = Annotated[Text, Field(max_length=1000, examples=["Two rollers, grey paint, gloves"])]
Capacity = Annotated[Count, Field(ge=1, le=MAX_CAPACITY, examples=[20])]


class RaidPlan(NewId):
    title: Title
    starts_at: Annotated[Moment, Field(examples=["2026-12-05T10:00:00+05:00"])]
    ends_at: Annotated[Moment, Field(examples=["2026-12-05T13:00:00+05:00"])]
    meeting_point: MeetingPoint
    point: Annotated[Point, Field(examples=[{"latitude": 43.2421, "longitude": 76.9279}])] | None = None
    capacity: Capacity
    supplies: Supplies | None = None
    lead_id: Annotated[UUID | None, Field(description="A volunteer with an account; takes a place")] = None


class RaidChange(In):
    """What is absent stays as it is."""

    title: Title | None = None
    meeting_point: MeetingPoint | None = None
    capacity: Capacity | None = None
    supplies: Supplies | None = None


class RaidRead(Out):
    id: UUID
    version: int
    title: str
    status: RaidStatus
    starts_at: Moment
    ends_at: Moment
    meeting_point: str
    latitude: float | None
    longitude: float | None
    district_id: str | None
    supplies: str | None
    lead_id: UUID | None
    capacity: int
    places_taken: int
    cancel_reason: str | None


class RaidPage(Out):
    items: list[RaidRead]
    next: UUID | None


class RaidQuery(PageQuery):
    status: RaidStatus | None = None
    district: DistrictId | None = None


class Cancellation(In):
    reason: Annotated[Text, Field(max_length=500, examples=["Rain"])]


def _each_once(ids: list[UUID]) -> list[UUID]:
    if len(set(ids)) < len(ids):
        raise PydanticCustomError("twice", "named twice")
    return ids


class StopPlan(In):
    """All stops of the raid, in order; those that were there before and are not named are released."""

    spot_ids: Annotated[list[UUID], Field(max_length=MAX_STOPS), AfterValidator(_each_once)]


class StopRead(Out):
    spot_id: UUID
    position: int
    latitude: float | None
    longitude: float | None
    address: str | None
    kind: SpotKind | None
    outcome: StopOutcome | None
    note: str | None
    answered_at: Moment | None


class Stops(Out):
    items: list[StopRead]


class StopAnswer(In):
    """Why nothing was painted there; a painting-over is recorded as a removal."""

    outcome: Literal[StopOutcome.NOT_FOUND, StopOutcome.REFUSED_BY_OWNER, StopOutcome.NOT_REACHED]
    note: Annotated[Text, Field(max_length=500, examples=["Fenced off"])] | None = None


class RemovalRecord(NewId):
    """Either at a spot that is known or, for a wall that nobody had reported, at a point with its kind."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "spot_id": "0197a3b4-8f0e-7c51-9d2e-5a1f6b7c8d9e",
                    "inscriptions": 7,
                    "minutes": 25,
                    "removed_at": "2026-12-05T11:15:00+05:00",
                }
            ]
        }
    )

    spot_id: UUID | None = None
    point: Point | None = None
    kind: SpotKind | None = None
    inscriptions: Annotated[Count, Field(ge=1, le=1000, examples=[7], description="How many were painted over")]
    minutes: Annotated[Count, Field(ge=1, le=720, examples=[25], description="How long it took")] | None = None
    removed_at: Annotated[Moment, Field(examples=["2026-12-05T11:15:00+05:00"])]


class RemovalRead(Out):
    id: UUID
    version: int
    raid_id: UUID
    spot_id: UUID
    inscriptions: int
    minutes: int | None
    removed_at: Moment


class RemovalPage(Out):
    items: list[RemovalRead]
    next: UUID | None

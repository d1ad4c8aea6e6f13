from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.raids import MAX_CAPACITY, AssignmentStatus, RaidStatus
from app.domain.spots import SpotKind
from app.schemas.base import Count, DistrictId, In, Moment, NewId, Out, PageQuery, Point, Text

Title = Annotated[Text, Field(max_length=120, examples=["Almaly, Saturday"])]
MeetingPoint = Annotated[Text, Field(max_length=300, examples=["Abay metro, south exit"])]
Capacity = Annotated[Count, Field(ge=1, le=MAX_CAPACITY, examples=[20])]


class RaidPlan(NewId):
    title: Title
    starts_at: Annotated[Moment, Field(examples=["2026-12-05T10:00:00+05:00"])]
    ends_at: Annotated[Moment, Field(examples=["2026-12-05T13:00:00+05:00"])]
    meeting_point: MeetingPoint
    point: Annotated[Point, Field(examples=[{"latitude": 43.2421, "longitude": 76.9279}])] | None = None
    capacity: Capacity


class RaidChange(In):
    """What is absent stays as it is."""

    title: Title | None = None
    meeting_point: MeetingPoint | None = None
    capacity: Capacity | None = None


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


class AssignmentRead(Out):
    id: UUID
    version: int
    raid_id: UUID
    volunteer_id: UUID
    status: AssignmentStatus


class CrewMember(Out):
    """For the coordinator at the bus stop: who is coming, and how to call them."""

    id: UUID
    volunteer_id: UUID
    status: AssignmentStatus
    given_name: str
    family_name: str
    phone: str


class Crew(Out):
    items: list[CrewMember]
    next: UUID | None


class RemovalRecord(NewId):
    """Either at a spot that is known or, for a wall that nobody had reported, at a point with its kind."""

    spot_id: UUID | None = None
    point: Point | None = None
    kind: SpotKind | None = None
    inscriptions: Annotated[Count, Field(ge=1, le=1000, examples=[7], description="How many were painted over")]
    removed_at: Annotated[Moment, Field(examples=["2026-12-05T11:15:00+05:00"])]


class RemovalRead(Out):
    id: UUID
    version: int
    raid_id: UUID
    spot_id: UUID
    inscriptions: int
    removed_at: Moment


class RemovalPage(Out):
    items: list[RemovalRead]
    next: UUID | None

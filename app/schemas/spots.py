from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.spots import SpotKind, SpotStatus
from app.schemas.base import DistrictId, Moment, NewId, Out, PageQuery, Point, Text


class SightingReport(NewId):
    point: Annotated[Point, Field(examples=[{"latitude": 43.2385, "longitude": 76.9456}])]
    kind: SpotKind
    surface: Annotated[Text, Field(max_length=120, examples=["brick wall"])] | None = None
    address: Annotated[Text, Field(max_length=300, examples=["Abay avenue 52"])] | None = None
    seen_at: Annotated[Moment, Field(examples=["2026-05-01T18:20:00+05:00"])]
    note: Annotated[Text, Field(max_length=1000)] | None = None


class SightingRead(Out):
    id: UUID
    version: int
    spot_id: UUID
    seen_at: Moment
    note: str | None


class SpotRead(Out):
    id: UUID
    version: int
    status: SpotStatus
    kind: SpotKind | None
    latitude: float | None
    longitude: float | None
    address: str | None
    surface: str | None
    district_id: str | None
    created_at: Moment


class SpotPage(Out):
    items: list[SpotRead]
    next: UUID | None


class SpotQuery(PageQuery):
    status: SpotStatus | None = None
    district: DistrictId | None = None

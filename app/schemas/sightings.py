from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, PlainValidator, ValidationError
from pydantic_core import ErrorDetails

from app.domain.spots import MAX_BATCH, SpotKind
from app.schemas.base import In, Moment, NewId, Out, Point, ProblemError, Text

SeenAt = Annotated[Moment, Field(examples=["2026-05-01T18:20:00+05:00"])]


class SightingReport(NewId):
    """At a point or, where the phone has none, at an address in words."""

    point: Annotated[Point, Field(examples=[{"latitude": 43.2385, "longitude": 76.9456}])] | None = None
    kind: SpotKind
    surface: Annotated[Text, Field(max_length=120, examples=["brick wall"])] | None = None
    address: Annotated[Text, Field(max_length=300, examples=["Abay avenue 52"])] | None = None
    advertised: (
        Annotated[
            Text,
            Field(
                max_length=2048,
                description="The address on the wall, as it can be read",
                examples=["t.me/example_shop"],
            ),
        ]
        | None
    ) = None
    seen_at: SeenAt
    note: Annotated[Text, Field(max_length=1000)] | None = None


class SightingRead(Out):
    id: UUID
    version: int
    spot_id: UUID
    seen_at: Moment
    kind: SpotKind
    latitude: float | None
    longitude: float | None
    surface: str | None
    address: str | None
    advertised: str | None
    note: str | None


class SightingPage(Out):
    items: list[SightingRead]
    next: UUID | None


class SightingOfBatch(SightingReport):
    """With the phone's own id, by which a second sending is known."""

    id: Annotated[UUID, Field(description="UUIDv7 made by the phone")]  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride] narrower on purpose


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that is no sighting; the others of its batch are not to suffer for it."""

    errors: list[ErrorDetails]


def _on_its_own(item: Any) -> SightingOfBatch | Unreadable:
    try:
        return SightingOfBatch.model_validate(item)
    except ValidationError as error:
        return Unreadable(error.errors(include_url=False, include_input=False))


class SightingBatch(In):
    items: Annotated[
        list[
            Annotated[SightingOfBatch | Unreadable, PlainValidator(_on_its_own, json_schema_input_type=SightingOfBatch)]
        ],
        Field(min_length=1, max_length=MAX_BATCH),
    ]


class SightingOutcome(Out):
    """`made`, `known` (it was sent before) or `refused`, with what is wrong with it."""

    id: UUID | None
    outcome: Annotated[str, Field(pattern="^(made|known|refused)$", examples=["made"])]
    spot_id: UUID | None
    errors: Annotated[list[ProblemError], Field(examples=[[]])]


class SightingOutcomes(Out):
    items: Annotated[list[SightingOutcome], Field(description="In the order in which they were sent")]

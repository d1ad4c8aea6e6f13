from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.observations import LARGEST_ASN, State
from app.domain.resources import ResourceStatus
from app.schemas.base import Count, Moment, NewId, Note, Out

_NOTICE = "This channel cannot be shown: it broke the platform's rules"
_LED_TO = "The status that the resource entered by this observation"


class ObservationRecord(NewId):
    observed_at: Annotated[Moment, Field(examples=["2026-05-04T09:00:00+05:00"])]
    asn: Annotated[
        Count, Field(ge=1, le=LARGEST_ASN, description="Autonomous system number of the network", examples=[64500])
    ]
    state: State
    control_reachable: Annotated[
        bool,
        Field(strict=True, description="Whether a page that is known to be up could be reached from there just then"),
    ]
    note: (
        Annotated[Note, Field(max_length=1000, description="Of what was removed: what says so", examples=[_NOTICE])]
        | None
    ) = None


class ObservationRead(Out):
    id: UUID
    version: int
    resource_id: UUID
    observed_at: Moment
    asn: int
    state: State
    control_reachable: bool
    note: str | None
    created_at: Moment
    led_to: Annotated[ResourceStatus | None, Field(description=_LED_TO)]


class ObservationPage(Out):
    items: list[ObservationRead]
    next: UUID | None

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers
from app.deps import Allow, Session, database_of
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router
from app.schemas.base import PageQuery
from app.schemas.observations import ObservationPage, ObservationRead, ObservationRecord
from app.services import observations, reads, resources

router = Router("/v1", "observations", SIGNED_IN)
Reader = Annotated[Actor, Depends(Allow(Permission.RESOURCE_READ))]
Observer = Annotated[Actor, Depends(Allow(Permission.RESOURCE_OBSERVE))]


@router.post(
    "/resources/{resource_id}/observations",
    response_model=ObservationRead,
    status_code=201,
    responses=problems(NotFound, Conflict),
)
async def record_observation(resource_id: UUID, seen: ObservationRecord, actor: Observer, session: Session) -> Response:
    """Say how a resource was found. It is verified as blocked, or offline, by two networks over 48 hours."""
    observation_id = await observations.record(session, actor, resource_id, seen)
    return answers.item(
        await reads.written(session, actor, observations.card, "observation", id=observation_id), status=201
    )


@router.get("/resources/{resource_id}/observations", response_model=ObservationPage, responses=problems(NotFound))
async def list_observations(
    resource_id: UUID, query: Annotated[PageQuery, Query()], actor: Reader, request: Request
) -> Response:
    """The latest recorded first."""
    database = database_of(request)
    await reads.one(database, actor, resources.card, "resource", id=resource_id)
    page = await reads.page(database, actor, observations.cards, **query.model_dump(), resource_id=resource_id)
    return answers.page(page, request)


@router.get("/observations/{observation_id}", response_model=ObservationRead, responses=answers.ITEM)
async def get_observation(observation_id: UUID, actor: Reader, request: Request) -> Response:
    """What an entry of the ledger about a verified, removed or reappeared resource names as its subject."""
    return answers.item(
        await reads.one(database_of(request), actor, observations.card, "observation", id=observation_id), request
    )

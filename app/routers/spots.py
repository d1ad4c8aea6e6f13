from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app import answers
from app.deps import Allow, Reads, Session
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Permission
from app.domain.spots import SpotAction
from app.problems import problems
from app.routing import Route
from app.schemas.spots import SightingRead, SightingReport, SpotPage, SpotQuery, SpotRead
from app.services import reads, spots

router = APIRouter(tags=["spots"], route_class=Route)
Reader = Annotated[Actor, Depends(Allow(Permission.SPOT_READ))]
Reporter = Annotated[Actor, Depends(Allow(Permission.SIGHTING_REPORT))]
Checker = Annotated[Actor, Depends(Allow(Permission.SPOT_CHECK))]


@router.post("/sightings", response_model=SightingRead, status_code=201, responses=problems(Conflict))
async def report_sighting(sighting: SightingReport, actor: Reporter, session: Session) -> Response:
    """Report graffiti at a point."""
    sighting_id = await spots.report(session, actor, sighting)
    return answers.item(
        await reads.written(session, actor, spots.sighting_card, "sighting", id=sighting_id), status=201
    )


@router.get("/spots", response_model=SpotPage)
async def list_spots(
    query: Annotated[SpotQuery, Query()], actor: Reader, database: Reads, request: Request
) -> Response:
    """The newest first."""
    return answers.page(await reads.page(database, actor, spots.cards, **query.model_dump()), request)


@router.get("/spots/{spot_id}", response_model=SpotRead, responses=answers.ITEM)
async def get_spot(spot_id: UUID, actor: Reader, database: Reads, request: Request) -> Response:
    return answers.item(await reads.one(database, actor, spots.card, "spot", id=spot_id), request)


@router.post("/spots/{spot_id}/confirm", response_model=SpotRead, responses=problems(NotFound, Conflict))
async def confirm_spot(spot_id: UUID, actor: Checker, session: Session) -> Response:
    """It is there and advertises drugs: a raid may go."""
    await spots.advance(session, actor, spot_id, SpotAction.CONFIRM)
    return answers.item(await reads.written(session, actor, spots.card, "spot", id=spot_id))


@router.post("/spots/{spot_id}/dismiss", response_model=SpotRead, responses=problems(NotFound, Conflict))
async def dismiss_spot(spot_id: UUID, actor: Checker, session: Session) -> Response:
    """It is not there, or no advertisement."""
    await spots.advance(session, actor, spot_id, SpotAction.DISMISS)
    return answers.item(await reads.written(session, actor, spots.card, "spot", id=spot_id))

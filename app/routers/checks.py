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
from app.schemas.checks import CheckPage, CheckRead, Dispute, ErrorQuery, ErrorRates
from app.services import checks, reads

router = Router("/v1/checks", "checks", SIGNED_IN)
Checker = Annotated[Actor, Depends(Allow(Permission.SPOT_CHECK))]
STEP = problems(NotFound, Conflict)


@router.get("", response_model=CheckPage)
async def list_checks(query: Annotated[PageQuery, Query()], actor: Checker, request: Request) -> Response:
    """Removals that were drawn when their raid finished and wait for somebody to look."""
    return answers.page(await reads.page(database_of(request), actor, checks.cards, **query.model_dump()), request)


@router.get("/error-rates", response_model=ErrorRates)
async def get_error_rates(query: Annotated[ErrorQuery, Query()], actor: Checker, request: Request) -> Response:
    """By lead and month, each with its sample's size."""
    found = await reads.document(database_of(request), actor, checks.error_rates, "raid", **query.model_dump())
    return answers.document(found)


@router.get("/{removal_id}", response_model=CheckRead, responses=answers.ITEM)
async def get_check(removal_id: UUID, actor: Checker, request: Request) -> Response:
    return answers.item(await reads.one(database_of(request), actor, checks.card, "removal", id=removal_id), request)


@router.post("/{removal_id}/verify", response_model=CheckRead, responses=STEP)
async def verify_removal(removal_id: UUID, actor: Checker, session: Session) -> Response:
    """You looked, and it is painted over. Not for those who were on that raid."""
    await checks.verify(session, actor, removal_id)
    return answers.item(await reads.written(session, actor, checks.card, "removal", id=removal_id))


@router.post("/{removal_id}/dispute", response_model=CheckRead, responses=STEP)
async def dispute_removal(removal_id: UUID, dispute: Dispute, actor: Checker, session: Session) -> Response:
    """You looked, and it is not: the count is taken back, and the spot waits for another raid."""
    await checks.dispute(session, actor, removal_id, dispute.reason)
    return answers.item(await reads.written(session, actor, checks.card, "removal", id=removal_id))

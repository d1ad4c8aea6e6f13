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
from app.schemas.resources import (
    FindingRead,
    FindingReport,
    ResourceHistory,
    ResourcePage,
    ResourceQuery,
    ResourceRead,
    ResourceRejection,
)
from app.services import reads, resources

router = Router("/v1", "resources", SIGNED_IN)
Reporter = Annotated[Actor, Depends(Allow(Permission.FINDING_REPORT))]
Reader = Annotated[Actor, Depends(Allow(Permission.RESOURCE_READ))]
Reviewer = Annotated[Actor, Depends(Allow(Permission.RESOURCE_REVIEW))]
STEP = problems(NotFound, Conflict)


@router.post("/findings", response_model=FindingRead, status_code=201, responses=problems(Conflict))
async def report_finding(found: FindingReport, actor: Reporter, session: Session) -> Response:
    """Report a site, channel or account that sells drugs. Reporting it again gives the same finding."""
    finding_id = await resources.report(session, actor, found)
    return answers.item(
        await reads.written(session, actor, resources.finding_card, "finding", id=finding_id), status=201
    )


@router.get("/findings/{finding_id}", response_model=FindingRead, responses=answers.ITEM)
async def get_finding(finding_id: UUID, actor: Reporter, request: Request) -> Response:
    """Your own finding, and what became of it."""
    return answers.item(
        await reads.one(database_of(request), actor, resources.finding_card, "finding", id=finding_id), request
    )


@router.get("/resources", response_model=ResourcePage)
async def list_resources(query: Annotated[ResourceQuery, Query()], actor: Reader, request: Request) -> Response:
    """The newest first."""
    return answers.page(await reads.page(database_of(request), actor, resources.cards, **query.model_dump()), request)


@router.get("/resources/{resource_id}", response_model=ResourceRead, responses=answers.ITEM)
async def get_resource(resource_id: UUID, actor: Reader, request: Request) -> Response:
    return answers.item(
        await reads.one(database_of(request), actor, resources.card, "resource", id=resource_id), request
    )


@router.get("/resources/{resource_id}/history", response_model=ResourceHistory, responses=problems(NotFound))
async def list_resource_history(
    resource_id: UUID, query: Annotated[PageQuery, Query()], actor: Reader, request: Request
) -> Response:
    """The statuses that it entered, the latest first: each with its day, and what was observed where that led to it."""
    database = database_of(request)
    await reads.one(database, actor, resources.card, "resource", id=resource_id)
    page = await reads.page(database, actor, resources.events, **query.model_dump(), resource_id=resource_id)
    return answers.page(page, request)


@router.post("/resources/{resource_id}/review", response_model=ResourceRead, responses=STEP)
async def review_resource(resource_id: UUID, actor: Reviewer, session: Session) -> Response:
    """Take it for 30 minutes, so that nobody else checks the same. Never your own finding."""
    await resources.review(session, actor, resource_id)
    return answers.item(await reads.written(session, actor, resources.card, "resource", id=resource_id))


@router.post("/resources/{resource_id}/confirm", response_model=ResourceRead, responses=STEP)
async def confirm_resource(resource_id: UUID, actor: Reviewer, session: Session) -> Response:
    """It sells drugs: it can be referred to the authority."""
    await resources.confirm(session, actor, resource_id)
    return answers.item(await reads.written(session, actor, resources.card, "resource", id=resource_id))


@router.post("/resources/{resource_id}/reject", response_model=ResourceRead, responses=STEP)
async def reject_resource(
    resource_id: UUID, rejection: ResourceRejection, actor: Reviewer, session: Session
) -> Response:
    """It will not be referred, for a reason that its reporters can read."""
    await resources.reject(session, actor, resource_id, rejection.reason)
    return answers.item(await reads.written(session, actor, resources.card, "resource", id=resource_id))

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app import answers
from app.deps import Allow, ExpectedVersion, Reads, Session
from app.domain.errors import Conflict, NotFound, PreconditionFailed, PreconditionRequired
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import Route
from app.schemas.base import PageQuery
from app.schemas.raids import (
    AssignmentRead,
    Cancellation,
    Crew,
    RaidChange,
    RaidPage,
    RaidPlan,
    RaidQuery,
    RaidRead,
    RemovalPage,
    RemovalRead,
    RemovalRecord,
)
from app.services import assignments, raids, reads, removals

router = APIRouter(prefix="/raids", tags=["raids"], route_class=Route)
Reader = Annotated[Actor, Depends(Allow(Permission.RAID_READ))]
Planner = Annotated[Actor, Depends(Allow(Permission.RAID_PLAN))]
Joiner = Annotated[Actor, Depends(Allow(Permission.RAID_JOIN))]
STEP = problems(NotFound, Conflict)


@router.get("", response_model=RaidPage)
async def list_raids(
    query: Annotated[RaidQuery, Query()], actor: Reader, database: Reads, request: Request
) -> Response:
    """The newest first; volunteers do not see drafts."""
    return answers.page(await reads.page(database, actor, raids.cards, **query.model_dump()), request)


@router.post("", response_model=RaidRead, status_code=201, responses=problems(Conflict))
async def plan_raid(planned: RaidPlan, actor: Planner, session: Session) -> Response:
    """Make a draft. Publish it when it is ready for volunteers."""
    raid_id = await raids.plan(session, actor, planned)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id), status=201)


@router.get("/{raid_id}", response_model=RaidRead, responses=answers.ITEM)
async def get_raid(raid_id: UUID, actor: Reader, database: Reads, request: Request) -> Response:
    return answers.item(await reads.one(database, actor, raids.card, "raid", id=raid_id), request)


@router.patch(
    "/{raid_id}",
    response_model=RaidRead,
    responses=problems(NotFound, Conflict, PreconditionFailed, PreconditionRequired),
)
async def change_raid(
    raid_id: UUID, changed: RaidChange, actor: Planner, version: ExpectedVersion, session: Session
) -> Response:
    """Change what stands in a draft or open raid."""
    await raids.change(session, actor, raid_id, version, changed)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/publish", response_model=RaidRead, responses=STEP)
async def publish_raid(raid_id: UUID, actor: Planner, session: Session) -> Response:
    """Open it for sign-up."""
    await raids.publish(session, actor, raid_id)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/start", response_model=RaidRead, responses=STEP)
async def start_raid(raid_id: UUID, actor: Planner, session: Session) -> Response:
    """Close sign-up and begin to record removals."""
    await raids.start(session, actor, raid_id)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/finish", response_model=RaidRead, responses=STEP)
async def finish_raid(raid_id: UUID, actor: Planner, session: Session) -> Response:
    """Close the raid and put its counts in the ledger."""
    await raids.finish(session, actor, raid_id)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/cancel", response_model=RaidRead, responses=STEP)
async def cancel_raid(raid_id: UUID, cancellation: Cancellation, actor: Planner, session: Session) -> Response:
    """Call it off; nothing of it counts."""
    await raids.cancel(session, actor, raid_id, cancellation.reason)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/sign-up", response_model=AssignmentRead, status_code=201, responses=STEP)
async def sign_up(raid_id: UUID, actor: Joiner, session: Session) -> Response:
    """Take a place. If you may not, errors names every reason at once."""
    assignment_id = await assignments.sign_up(session, actor, raid_id)
    found = await reads.written(session, actor, assignments.card, "assignment", id=assignment_id)
    return answers.item(found, status=201)


@router.post("/{raid_id}/withdraw", response_model=AssignmentRead, responses=STEP)
async def withdraw(raid_id: UUID, actor: Joiner, session: Session) -> Response:
    """Give your place back."""
    assignment_id = await assignments.withdraw(session, actor, raid_id)
    return answers.item(await reads.written(session, actor, assignments.card, "assignment", id=assignment_id))


@router.get("/{raid_id}/crew", response_model=Crew, responses=problems(NotFound))
async def list_crew(
    raid_id: UUID, query: Annotated[PageQuery, Query()], actor: Planner, database: Reads, request: Request
) -> Response:
    """Who is coming, with phone numbers."""
    await reads.one(database, actor, raids.card, "raid", id=raid_id)
    crew = await reads.page(database, actor, assignments.crew, **query.model_dump(), raid_id=raid_id)
    return answers.page(crew, request)


@router.post("/{raid_id}/removals", response_model=RemovalRead, status_code=201, responses=STEP)
async def record_removal(raid_id: UUID, removal: RemovalRecord, actor: Planner, session: Session) -> Response:
    """One painting-over of one spot, known or found on the way."""
    removal_id = await removals.record(session, actor, raid_id, removal)
    found = await reads.written(session, actor, removals.card, "removal", id=removal_id)
    return answers.item(found, status=201)


@router.get("/{raid_id}/removals", response_model=RemovalPage, responses=problems(NotFound))
async def list_removals(
    raid_id: UUID, query: Annotated[PageQuery, Query()], actor: Reader, database: Reads, request: Request
) -> Response:
    """What this raid painted over."""
    await reads.one(database, actor, raids.card, "raid", id=raid_id)
    page = await reads.page(database, actor, removals.cards, **query.model_dump(), raid_id=raid_id)
    return answers.page(page, request)

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers
from app.deps import Allow, ExpectedVersion, RaidKey, Session, database_of
from app.domain.errors import Conflict, NotFound, PreconditionFailed, PreconditionRequired
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router
from app.schemas.assignments import RollCall
from app.schemas.base import PageQuery
from app.schemas.raids import (
    Cancellation,
    RaidChange,
    RaidPage,
    RaidPlan,
    RaidQuery,
    RaidRead,
    RemovalPage,
    RemovalRead,
    RemovalRecord,
    StopAnswer,
    StopPlan,
    Stops,
)
from app.services import assignments, outings, raids, reads, removals, stops

router = Router("/v1/raids", "raids", SIGNED_IN)
Reader = Annotated[Actor, Depends(Allow(Permission.RAID_READ))]
Planner = Annotated[Actor, Depends(Allow(Permission.RAID_PLAN))]
Leader = Annotated[Actor, Depends(Allow(Permission.RAID_LEAD))]
STEP = problems(NotFound, Conflict)


@router.get("", response_model=RaidPage)
async def list_raids(query: Annotated[RaidQuery, Query()], actor: Reader, request: Request) -> Response:
    """The newest first; volunteers do not see drafts."""
    return answers.page(await reads.page(database_of(request), actor, raids.cards, **query.model_dump()), request)


@router.post("", response_model=RaidRead, status_code=201, responses=STEP)
async def plan_raid(planned: RaidPlan, actor: Planner, session: Session) -> Response:
    """Make a draft. Publish it when it is ready for volunteers."""
    raid_id = await raids.plan(session, actor, planned)
    if planned.lead_id:
        await assignments.name_lead(session, actor, raid_id, planned.lead_id)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id), status=201)


@router.get("/{raid_id}", response_model=RaidRead, responses=answers.ITEM)
async def get_raid(raid_id: UUID, actor: Reader, request: Request) -> Response:
    return answers.item(await reads.one(database_of(request), actor, raids.card, "raid", id=raid_id), request)


@router.patch(
    "/{raid_id}",
    response_model=RaidRead,
    responses=problems(NotFound, Conflict, PreconditionFailed, PreconditionRequired),
)
async def change_raid(
    raid_id: UUID, changed: RaidChange, actor: Planner, version: ExpectedVersion, session: Session
) -> Response:
    """Change what stands in a draft or open raid."""
    await outings.change(session, actor, raid_id, version, changed)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/publish", response_model=RaidRead, responses=STEP)
async def publish_raid(raid_id: UUID, actor: Planner, session: Session) -> Response:
    """Open it for sign-up."""
    await raids.publish(session, actor, raid_id)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/start", response_model=RaidRead, responses=STEP)
async def start_raid(raid_id: UUID, actor: Leader, session: Session, called: RollCall | None = None) -> Response:
    """Close sign-up, say who came, and begin to record removals."""
    await outings.start(session, actor, raid_id, called)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/finish", response_model=RaidRead, responses=STEP)
async def finish_raid(raid_id: UUID, actor: Leader, session: Session, key: RaidKey) -> Response:
    """Close the raid: removals and hours are counted, and some removals are drawn for a check."""
    await outings.finish(session, actor, raid_id, key)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/{raid_id}/cancel", response_model=RaidRead, responses=STEP)
async def cancel_raid(raid_id: UUID, cancellation: Cancellation, actor: Planner, session: Session) -> Response:
    """Call it off; nothing of it counts."""
    await outings.cancel(session, actor, raid_id, cancellation.reason)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.put("/{raid_id}/stops", response_model=Stops, responses=STEP)
async def plan_stops(raid_id: UUID, planned: StopPlan, actor: Planner, session: Session) -> Response:
    """Where to go, in order, among confirmed spots; each is kept for this raid alone."""
    await stops.plan(session, actor, raid_id, planned.spot_ids)
    return answers.document(await reads.document_written(session, actor, stops.cards, "raid", raid_id=raid_id))


@router.get("/{raid_id}/stops", response_model=Stops, responses=problems(NotFound))
async def list_stops(raid_id: UUID, actor: Reader, request: Request) -> Response:
    """Where to go, in order, and what came of it."""
    database = database_of(request)
    await reads.one(database, actor, raids.card, "raid", id=raid_id)
    return answers.document(await reads.document(database, actor, stops.cards, "raid", raid_id=raid_id))


@router.post("/{raid_id}/stops/{spot_id}/answer", response_model=Stops, responses=STEP)
async def answer_stop(raid_id: UUID, spot_id: UUID, given: StopAnswer, actor: Leader, session: Session) -> Response:
    """Nothing was painted there; a painting-over is recorded as a removal."""
    await stops.answer(session, actor, raid_id, spot_id, given)
    return answers.document(await reads.document_written(session, actor, stops.cards, "raid", raid_id=raid_id))


@router.post("/{raid_id}/removals", response_model=RemovalRead, status_code=201, responses=STEP)
async def record_removal(raid_id: UUID, removal: RemovalRecord, actor: Leader, session: Session) -> Response:
    """One painting-over of one spot, known or found on the way."""
    removal_id = await removals.record(session, actor, raid_id, removal)
    found = await reads.written(session, actor, removals.card, "removal", id=removal_id)
    return answers.item(found, status=201)


@router.get("/{raid_id}/removals", response_model=RemovalPage, responses=problems(NotFound))
async def list_removals(
    raid_id: UUID, query: Annotated[PageQuery, Query()], actor: Reader, request: Request
) -> Response:
    """What this raid painted over."""
    database = database_of(request)
    await reads.one(database, actor, raids.card, "raid", id=raid_id)
    page = await reads.page(database, actor, removals.cards, **query.model_dump(), raid_id=raid_id)
    return answers.page(page, request)

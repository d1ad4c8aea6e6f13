"""Volunteers and raids: signing up, offers, and whom to ask."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers, messages
from app import problems as refusals
from app.deps import Allow, Session, database_of
from app.domain.assignments import AssignmentStatus
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router
from app.schemas.assignments import (
    AssignmentRead,
    Chosen,
    Crew,
    Eligibility,
    Reason,
    Roll,
    SuggestionQuery,
    Suggestions,
)
from app.schemas.base import PageQuery
from app.schemas.raids import RaidRead
from app.services import assignments, candidates, raids, reads, suggestions

router = Router("/v1/raids/{raid_id}", "crews", SIGNED_IN)
Joiner = Annotated[Actor, Depends(Allow(Permission.RAID_JOIN))]
Leader = Annotated[Actor, Depends(Allow(Permission.RAID_LEAD))]
Planner = Annotated[Actor, Depends(Allow(Permission.RAID_PLAN))]
STEP = problems(NotFound, Conflict)


@router.post("/sign-up", response_model=AssignmentRead, status_code=201, responses=STEP)
async def sign_up(raid_id: UUID, actor: Joiner, session: Session) -> Response:
    """Take a place, or the last place in line when all are taken. If you may not, errors names every reason."""
    assignment_id = await assignments.sign_up(session, actor, raid_id)
    found = await reads.written(session, actor, assignments.card, "assignment", id=assignment_id)
    return answers.item(found, status=201)


@router.post("/withdraw", response_model=AssignmentRead, responses=STEP)
async def withdraw(raid_id: UUID, actor: Joiner, session: Session) -> Response:
    """Give your place back, or leave the line; the next in line is offered the place."""
    assignment_id = await assignments.withdraw(session, actor, raid_id)
    return answers.item(await reads.written(session, actor, assignments.card, "assignment", id=assignment_id))


@router.post("/accept", response_model=AssignmentRead, responses=STEP)
async def accept_offer(raid_id: UUID, actor: Joiner, session: Session, request: Request) -> Response:
    """Take the place that is kept for you."""
    answered = await assignments.accept(session, actor, raid_id)
    if answered.status is AssignmentStatus.LAPSED:
        # Not raised: that the next in line has the place now must be committed.
        return refusals.answer(request, Conflict("offer_lapsed"))
    return answers.item(await reads.written(session, actor, assignments.card, "assignment", id=answered.id))


@router.post("/decline", response_model=AssignmentRead, responses=STEP)
async def decline_offer(raid_id: UUID, actor: Joiner, session: Session) -> Response:
    """Leave the place to the next in line."""
    answered = await assignments.decline(session, actor, raid_id)
    return answers.item(await reads.written(session, actor, assignments.card, "assignment", id=answered.id))


@router.get("/place", response_model=AssignmentRead, responses=answers.ITEM)
async def get_own_place(raid_id: UUID, actor: Joiner, request: Request) -> Response:
    """Where you stand: on the raid, in line, or with an offer to answer."""
    found = await reads.one(database_of(request), actor, assignments.own_card, "assignment", raid_id=raid_id)
    return answers.item(found, request)


@router.post("/offers", response_model=AssignmentRead, status_code=201, responses=STEP)
async def offer_place(raid_id: UUID, chosen: Chosen, actor: Planner, session: Session) -> Response:
    """Ask a volunteer; the place is kept for them until the deadline."""
    assignment_id = await assignments.offer(session, actor, raid_id, chosen.volunteer_id)
    found = await reads.written(session, actor, assignments.card, "assignment", id=assignment_id)
    return answers.item(found, status=201)


@router.put("/lead", response_model=RaidRead, responses=STEP)
async def name_lead(raid_id: UUID, chosen: Chosen, actor: Planner, session: Session) -> Response:
    """A volunteer who starts, records and finishes this raid; takes a place."""
    await assignments.name_lead(session, actor, raid_id, chosen.volunteer_id)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.get("/crew", response_model=Crew, responses=problems(NotFound))
async def list_crew(raid_id: UUID, query: Annotated[PageQuery, Query()], actor: Planner, request: Request) -> Response:
    """Who is coming or waits for a place, with phone numbers."""
    database = database_of(request)
    await reads.one(database, actor, raids.card, "raid", id=raid_id)
    crew = await reads.page(database, actor, assignments.crew, **query.model_dump(), raid_id=raid_id)
    return answers.page(crew, request)


@router.get("/roll", response_model=Roll, responses=problems(NotFound))
async def list_roll(raid_id: UUID, query: Annotated[PageQuery, Query()], actor: Leader, request: Request) -> Response:
    """Whom to call at the meeting point; for planners and the raid's lead."""
    database = database_of(request)
    await reads.one(database, actor, raids.led_card, "raid", id=raid_id)
    roll = await reads.page(database, actor, assignments.roll, **query.model_dump(), raid_id=raid_id)
    return answers.page(roll, request)


@router.get("/eligibility/{volunteer_id}", response_model=Eligibility, responses=problems(NotFound))
async def get_eligibility(raid_id: UUID, volunteer_id: UUID, actor: Planner, request: Request) -> Eligibility:
    """Whether the volunteer may go on this raid and, if not, every reason at once."""
    database = database_of(request)
    await reads.one(database, actor, raids.card, "raid", id=raid_id)
    asked = {"raid_id": raid_id, "volunteer_ids": [volunteer_id]}
    facts = candidates.read(await reads.document(database, actor, candidates.facts, "volunteer", **asked))
    language = messages.preferred_language(request.headers.get("accept-language", ""))
    reasons = [
        Reason(code=fault.code, detail=messages.fault(fault.code, language, fault.details)) for fault in facts.reasons()
    ]
    return Eligibility(volunteer_id=volunteer_id, is_eligible=not reasons, reasons=reasons)


@router.get("/suggestions", response_model=Suggestions, responses=problems(NotFound))
async def list_suggestions(
    raid_id: UUID, query: Annotated[SuggestionQuery, Query()], actor: Planner, request: Request
) -> Suggestions:
    """Whom to ask: may go, from the raid's district first, with time in their week, asked longest ago, least hours.

    Each comes with what put them there. Whoever has no time may be asked all the same.
    """
    return await suggestions.ranked(database_of(request), actor, raid_id, query.limit)

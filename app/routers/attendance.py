"""Who was there: by the lead, or by the volunteer's own phone at the meeting point."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from app import answers
from app.deps import Allow, RaidKey, Session, ThrottleDep, database_of
from app.domain.errors import Conflict, NotFound, TooManyRequests
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router
from app.schemas.assignments import AssignmentRead, RollCall
from app.schemas.attendance import HereNow, RaidCodeRead
from app.schemas.raids import RaidRead
from app.services import assignments, attendance, raids, reads

router = Router("/v1/raids/{raid_id}", "attendance", SIGNED_IN)
Joiner = Annotated[Actor, Depends(Allow(Permission.RAID_JOIN))]
Leader = Annotated[Actor, Depends(Allow(Permission.RAID_LEAD))]
STEP = problems(NotFound, Conflict)
GUESSED = problems(NotFound, Conflict, TooManyRequests)


@router.post("/roll-call", response_model=RaidRead, responses=STEP)
async def call_roll(raid_id: UUID, called: RollCall, actor: Leader, session: Session) -> Response:
    """Who came and who did not; those who are not named stay as they are."""
    await attendance.call_roll(session, actor, raid_id, called)
    return answers.item(await reads.written(session, actor, raids.card, "raid", id=raid_id))


@router.post("/crew/{volunteer_id}/check-in", response_model=AssignmentRead, responses=STEP)
async def check_in(raid_id: UUID, volunteer_id: UUID, actor: Leader, session: Session) -> Response:
    """By the lead, also for a late-comer."""
    assignment_id = await attendance.check_in(session, actor, raid_id, volunteer_id)
    return answers.item(await reads.written(session, actor, assignments.card, "assignment", id=assignment_id))


@router.post("/crew/{volunteer_id}/check-out", response_model=AssignmentRead, responses=STEP)
async def check_out(raid_id: UUID, volunteer_id: UUID, actor: Leader, session: Session) -> Response:
    """By the lead; who is still there when the raid finishes is checked out with it."""
    assignment_id = await attendance.check_out(session, actor, raid_id, volunteer_id)
    return answers.item(await reads.written(session, actor, assignments.card, "assignment", id=assignment_id))


@router.get("/code", response_model=RaidCodeRead, responses=problems(NotFound))
async def get_code(
    raid_id: UUID, actor: Leader, request: Request, key: RaidKey, response: Response
) -> attendance.RaidCode:
    """For the lead's screen; another one each minute."""
    await reads.one(database_of(request), actor, raids.led_card, "raid", id=raid_id)
    response.headers["Cache-Control"] = "no-store"
    return attendance.code(raid_id, key)


@router.post("/check-in", response_model=AssignmentRead, responses=GUESSED)
async def check_in_here(
    raid_id: UUID, here: HereNow, actor: Joiner, session: Session, key: RaidKey, throttle: ThrottleDep
) -> Response:
    """By your own phone, within 300 m of the meeting point, with the code that the lead shows."""
    throttle.raid_code(str(actor.account_id))
    assignment_id = await attendance.check_in_here(session, actor, raid_id, here, key)
    throttle.was_there(str(actor.account_id))
    return answers.item(await reads.written(session, actor, assignments.card, "assignment", id=assignment_id))


@router.post("/check-out", response_model=AssignmentRead, responses=GUESSED)
async def check_out_here(
    raid_id: UUID, here: HereNow, actor: Joiner, session: Session, key: RaidKey, throttle: ThrottleDep
) -> Response:
    """By your own phone, as you checked in."""
    throttle.raid_code(str(actor.account_id))
    assignment_id = await attendance.check_out_here(session, actor, raid_id, here, key)
    throttle.was_there(str(actor.account_id))
    return answers.item(await reads.written(session, actor, assignments.card, "assignment", id=assignment_id))

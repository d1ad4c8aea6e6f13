from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app import answers
from app.deps import Allow, Reads, Session
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import Route, SecretRoute
from app.schemas.volunteers import InvitationRead, Rejection, VolunteerPage, VolunteerQuery, VolunteerRead
from app.services import reads, volunteers
from app.services.accounts import Invitation

router = APIRouter(prefix="/volunteers", tags=["volunteers"], route_class=Route)
secret_router = APIRouter(prefix="/volunteers", tags=["volunteers"], route_class=SecretRoute)
Manager = Annotated[Actor, Depends(Allow(Permission.VOLUNTEER_MANAGE))]
Own = Annotated[Actor, Depends(Allow(Permission.VOLUNTEER_READ_OWN))]
STEP = problems(NotFound, Conflict)


@router.get("", response_model=VolunteerPage)
async def list_volunteers(
    query: Annotated[VolunteerQuery, Query()], actor: Manager, database: Reads, request: Request
) -> Response:
    """The newest first; without birth dates."""
    return answers.page(await reads.page(database, actor, volunteers.lines, **query.model_dump()), request)


@router.get("/me", response_model=VolunteerRead, responses=answers.ITEM)
async def get_own_file(actor: Own, database: Reads, request: Request) -> Response:
    """Your own file."""
    return answers.item(await reads.one(database, actor, volunteers.own_card, "volunteer"), request)


@router.get("/{volunteer_id}", response_model=VolunteerRead, responses=answers.ITEM)
async def get_volunteer(volunteer_id: UUID, actor: Manager, database: Reads, request: Request) -> Response:
    return answers.item(await reads.one(database, actor, volunteers.card, "volunteer", id=volunteer_id), request)


@router.post("/{volunteer_id}/approve", response_model=VolunteerRead, responses=STEP)
async def approve_volunteer(volunteer_id: UUID, actor: Manager, session: Session) -> Response:
    """Admit them, with an account. Then invite them, so that they can sign in."""
    await volunteers.approve(session, actor, volunteer_id)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@router.post("/{volunteer_id}/reject", response_model=VolunteerRead, responses=STEP)
async def reject_volunteer(volunteer_id: UUID, rejection: Rejection, actor: Manager, session: Session) -> Response:
    """They may apply again."""
    await volunteers.reject(session, actor, volunteer_id, rejection.reason)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@router.post("/{volunteer_id}/suspend", response_model=VolunteerRead, responses=STEP)
async def suspend_volunteer(volunteer_id: UUID, actor: Manager, session: Session) -> Response:
    """They cannot sign in until they are reinstated."""
    await volunteers.suspend(session, actor, volunteer_id)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@router.post("/{volunteer_id}/reinstate", response_model=VolunteerRead, responses=STEP)
async def reinstate_volunteer(volunteer_id: UUID, actor: Manager, session: Session) -> Response:
    await volunteers.reinstate(session, actor, volunteer_id)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@secret_router.post("/{volunteer_id}/invite", response_model=InvitationRead, status_code=201, responses=STEP)
async def invite_volunteer(volunteer_id: UUID, actor: Manager, session: Session) -> Invitation:
    """A code for setting a password, valid for seven days, shown once. Give it to the person, not to a chat."""
    return await volunteers.invite(session, actor, volunteer_id)

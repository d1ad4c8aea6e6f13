from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers, messages
from app.deps import Allow, ExpectedVersion, Session, SignedInActor, database_of
from app.domain.errors import Conflict, NotFound, PreconditionFailed, PreconditionRequired
from app.domain.permissions import Actor, Permission
from app.domain.volunteers import Skill
from app.models.volunteers import Consent
from app.problems import problems
from app.routing import SIGNED_IN, Router, SecretRoute
from app.schemas.base import PageQuery
from app.schemas.volunteers import (
    Approval,
    ConsentChange,
    ConsentPage,
    ConsentRead,
    InvitationRead,
    Leaving,
    OwnChange,
    OwnConsentChange,
    OwnFile,
    Rejection,
    SkillList,
    SkillRead,
    Suspension,
    VolunteerChange,
    VolunteerEventPage,
    VolunteerPage,
    VolunteerQuery,
    VolunteerRead,
)
from app.services import reads, standing, volunteers
from app.services.accounts import Invitation

router = Router("/v1/volunteers", "volunteers", SIGNED_IN)
secret_router = Router("/v1/volunteers", "volunteers", SIGNED_IN, SecretRoute)
Manager = Annotated[Actor, Depends(Allow(Permission.VOLUNTEER_MANAGE))]
Own = Annotated[Actor, Depends(Allow(Permission.VOLUNTEER_READ_OWN))]
OwnWriter = Annotated[Actor, Depends(Allow(Permission.VOLUNTEER_CHANGE_OWN))]
STEP = problems(NotFound, Conflict)
CHANGE = problems(NotFound, Conflict, PreconditionFailed, PreconditionRequired)


@router.get("", response_model=VolunteerPage)
async def list_volunteers(query: Annotated[VolunteerQuery, Query()], actor: Manager, request: Request) -> Response:
    """In the order of their names, Kazakh, Russian and Latin; without birth dates.

    `q` finds them by the beginnings of words: ё and е, Kazakh letters and their Russian twins, and Latin letters that
    look like Cyrillic ones are alike.
    """
    found = await reads.page(database_of(request), actor, volunteers.lines, query.limit, **volunteers.values(query))
    return answers.page(found, request)


@router.get("/skills", response_model=SkillList)
async def list_skills(actor: SignedInActor, request: Request) -> SkillList:
    """What a volunteer can be good at, in the language asked for."""
    language = messages.preferred_language(request.headers.get("accept-language", ""))
    return SkillList(items=[SkillRead(skill=skill, name=messages.word(skill, language)) for skill in Skill])


@router.get("/me", response_model=OwnFile, responses=answers.ITEM)
async def get_own_file(actor: Own, request: Request) -> Response:
    """Your own file."""
    return answers.item(await reads.one(database_of(request), actor, volunteers.own_card, "volunteer"), request)


@router.patch("/me", response_model=OwnFile, responses=CHANGE)
async def change_own_file(changed: OwnChange, actor: OwnWriter, version: ExpectedVersion, session: Session) -> Response:
    """Change what you can do, when and where. Who signs in with the phone number does so with the new one."""
    await volunteers.change_own(session, actor, version, changed)
    return answers.item(await reads.written(session, actor, volunteers.own_card, "volunteer"))


@router.post("/me/leave", status_code=204, responses=STEP)
async def leave(actor: OwnWriter, session: Session, leaving: Leaving | None = None) -> Response:
    """Leave the programme for good: your places on raids go to the next in line, and your access ends."""
    await standing.leave_oneself(session, actor, leaving.reason if leaving else None)
    return Response(status_code=204)


@router.get("/me/consents", response_model=ConsentPage)
async def list_own_consents(query: Annotated[PageQuery, Query()], actor: Own, request: Request) -> Response:
    """Every consent that you or your guardian gave or took back, the latest first."""
    return answers.page(
        await reads.page(database_of(request), actor, volunteers.own_consents, **query.model_dump()), request
    )


@router.post("/me/consents", response_model=ConsentRead, status_code=201, responses=STEP)
async def change_own_consent(word: OwnConsentChange, actor: OwnWriter, session: Session) -> Consent:
    """Give a consent or take it back. Without one that is needed you are suspended, and your access ends."""
    return await standing.consent_oneself(session, actor, word)


@router.get("/{volunteer_id}", response_model=VolunteerRead, responses=answers.ITEM)
async def get_volunteer(volunteer_id: UUID, actor: Manager, request: Request) -> Response:
    return answers.item(
        await reads.one(database_of(request), actor, volunteers.card, "volunteer", id=volunteer_id), request
    )


@router.patch("/{volunteer_id}", response_model=VolunteerRead, responses=CHANGE)
async def change_volunteer(
    volunteer_id: UUID, changed: VolunteerChange, actor: Manager, version: ExpectedVersion, session: Session
) -> Response:
    """Correct the file. Who is put into a programme while active is counted in it."""
    await volunteers.change(session, actor, volunteer_id, version, changed)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@router.get("/{volunteer_id}/history", response_model=VolunteerEventPage, responses=problems(NotFound))
async def list_volunteer_history(
    volunteer_id: UUID, query: Annotated[PageQuery, Query()], actor: Manager, request: Request
) -> Response:
    """Each step of the file, by whom and why, the latest first."""
    database = database_of(request)
    await reads.one(database, actor, volunteers.card, "volunteer", id=volunteer_id)
    found = await reads.page(database, actor, volunteers.history, **query.model_dump(), volunteer_id=volunteer_id)
    return answers.page(found, request)


@router.get("/{volunteer_id}/consents", response_model=ConsentPage, responses=problems(NotFound))
async def list_consents(
    volunteer_id: UUID, query: Annotated[PageQuery, Query()], actor: Manager, request: Request
) -> Response:
    """Every consent that was given or taken back, the latest first."""
    database = database_of(request)
    await reads.one(database, actor, volunteers.card, "volunteer", id=volunteer_id)
    found = await reads.page(database, actor, volunteers.consents, **query.model_dump(), volunteer_id=volunteer_id)
    return answers.page(found, request)


@router.post("/{volunteer_id}/consents", response_model=ConsentRead, status_code=201, responses=STEP)
async def change_consent(volunteer_id: UUID, word: ConsentChange, actor: Manager, session: Session) -> Consent:
    """Write down what the person or the guardian said. Without a consent that is needed they are suspended."""
    return await standing.consent(session, actor, volunteer_id, word)


@router.post("/{volunteer_id}/approve", response_model=VolunteerRead, responses=STEP)
async def approve_volunteer(
    volunteer_id: UUID, actor: Manager, session: Session, approval: Approval | None = None
) -> Response:
    """Admit them, with an account. Then invite them, so that they can sign in."""
    await volunteers.approve(session, actor, volunteer_id, approval.reason if approval else None)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@router.post("/{volunteer_id}/reject", response_model=VolunteerRead, responses=STEP)
async def reject_volunteer(volunteer_id: UUID, rejection: Rejection, actor: Manager, session: Session) -> Response:
    """They may apply again."""
    await volunteers.reject(session, actor, volunteer_id, rejection.reason)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@router.post("/{volunteer_id}/suspend", response_model=VolunteerRead, responses=STEP)
async def suspend_volunteer(volunteer_id: UUID, suspension: Suspension, actor: Manager, session: Session) -> Response:
    """They cannot sign in until they are reinstated; their places on coming raids go to the next in line."""
    await standing.suspend(session, actor, volunteer_id, suspension)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@router.post("/{volunteer_id}/reinstate", response_model=VolunteerRead, responses=STEP)
async def reinstate_volunteer(volunteer_id: UUID, actor: Manager, session: Session) -> Response:
    """They can sign in again, once the consents stand that everybody needs."""
    await standing.reinstate(session, actor, volunteer_id)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@router.post("/{volunteer_id}/leave", response_model=VolunteerRead, responses=STEP)
async def let_volunteer_go(
    volunteer_id: UUID, actor: Manager, session: Session, leaving: Leaving | None = None
) -> Response:
    """For good: their places go to the next in line, and their access ends. What they did stays counted."""
    await standing.leave(session, actor, volunteer_id, leaving.reason if leaving else None)
    return answers.item(await reads.written(session, actor, volunteers.card, "volunteer", id=volunteer_id))


@secret_router.post("/{volunteer_id}/invite", response_model=InvitationRead, status_code=201, responses=STEP)
async def invite_volunteer(volunteer_id: UUID, actor: Manager, session: Session) -> Invitation:
    """A code for setting a password, valid for seven days, shown once. Give it to the person, not to a chat."""
    return await volunteers.invite(session, actor, volunteer_id)

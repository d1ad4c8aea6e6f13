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
from app.schemas.referrals import (
    Acknowledgement,
    AnswerRecord,
    ReferralDraft,
    ReferralItemPage,
    ReferralPage,
    ReferralQuery,
    ReferralRead,
    Restoration,
    Sending,
)
from app.services import reads, referrals

router = Router("/v1/referrals", "referrals", SIGNED_IN)
Manager = Annotated[Actor, Depends(Allow(Permission.REFERRAL_MANAGE))]
STEP = problems(NotFound, Conflict)


@router.get("", response_model=ReferralPage)
async def list_referrals(query: Annotated[ReferralQuery, Query()], actor: Manager, request: Request) -> Response:
    """The newest first."""
    return answers.page(await reads.page(database_of(request), actor, referrals.cards, **query.model_dump()), request)


@router.post("", response_model=ReferralRead, status_code=201, responses=problems(Conflict))
async def draft_referral(drafted: ReferralDraft, actor: Manager, session: Session) -> Response:
    """Put confirmed resources together for one authority."""
    referral_id = await referrals.draft(session, actor, drafted)
    return answers.item(await reads.written(session, actor, referrals.card, "referral", id=referral_id), status=201)


@router.get("/{referral_id}", response_model=ReferralRead, responses=answers.ITEM)
async def get_referral(referral_id: UUID, actor: Manager, request: Request) -> Response:
    return answers.item(
        await reads.one(database_of(request), actor, referrals.card, "referral", id=referral_id), request
    )


@router.get("/{referral_id}/items", response_model=ReferralItemPage, responses=problems(NotFound))
async def list_referral_items(
    referral_id: UUID, query: Annotated[PageQuery, Query()], actor: Manager, request: Request
) -> Response:
    """The resources in it, each with its answer."""
    database = database_of(request)
    await reads.one(database, actor, referrals.card, "referral", id=referral_id)
    page = await reads.page(database, actor, referrals.items, **query.model_dump(), referral_id=referral_id)
    return answers.page(page, request)


@router.post("/{referral_id}/send", response_model=ReferralRead, responses=STEP)
async def send_referral(referral_id: UUID, sending: Sending, actor: Manager, session: Session) -> Response:
    """Record that it went out, under its number: its resources count as referred."""
    await referrals.send(session, actor, referral_id, sending)
    return answers.item(await reads.written(session, actor, referrals.card, "referral", id=referral_id))


@router.post("/{referral_id}/acknowledge", response_model=ReferralRead, responses=STEP)
async def acknowledge_referral(
    referral_id: UUID, letter: Acknowledgement, actor: Manager, session: Session
) -> Response:
    """Record that the authority has it in hand."""
    await referrals.acknowledge(session, actor, referral_id, letter)
    return answers.item(await reads.written(session, actor, referrals.card, "referral", id=referral_id))


@router.post("/{referral_id}/items/{resource_id}/answer", response_model=ReferralRead, responses=STEP)
async def answer_item(
    referral_id: UUID, resource_id: UUID, answered: AnswerRecord, actor: Manager, session: Session
) -> Response:
    """Record what the authority said of one resource; "blocked" counts as reported blocked."""
    await referrals.answer(session, actor, referral_id, resource_id, answered)
    return answers.item(await reads.written(session, actor, referrals.card, "referral", id=referral_id))


@router.post("/{referral_id}/items/{resource_id}/restore", response_model=ReferralRead, responses=STEP)
async def restore_item(
    referral_id: UUID, resource_id: UUID, decided: Restoration, actor: Manager, session: Session
) -> Response:
    """Record that a blocked resource was given back by decision; it is counted on its own."""
    await referrals.restore(session, actor, referral_id, resource_id, decided)
    return answers.item(await reads.written(session, actor, referrals.card, "referral", id=referral_id))

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers
from app.deps import Allow, CardKey, Session, database_of
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router
from app.schemas.payment_cards import (
    CardFreezing,
    CardReferral,
    CardRefusal,
    PaymentCardPage,
    PaymentCardQuery,
    PaymentCardRead,
    PaymentCardReport,
)
from app.services import payment_cards, reads

router = Router("/v1/payment-cards", "payment cards", SIGNED_IN)
Reporter = Annotated[Actor, Depends(Allow(Permission.CARD_REPORT))]
Reader = Annotated[Actor, Depends(Allow(Permission.CARD_READ))]
Manager = Annotated[Actor, Depends(Allow(Permission.REFERRAL_MANAGE))]
STEP = problems(NotFound, Conflict)


@router.get("", response_model=PaymentCardPage)
async def list_payment_cards(query: Annotated[PaymentCardQuery, Query()], actor: Reader, request: Request) -> Response:
    """The newest first."""
    found = await reads.page(database_of(request), actor, payment_cards.cards, **query.model_dump())
    return answers.page(found, request)


@router.post("", response_model=PaymentCardRead, status_code=201, responses=problems(Conflict))
async def report_payment_card(seen: PaymentCardReport, actor: Reporter, session: Session, key: CardKey) -> Response:
    """Report a card on which a seller takes money. The same number again gives the card that is known."""
    card_id = await payment_cards.report(session, actor, seen, key)
    return answers.item(await reads.written(session, actor, payment_cards.card, "payment_card", id=card_id), status=201)


@router.get("/{card_id}", response_model=PaymentCardRead, responses=answers.ITEM)
async def get_payment_card(card_id: UUID, actor: Reader, request: Request) -> Response:
    return answers.item(
        await reads.one(database_of(request), actor, payment_cards.card, "payment_card", id=card_id), request
    )


@router.post("/{card_id}/refer", response_model=PaymentCardRead, responses=STEP)
async def refer_payment_card(card_id: UUID, referral: CardReferral, actor: Manager, session: Session) -> Response:
    """Record that it was named to a bank or an authority, by somebody else than who reported it."""
    await payment_cards.refer(session, actor, card_id, referral)
    return answers.item(await reads.written(session, actor, payment_cards.card, "payment_card", id=card_id))


@router.post("/{card_id}/freeze", response_model=PaymentCardRead, responses=STEP)
async def freeze_payment_card(card_id: UUID, freezing: CardFreezing, actor: Manager, session: Session) -> Response:
    """Record the answer that it was frozen, with the money on it where the bank says how much."""
    await payment_cards.freeze(session, actor, card_id, freezing)
    return answers.item(await reads.written(session, actor, payment_cards.card, "payment_card", id=card_id))


@router.post("/{card_id}/refuse", response_model=PaymentCardRead, responses=STEP)
async def refuse_payment_card(card_id: UUID, refusal: CardRefusal, actor: Manager, session: Session) -> Response:
    """Record the answer that it was not frozen."""
    await payment_cards.refuse(session, actor, card_id, refusal)
    return answers.item(await reads.written(session, actor, payment_cards.card, "payment_card", id=card_id))

"""Payment cards of sellers: reported once by whoever sees one, referred by somebody else, frozen or refused."""

import hmac
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import utc_now
from app.core.ids import new_id
from app.domain import letters
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.metrics import Metric
from app.domain.payment_cards import PAYMENT_CARD_FLOW, CardAction, CardStatus
from app.domain.permissions import Actor, Role
from app.models.payment_cards import PaymentCard
from app.models.resources import Resource
from app.schemas.payment_cards import CardFreezing, CardReferral, CardRefusal, PaymentCardRead, PaymentCardReport
from app.services import cities, ledger, reads, resources
from app.services.ledger import Fact
from app.services.reads import Query


def visible_to(role: Role | None) -> SelectOfScalar[PaymentCard]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    return select(PaymentCard).where(col(PaymentCard.city_id) == reads.CITY)


def _card(role: Role | None) -> Query:
    return visible_to(role).with_only_columns(*reads.fields(PaymentCard, PaymentCardRead))


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card(role).where(col(PaymentCard.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _card(role)
    if "status" in given:
        query = query.where(col(PaymentCard.status) == sa.bindparam("status", type_=sa.Text))
    return reads.newest_first(query, PaymentCard.id, given)


async def report(session: AsyncSession, actor: Actor, seen: PaymentCardReport, key: bytes) -> UUID:
    """The card with this number, which is made if the city does not know it; a known one stays as it is.

    Raises Invalid for a resource that the city does not have.
    """
    await _check_resource(session, actor, seen.resource_id)
    digest = _digest(key, actor.city_id, seen.number)
    new = {
        "city_id": actor.city_id,
        "id": seen.id or new_id(),
        "created_at": utc_now(),
        "version": 1,
        "number_digest": digest,
        "first_six": seen.number[:6],
        "last_four": seen.number[-4:],
        "bank": seen.bank,
        "resource_id": seen.resource_id,
        "reported_by": actor.account_id,
        "status": CardStatus.REPORTED,
    }
    made = await session.scalar(
        insert(PaymentCard)
        .values(**new)
        .on_conflict_do_nothing(index_elements=["city_id", "number_digest"])
        .returning(col(PaymentCard.id))
    )
    if made is not None:
        return made
    known = select(PaymentCard.id).where(PaymentCard.city_id == actor.city_id, PaymentCard.number_digest == digest)
    return (await session.exec(known)).one()


async def refer(session: AsyncSession, actor: Actor, card_id: UUID, referral: CardReferral) -> None:
    """Named to a bank or an authority. Raises Conflict `own_card` for who reported it."""
    referred = await get(session, actor, card_id)
    referred.status = PAYMENT_CARD_FLOW.after(referred.status, CardAction.REFER)
    if referred.reported_by == actor.account_id:
        raise Conflict("own_card")
    today = await cities.today(session, actor.city_id)
    if faults := letters.sent_faults(referral.referred_on, today, "/body/referred_on"):
        raise Invalid(*faults)
    referred.sqlmodel_update(referral.model_dump())
    ledger.record(session, actor, Fact(Metric.CARDS_REFERRED, referred.id, referral.referred_on))


async def freeze(session: AsyncSession, actor: Actor, card_id: UUID, freezing: CardFreezing) -> None:
    """The bank's answer that it froze the card; the money on it counts where the bank says how much."""
    frozen = await get(session, actor, card_id)
    frozen.status = PAYMENT_CARD_FLOW.after(frozen.status, CardAction.FREEZE)
    await _check_day(session, frozen, freezing.frozen_on, "/body/frozen_on")
    frozen.sqlmodel_update(freezing.model_dump())
    ledger.record(session, actor, Fact(Metric.CARDS_FROZEN, frozen.id, freezing.frozen_on))
    if freezing.amount_kzt is not None:
        money = Fact(Metric.AMOUNT_SUSPENDED_KZT, frozen.id, freezing.frozen_on, freezing.amount_kzt)
        ledger.record(session, actor, money)


async def refuse(session: AsyncSession, actor: Actor, card_id: UUID, refusal: CardRefusal) -> None:
    """The bank's answer that it did not freeze the card."""
    refused = await get(session, actor, card_id)
    refused.status = PAYMENT_CARD_FLOW.after(refused.status, CardAction.REFUSE)
    await _check_day(session, refused, refusal.refused_on, "/body/refused_on")
    refused.refused_on = refusal.refused_on


async def get(session: AsyncSession, actor: Actor, card_id: UUID) -> PaymentCard:
    """Locked, for a step of its flow."""
    query = visible_to(actor.role).where(col(PaymentCard.id) == card_id).with_for_update()
    found = (await session.exec(query, params=reads.values_of(actor))).one_or_none()
    if found is None:
        raise NotFound("payment_card")
    return found


def _digest(key: bytes, city_id: str, digits: str) -> bytes:
    """Of the city too, so that nobody sees from two cities' digests that they know the same card."""
    return hmac.digest(key, f"{city_id} {digits}".encode(), "sha256")


async def _check_resource(session: AsyncSession, actor: Actor, resource_id: UUID | None) -> None:
    if resource_id is None:
        return
    query = resources.visible_to(actor.role).where(col(Resource.id) == resource_id)
    if (await session.exec(query, params=reads.values_of(actor))).one_or_none() is None:
        raise Invalid(Fault("no_such_resource", "/body/resource_id"))


async def _check_day(session: AsyncSession, answered: PaymentCard, day: date, pointer: str) -> None:
    assert answered.referred_on
    today = await cities.today(session, answered.city_id)
    if faults := letters.answered_faults(day, answered.referred_on, today, pointer):
        raise Invalid(*faults)

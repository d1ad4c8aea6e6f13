"""Referrals: confirmed resources go to an authority, and each gets its own answer."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import day_in
from app.core.ids import new_id
from app.domain import letters
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.metrics import Metric
from app.domain.permissions import Actor, Role
from app.domain.referrals import ANSWER_STEPS, REFERRAL_FLOW, Answer, ReferralAction
from app.domain.resources import REFERABLE, RESOURCE_FLOW, ResourceAction, ResourceStatus
from app.models.referrals import Referral, ReferralItem
from app.models.resources import Resource
from app.schemas.referrals import (
    Acknowledgement,
    AnswerRecord,
    ReferralDraft,
    ReferralItemRead,
    ReferralRead,
    Restoration,
    Sending,
)
from app.services import cities, ledger, observations, reads, resources
from app.services.ledger import Fact
from app.services.reads import Query

REFERRAL_ID = sa.bindparam("referral_id", type_=sa.Uuid)


def visible_to(role: Role | None) -> SelectOfScalar[Referral]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    return select(Referral).where(col(Referral.city_id) == reads.CITY)


def _card(role: Role | None) -> Query:
    return visible_to(role).with_only_columns(*reads.fields(Referral, ReferralRead))


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card(role).where(col(Referral.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _card(role)
    if "status" in given:
        query = query.where(col(Referral.status) == sa.bindparam("status", type_=sa.Text))
    return reads.newest_first(query, Referral.id, given)


def items(role: Role | None, given: frozenset[str]) -> Query:
    query = (
        sa.select(*reads.fields(ReferralItem, ReferralItemRead, address=col(Resource.address), kind=col(Resource.kind)))
        .join(
            Resource,
            sa.and_(
                col(Resource.city_id) == col(ReferralItem.city_id), col(Resource.id) == col(ReferralItem.resource_id)
            ),
        )
        .where(col(ReferralItem.city_id) == reads.CITY, col(ReferralItem.referral_id) == REFERRAL_ID)
    )
    return reads.newest_first(query, ReferralItem.id, given)


async def draft(session: AsyncSession, actor: Actor, drafted: ReferralDraft) -> UUID:
    """Raises Invalid with a pointer to each resource that is named twice, unknown, or cannot be referred now."""
    referable = await _referable(session, actor, drafted.resource_ids)
    if faults := _item_faults(drafted.resource_ids, referable):
        raise Invalid(*faults)
    referral = Referral(
        city_id=actor.city_id,
        id=drafted.id or new_id(),
        authority=drafted.authority,
        items=len(drafted.resource_ids),
    )
    session.add(referral)
    await session.flush()
    session.add_all(
        ReferralItem(city_id=actor.city_id, referral_id=referral.id, resource_id=resource_id)
        for resource_id in sorted(drafted.resource_ids)
    )
    return referral.id


async def send(session: AsyncSession, actor: Actor, referral_id: UUID, sending: Sending) -> None:
    """Sent under its outgoing number: from now on each resource counts as referred, once in each of its cycles.

    Raises Conflict when a resource cannot be referred any more, such as one sent with another referral.
    """
    referral = await get(session, actor, referral_id)
    referral.status = REFERRAL_FLOW.after(referral.status, ReferralAction.SEND)
    today = await cities.today(session, actor.city_id)
    if faults := _sending_faults(sending, today):
        raise Invalid(*faults)
    referral.sqlmodel_update(sending.model_dump())
    for item in await _items(session, referral):
        resource = await resources.get(session, actor, item.resource_id)
        status = RESOURCE_FLOW.after(resource.status, ResourceAction.REFER)
        if resource.status is ResourceStatus.REAPPEARED:
            resource.cycle += 1
        item.cycle = resource.cycle
        resources.enter_by_letter(session, resource, status, sending.sent_on)
        ledger.record(session, actor, Fact(Metric.RESOURCES_REFERRED, item.id, sending.sent_on))


async def acknowledge(session: AsyncSession, actor: Actor, referral_id: UUID, letter: Acknowledgement) -> None:
    """The authority has it in hand; what it has answered already, or what has gone by itself, stays as it is.

    Raises Conflict `already_acknowledged`, and `wrong_status` before it was sent and after the last answer.
    """
    referral = await get(session, actor, referral_id)
    referral.status = REFERRAL_FLOW.after(referral.status, ReferralAction.ACKNOWLEDGE)
    if referral.acknowledged_on:
        raise Conflict("already_acknowledged")
    await _check_day(session, referral, letter.acknowledged_on, "/body/acknowledged_on")
    referral.acknowledged_on = letter.acknowledged_on
    for item in await _items(session, referral):
        resource = await resources.get(session, actor, item.resource_id)
        if item.cycle == resource.cycle and RESOURCE_FLOW.allows(resource.status, ResourceAction.ACKNOWLEDGE):
            status = RESOURCE_FLOW.after(resource.status, ResourceAction.ACKNOWLEDGE)
            resources.enter_by_letter(session, resource, status, letter.acknowledged_on)


async def answer(
    session: AsyncSession, actor: Actor, referral_id: UUID, resource_id: UUID, answered: AnswerRecord
) -> None:
    """What the authority said of one resource; the referral is answered with its last item.

    Of one that came back, or was referred again, since the day of the letter it is noted and counted, and changes
    nothing else. Raises Conflict `already_answered` for a second answer to one item.
    """
    referral = await get(session, actor, referral_id)
    all_answered = REFERRAL_FLOW.after(referral.status, ReferralAction.ANSWER)
    await _check_day(session, referral, answered.answered_on, "/body/answered_on")
    item = await _item(session, referral, resource_id)
    if item.answer is not None:
        raise Conflict("already_answered")
    item.answer, item.answered_on = answered.answer, answered.answered_on
    resource = await resources.get(session, actor, resource_id)
    if not await _is_overtaken(session, item, resource):
        status = RESOURCE_FLOW.after(resource.status, ANSWER_STEPS[answered.answer])
        resources.enter_by_letter(session, resource, status, answered.answered_on)
    # It may have been measured before the letter was entered.
    await observations.judge(session, actor, resource)
    if answered.answer is Answer.BLOCKED:
        ledger.record(session, actor, Fact(Metric.RESOURCES_BLOCKED, item.id, answered.answered_on))
    referral.answered += 1
    if referral.answered == referral.items:
        referral.status = all_answered


async def restore(
    session: AsyncSession, actor: Actor, referral_id: UUID, resource_id: UUID, decided: Restoration
) -> None:
    """A blocked resource was given back by decision, such as after an appeal.

    Raises Conflict `wrong_status` unless it is blocked, `referred_again` where a later referral speaks of it by now.
    """
    referral = await get(session, actor, referral_id)
    referral.status = REFERRAL_FLOW.after(referral.status, ReferralAction.RESTORE)
    item = await _item(session, referral, resource_id)
    resource = await resources.get(session, actor, resource_id)
    status = RESOURCE_FLOW.after(resource.status, ResourceAction.RESTORE)
    if item.cycle != resource.cycle:
        raise Conflict("referred_again")
    assert item.answered_on
    if not item.answered_on <= decided.restored_on <= await cities.today(session, actor.city_id):
        raise Invalid(Fault("restored_day", "/body/restored_on", {"answered_on": item.answered_on.isoformat()}))
    item.restored_on, item.restored_reason = decided.restored_on, decided.reason
    resources.enter_by_letter(session, resource, status, decided.restored_on)
    ledger.record(session, actor, Fact(Metric.RESOURCES_RESTORED, item.id, decided.restored_on))


async def _is_overtaken(session: AsyncSession, item: ReferralItem, resource: Resource) -> bool:
    """Whether what the letter answers is over."""
    assert item.answered_on
    zone = (await cities.get(session, resource.city_id)).time_zone
    has_come_back = resource.status is ResourceStatus.REAPPEARED
    is_of_before = has_come_back and item.answered_on < day_in(zone, resource.watched_since)
    return item.cycle != resource.cycle or is_of_before


async def _item(session: AsyncSession, referral: Referral, resource_id: UUID) -> ReferralItem:
    query = select(ReferralItem).where(
        ReferralItem.city_id == referral.city_id,
        ReferralItem.referral_id == referral.id,
        ReferralItem.resource_id == resource_id,
    )
    item = (await session.exec(query)).one_or_none()
    if item is None:
        raise NotFound("resource")
    return item


async def _check_day(session: AsyncSession, referral: Referral, day: date, pointer: str) -> None:
    """Of a letter that answers one of ours."""
    assert referral.sent_on
    today = await cities.today(session, referral.city_id)
    if faults := letters.answered_faults(day, referral.sent_on, today, pointer):
        raise Invalid(*faults)


async def get(session: AsyncSession, actor: Actor, referral_id: UUID) -> Referral:
    """Locked, for a step of its flow."""
    query = visible_to(actor.role).where(col(Referral.id) == referral_id).with_for_update()
    referral = (await session.exec(query, params=reads.values_of(actor))).one_or_none()
    if referral is None:
        raise NotFound("referral")
    return referral


async def _items(session: AsyncSession, referral: Referral) -> list[ReferralItem]:
    """In the order of their resources, which is the order in which those are locked."""
    query = select(ReferralItem).where(
        ReferralItem.city_id == referral.city_id, ReferralItem.referral_id == referral.id
    )
    return list(await session.exec(query.order_by(col(ReferralItem.resource_id))))


async def _referable(session: AsyncSession, actor: Actor, resource_ids: list[UUID]) -> frozenset[UUID]:
    query = resources.visible_to(actor.role).where(
        col(Resource.id).in_(resource_ids), col(Resource.status).in_(REFERABLE)
    )
    return frozenset(resource.id for resource in await session.exec(query, params=reads.values_of(actor)))


def _item_faults(resource_ids: list[UUID], referable: frozenset[UUID]) -> list[Fault]:
    faults: list[Fault] = []
    for index, resource_id in enumerate(resource_ids):
        if resource_id not in referable:
            faults.append(Fault("not_confirmed", f"/body/resource_ids/{index}"))
        elif resource_id in resource_ids[:index]:
            faults.append(Fault("twice", f"/body/resource_ids/{index}"))
    return faults


def _sending_faults(sending: Sending, today: date) -> list[Fault]:
    faults = letters.sent_faults(sending.sent_on, today, "/body/sent_on")
    if sending.due_on < sending.sent_on:
        faults.append(Fault("ends_before_start", "/body/due_on"))
    return faults

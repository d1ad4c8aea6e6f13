"""What was seen of a resource after it had been confirmed, and what follows from that."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, moment_in, utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.observations import COUNTED, MOST_LOOKED_AT, OBSERVED, STANDING_BLOCKS, Seen, Standing, State, steps
from app.domain.permissions import Actor, Role
from app.domain.referrals import Answer
from app.domain.resources import RESOURCE_FLOW
from app.models.observations import Observation
from app.models.referrals import ReferralItem
from app.models.resources import Resource, ResourceEvent
from app.schemas.observations import ObservationRead, ObservationRecord
from app.services import cities, ledger, reads, resources
from app.services.ledger import Fact
from app.services.reads import Query


def _cards() -> Query:
    led_to = sa.and_(
        col(ResourceEvent.city_id) == col(Observation.city_id),
        col(ResourceEvent.observation_id) == col(Observation.id),
    )
    # It may be the next one, of before, that makes it lead on.
    version = sa.case((col(ResourceEvent.id).is_(None), 1), else_=2)
    columns = reads.fields(Observation, ObservationRead, led_to=col(ResourceEvent.status), version=version)
    return sa.select(*columns).outerjoin(ResourceEvent, led_to).where(col(Observation.city_id) == reads.CITY)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _cards().where(col(Observation.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _cards().where(col(Observation.resource_id) == sa.bindparam("resource_id", type_=sa.Uuid))
    return reads.newest_first(query, Observation.id, given)


async def record(session: AsyncSession, actor: Actor, resource_id: UUID, seen: ObservationRecord) -> UUID:
    """Returns its id. The resource takes the steps that follow from it and those before.

    Raises Conflict: `own_finding` for who reported it, `wrong_status` before a moderator has confirmed the resource and
    after it was given back.
    """
    resource = await resources.get(session, actor, resource_id)
    if resource.status not in OBSERVED:
        raise Conflict("wrong_status", noun="resource", status=resource.status, action="observe")
    if await resources.own_finding(session, actor, resource.id):
        raise Conflict("own_finding")
    if faults := _faults(seen):
        raise Invalid(*faults)
    observation = Observation(
        **seen.model_dump(exclude={"id"}),
        city_id=actor.city_id,
        id=seen.id or new_id(),
        resource_id=resource.id,
        observed_by=actor.account_id,
    )
    session.add(observation)
    await judge(session, actor, resource)
    return observation.id


async def judge(session: AsyncSession, actor: Actor, resource: Resource) -> None:
    """Take the steps that follow from what was observed, and count them."""
    await session.flush()
    zone = (await cities.get(session, resource.city_id)).time_zone
    standing = Standing(resource.status, resource.settled_at, await _evidence_from(session, resource, zone))
    for action, seen in steps(standing, await _seen(session, resource)):
        status = RESOURCE_FLOW.after(resource.status, action)
        await resources.enter(session, resource, status, seen.observed_at, seen.id)
        if status in COUNTED:
            ledger.record(session, actor, Fact(COUNTED[status], seen.id, day_in(zone, seen.observed_at)))


def _faults(seen: ObservationRecord) -> list[Fault]:
    faults: list[Fault] = []
    if seen.observed_at > utc_now():
        faults.append(Fault("in_future", "/body/observed_at"))
    if seen.state is State.REMOVED and seen.note is None:
        faults.append(Fault("notice_needed", "/body/note"))
    return faults


async def _evidence_from(session: AsyncSession, resource: Resource, zone: str) -> datetime:
    if resource.status not in STANDING_BLOCKS:
        return resource.watched_since
    answered = select(ReferralItem).where(
        ReferralItem.city_id == resource.city_id,
        ReferralItem.resource_id == resource.id,
        ReferralItem.cycle == resource.cycle,
        ReferralItem.answer == Answer.BLOCKED,
    )
    item = (await session.exec(answered)).one()
    assert item.answered_on
    return max(resource.watched_since, moment_in(zone, item.answered_on))


async def _seen(session: AsyncSession, resource: Resource) -> Iterable[Seen]:
    columns = (getattr(Observation, name) for name in Seen._fields)
    query = sa.select(*columns).where(
        col(Observation.city_id) == resource.city_id,
        col(Observation.resource_id) == resource.id,
        col(Observation.control_reachable).is_(True),
        col(Observation.observed_at) > resource.watched_since,
    )
    latest = query.order_by(col(Observation.observed_at).desc()).limit(MOST_LOOKED_AT)
    return map(Seen._make, await (await session.connection()).execute(latest))

"""What was seen of a resource after it had been confirmed, and what follows from that."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import day_in, midnight_in, utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.observations import BLOCKED, COUNTED, OBSERVED, Run, State, is_enough, step
from app.domain.permissions import Actor, Role
from app.domain.resources import RESOURCE_FLOW, ResourceStatus
from app.models.observations import Observation
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
    columns = reads.fields(Observation, ObservationRead, led_to=col(ResourceEvent.status), version=sa.literal(1))
    return sa.select(*columns).outerjoin(ResourceEvent, led_to).where(col(Observation.city_id) == reads.CITY)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _cards().where(col(Observation.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _cards().where(col(Observation.resource_id) == sa.bindparam("resource_id", type_=sa.Uuid))
    return reads.newest_first(query, Observation.id, given)


async def record(session: AsyncSession, actor: Actor, resource_id: UUID, seen: ObservationRecord) -> UUID:
    """Returns its id. Where it settles how the resource stands, the resource takes that step, and the fact is counted.

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
    await session.flush()
    action = step(resource.status, observation.state)
    if action and (since := await _settled_at(session, resource, observation)):
        await resources.enter(session, resource, RESOURCE_FLOW.after(resource.status, action), since, observation.id)
        if resource.status in COUNTED:
            day = day_in((await cities.get(session, actor.city_id)).time_zone, since)
            ledger.record(session, actor, Fact(COUNTED[resource.status], observation.id, day))
    return observation.id


def _faults(seen: ObservationRecord) -> list[Fault]:
    faults: list[Fault] = []
    if seen.observed_at > utc_now():
        faults.append(Fault("in_future", "/body/observed_at"))
    if seen.state is State.REMOVED and seen.note is None:
        faults.append(Fault("notice_needed", "/body/note"))
    return faults


async def _settled_at(session: AsyncSession, resource: Resource, observation: Observation) -> datetime | None:
    """From when the resource stands as the observation says; None while that is not borne out."""
    if not observation.control_reachable or observation.observed_at <= resource.observed_since:
        return None
    if await _is_contradicted(session, observation):
        return None
    if is_enough(resource.status, observation.state):
        return observation.observed_at
    if resource.status not in BLOCKED:
        return await _borne_out_at(session, observation, resource.observed_since)
    blocked_since = await _blocked_since(session, resource)
    if observation.state is State.UP and await _was_blocked_there(session, observation, blocked_since):
        return observation.observed_at
    return await _borne_out_at(session, observation, max(blocked_since, resource.observed_since))


async def _is_contradicted(session: AsyncSession, observation: Observation) -> bool:
    """Whether it is up by one and not by another of the same time or later: a phone may send what is over by now."""
    otherwise = _otherwise(observation).where(col(Observation.observed_at) >= observation.observed_at)
    return (await session.exec(otherwise.limit(1))).first() is not None


async def _blocked_since(session: AsyncSession, resource: Resource) -> datetime:
    """The beginning of the day on which, by the authority's last letter, it was blocked."""
    reported = select(ResourceEvent).where(
        ResourceEvent.city_id == resource.city_id,
        ResourceEvent.resource_id == resource.id,
        ResourceEvent.status == ResourceStatus.BLOCK_REPORTED,
    )
    event = (await session.exec(reported.order_by(col(ResourceEvent.id).desc()).limit(1))).one()
    return midnight_in((await cities.get(session, resource.city_id)).time_zone, event.occurred_on)


async def _was_blocked_there(session: AsyncSession, observation: Observation, since: datetime) -> bool:
    """Whether the last observation in the same network was of this block."""
    there = _beside(observation).where(
        col(Observation.asn) == observation.asn,
        col(Observation.observed_at) >= since,
        col(Observation.observed_at) < observation.observed_at,
    )
    before = (await session.exec(there.order_by(col(Observation.observed_at).desc()).limit(1))).first()
    return before is not None and before.state is State.BLOCKED


async def _borne_out_at(session: AsyncSession, observation: Observation, since: datetime) -> datetime | None:
    """The moment of the last in the run of its state, where that is long and wide enough."""
    moment = col(Observation.observed_at)
    turned_at = _otherwise(observation).with_only_columns(sa.func.max(moment)).correlate(None).scalar_subquery()
    run = _beside(observation).where(
        col(Observation.state) == observation.state, moment > sa.func.greatest(turned_at, since)
    )
    figures = run.with_only_columns(
        sa.func.count(col(Observation.asn).distinct()),
        sa.func.coalesce(sa.func.max(moment) - sa.func.min(moment), timedelta()),
        sa.func.max(moment),
    )
    networks, lasted, last_at = (await (await session.connection()).execute(figures)).one()
    return last_at if Run(networks, lasted).bears_out() else None


def _otherwise(observation: Observation) -> SelectOfScalar[Observation]:
    """Up where it says that the resource is not, and the other way round."""
    is_up = col(Observation.state) == State.UP
    return _beside(observation).where(is_up != (observation.state is State.UP))


def _beside(observation: Observation) -> SelectOfScalar[Observation]:
    """All that says something of its resource, itself too."""
    return select(Observation).where(
        Observation.city_id == observation.city_id,
        Observation.resource_id == observation.resource_id,
        col(Observation.control_reachable).is_(True),
    )

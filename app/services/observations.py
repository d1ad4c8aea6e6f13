"""What was seen of a resource after it had been confirmed, and what follows from that."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import day_in, utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.observations import COUNTED, OBSERVED, Run, State, step, suffices
from app.domain.permissions import Actor, Role
from app.domain.resources import RESOURCE_FLOW
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

    Raises Conflict `wrong_status` before a moderator has confirmed the resource and after it was given back.
    """
    resource = await resources.get(session, actor, resource_id)
    if resource.status not in OBSERVED:
        raise Conflict("wrong_status", noun="resource", status=resource.status, action="observe")
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
    await _judge(session, actor, resource, observation)
    return observation.id


def _faults(seen: ObservationRecord) -> list[Fault]:
    faults: list[Fault] = []
    if seen.observed_at > utc_now():
        faults.append(Fault("in_future", "/body/observed_at"))
    if seen.state is State.REMOVED and seen.note is None:
        faults.append(Fault("notice_needed", "/body/note"))
    return faults


async def _judge(session: AsyncSession, actor: Actor, resource: Resource, observation: Observation) -> None:
    action = step(resource.status, observation.state)
    if action is None or not observation.control_reachable or observation.observed_at <= resource.status_since:
        return
    if await _is_contradicted(session, observation):
        return
    run = await _run(session, resource, observation)
    if not suffices(resource.status, observation.state, run):
        return
    status = RESOURCE_FLOW.after(resource.status, action)
    await resources.enter(session, resource, status, run.last_at, observation.id)
    if action in COUNTED:
        day = day_in((await cities.get(session, actor.city_id)).time_zone, run.last_at)
        ledger.record(session, actor, Fact(COUNTED[action], observation.id, day))


async def _is_contradicted(session: AsyncSession, observation: Observation) -> bool:
    """Whether a later one says otherwise: a phone that was offline may send what is over by now."""
    query = _beside(observation).where(
        col(Observation.state) != observation.state, col(Observation.observed_at) > observation.observed_at
    )
    return (await session.exec(query.limit(1))).first() is not None


async def _run(session: AsyncSession, resource: Resource, observation: Observation) -> Run:
    is_up = observation.state is State.UP
    moment, network = col(Observation.observed_at), col(Observation.network)
    turned = _beside(observation).where((col(Observation.state) == State.UP) != is_up)
    turned_at = turned.with_only_columns(sa.func.max(moment)).correlate(None).scalar_subquery()
    run = _beside(observation).where(
        col(Observation.state) == observation.state, moment > sa.func.greatest(turned_at, resource.status_since)
    )
    figures = run.with_only_columns(sa.func.count(network.distinct()), sa.func.min(moment), sa.func.max(moment))
    networks, first_at, last_at = (await (await session.connection()).execute(figures)).one()
    return Run(networks, first_at, last_at, was_blocked_there=await _was_blocked_there(session, observation))


async def _was_blocked_there(session: AsyncSession, observation: Observation) -> bool:
    query = _beside(observation).where(
        col(Observation.network) == observation.network, col(Observation.observed_at) < observation.observed_at
    )
    before = (await session.exec(query.order_by(col(Observation.observed_at).desc()).limit(1))).first()
    return before is not None and before.state is State.BLOCKED


def _beside(observation: Observation) -> SelectOfScalar[Observation]:
    """All that says something of its resource, itself too."""
    return select(Observation).where(
        Observation.city_id == observation.city_id,
        Observation.resource_id == observation.resource_id,
        col(Observation.control_reachable).is_(True),
    )

"""What happens to a plan as a whole, and to its directions."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid, NotFound, PreconditionFailed
from app.domain.permissions import Actor
from app.domain.plans import MOST_DIRECTIONS, PLAN_FLOW, PlanAction, PlanStatus
from app.models.plans import Plan, PlanDirection, PlanItem
from app.schemas.plans import DirectionChange, DirectionDraft, PlanChange, PlanDraft
from app.services import cities, reads
from app.services.plans.queries import visible_to


async def draft(session: AsyncSession, actor: Actor, drafted: PlanDraft) -> UUID:
    """Raises Invalid for days that end before they begin, and Conflict `title_taken`."""
    plan = Plan(
        city_id=actor.city_id,
        drafted_by=actor.account_id,
        **drafted.model_dump(exclude={"id"}),
        id=drafted.id or new_id(),
    )
    await check_plan(session, plan)
    session.add(plan)
    return plan.id


async def change(session: AsyncSession, actor: Actor, plan_id: UUID, version: int, changed: PlanChange) -> None:
    """Raises PreconditionFailed if it is no longer at `version`; Conflict once it is in force."""
    plan = await get_draft(session, actor, plan_id)
    if plan.version != version:
        raise PreconditionFailed
    plan.sqlmodel_update(changed.model_dump(exclude_none=True))
    plan.changed_at = utc_now()
    await check_plan(session, plan)


async def check_plan(session: AsyncSession, plan: Plan, place: str = "/body") -> None:
    """Raises Invalid `ends_before_start`, and Conflict `title_taken` when another plan of the city has the title."""
    if plan.ends_on < plan.starts_on:
        raise Invalid(Fault("ends_before_start", f"{place}/ends_on"))
    query = select(Plan.id).where(Plan.city_id == plan.city_id, Plan.title == plan.title, Plan.id != plan.id)
    with session.no_autoflush:
        taken = (await session.exec(query)).first()
    if taken:
        raise Conflict("title_taken")


async def adopt(session: AsyncSession, actor: Actor, plan_id: UUID) -> None:
    """From now on its items are promises. Raises Conflict `plan_empty` without one."""
    plan = await get(session, actor, plan_id)
    plan.status = PLAN_FLOW.after(plan.status, PlanAction.ADOPT)
    if not await _count(session, plan):
        raise Conflict("plan_empty")
    plan.adopted_on, plan.changed_at = await cities.today(session, actor.city_id), utc_now()


async def close(session: AsyncSession, actor: Actor, plan_id: UUID) -> None:
    """Nothing of it changes any more, and it is judged as on this day."""
    plan = await get(session, actor, plan_id)
    plan.status = PLAN_FLOW.after(plan.status, PlanAction.CLOSE)
    plan.closed_on, plan.changed_at = await cities.today(session, actor.city_id), utc_now()


async def add_direction(session: AsyncSession, actor: Actor, plan_id: UUID, drafted: DirectionDraft) -> UUID:
    """Raises Conflict once the plan is in force, and `number_taken`."""
    plan = await get_draft(session, actor, plan_id)
    numbers = await _direction_numbers(session, plan)
    if len(numbers) >= MOST_DIRECTIONS:
        raise Conflict("plan_full", limit=MOST_DIRECTIONS)
    if drafted.number in numbers:
        raise Conflict("number_taken")
    direction = PlanDirection(
        city_id=actor.city_id, plan_id=plan.id, id=drafted.id or new_id(), **drafted.model_dump(exclude={"id"})
    )
    session.add(direction)
    plan.changed_at = utc_now()
    return direction.id


async def change_direction(
    session: AsyncSession, actor: Actor, found: tuple[UUID, UUID], version: int, changed: DirectionChange
) -> None:
    """`found`: the plan's id and the direction's. Raises as `change` and `add_direction`."""
    plan = await get_draft(session, actor, found[0])
    direction = await get_direction(session, plan, found[1])
    if direction.version != version:
        raise PreconditionFailed
    if changed.number not in {None, direction.number} and changed.number in await _direction_numbers(session, plan):
        raise Conflict("number_taken")
    direction.sqlmodel_update(changed.model_dump(exclude_none=True))
    plan.changed_at = utc_now()


async def get(session: AsyncSession, actor: Actor, plan_id: UUID) -> Plan:
    """Locked: whoever changes something of a plan takes a turn, so that it is not adopted in the meantime."""
    query = visible_to(actor.role).where(col(Plan.id) == plan_id).with_for_update()
    plan = (await session.exec(query, params=reads.values_of(actor))).one_or_none()
    if plan is None:
        raise NotFound("plan")
    return plan


async def get_draft(session: AsyncSession, actor: Actor, plan_id: UUID) -> Plan:
    plan = await get(session, actor, plan_id)
    if plan.status is not PlanStatus.DRAFT:
        raise Conflict("wrong_status", noun="plan", status=plan.status, action="change")
    return plan


async def get_direction(session: AsyncSession, plan: Plan, direction_id: UUID) -> PlanDirection:
    query = select(PlanDirection).where(
        PlanDirection.city_id == plan.city_id, PlanDirection.plan_id == plan.id, PlanDirection.id == direction_id
    )
    direction = (await session.exec(query)).one_or_none()
    if direction is None:
        raise NotFound("direction")
    return direction


async def _direction_numbers(session: AsyncSession, plan: Plan) -> frozenset[int]:
    query = select(PlanDirection.number).where(PlanDirection.city_id == plan.city_id, PlanDirection.plan_id == plan.id)
    return frozenset(await session.exec(query))


async def _count(session: AsyncSession, plan: Plan) -> int:
    query = select(sa.func.count()).where(PlanItem.city_id == plan.city_id, PlanItem.plan_id == plan.id)
    return (await session.exec(query)).one()

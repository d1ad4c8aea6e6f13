"""Items: freely changed in a draft; in force what was promised stands, and each change keeps its reason."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid, NotFound, PreconditionFailed
from app.domain.permissions import Actor
from app.domain.plans import CHANGES_IN_FORCE, MOST_ITEMS, PlanStatus
from app.models.plans import Plan, PlanItem, PlanItemChange
from app.schemas.plans import ItemChange, ItemDraft, StatusNote, Target
from app.services import cities
from app.services.plans import steps

_MAY_BE_EMPTY = frozenset({"owner", "target"})
_KEPT = ("owner", "due_on", "metric", "amount", "district_id", "counted_from", "counted_to", "status")


async def add_item(session: AsyncSession, actor: Actor, plan_id: UUID, drafted: ItemDraft) -> UUID:
    """Raises Invalid for a direction, district or day that cannot be, Conflict `number_taken` and `plan_full`."""
    plan = await steps.get_draft(session, actor, plan_id)
    item = PlanItem(
        city_id=actor.city_id,
        plan_id=plan.id,
        id=drafted.id or new_id(),
        **drafted.model_dump(exclude={"id", "target"}),
        **_columns(drafted.target),
    )
    count = select(sa.func.count()).where(PlanItem.city_id == plan.city_id, PlanItem.plan_id == plan.id)
    if (await session.exec(count)).one() >= MOST_ITEMS:
        raise Conflict("plan_full", limit=MOST_ITEMS)
    await _check(session, plan, item)
    session.add(item)
    plan.changed_at = utc_now()
    return item.id


async def change_item(
    session: AsyncSession, actor: Actor, found: tuple[UUID, UUID], version: int, changed: ItemChange
) -> None:
    """`found`: the plan's id and the item's.

    Raises PreconditionFailed if it is no longer at `version`; in force Conflict `fixed_in_force` for what was
    promised, and Invalid without a reason; Conflict once the plan is closed; else as `add_item`.
    """
    plan = await steps.get(session, actor, found[0])
    item = await _get(session, plan, found[1])
    if item.version != version:
        raise PreconditionFailed
    given = _given(changed)
    _check_allowed(plan, changed, given)
    before = _values(item)
    item.sqlmodel_update({name: getattr(changed, name) for name in given - {"target"}})
    if "target" in given:
        item.sqlmodel_update(_columns(changed.target))
    with session.no_autoflush:
        await _check(session, plan, item)
    plan.changed_at = utc_now()
    if plan.status is PlanStatus.IN_FORCE and changed.reason:
        session.add(_change(actor, item, before, changed.reason))


async def set_status(session: AsyncSession, actor: Actor, plan_id: UUID, item_id: UUID, said: StatusNote) -> None:
    """Of an item that nothing counts. Raises Conflict `has_target`, and unless the plan is in force."""
    plan = await steps.get(session, actor, plan_id)
    item = await _get(session, plan, item_id)
    if plan.status is not PlanStatus.IN_FORCE:
        raise Conflict("wrong_status", noun="plan", status=plan.status, action="set_status")
    if item.metric:
        raise Conflict("has_target")
    before = _values(item)
    item.status = said.status
    plan.changed_at = utc_now()
    session.add(_change(actor, item, before, said.note))


def _given(changed: ItemChange) -> set[str]:
    named = changed.model_fields_set - {"reason"}
    return {name for name in named if name in _MAY_BE_EMPTY or getattr(changed, name) is not None}


def _check_allowed(plan: Plan, changed: ItemChange, given: set[str]) -> None:
    if plan.status is PlanStatus.CLOSED:
        raise Conflict("wrong_status", noun="plan", status=plan.status, action="change")
    if plan.status is PlanStatus.DRAFT:
        return
    if fixed := given - CHANGES_IN_FORCE:
        faults = tuple(Fault("fixed_in_force", f"/body/{name}") for name in sorted(fixed))
        raise Conflict("fixed_in_force", faults=faults)
    if changed.reason is None:
        raise Invalid(Fault("missing", "/body/reason"))


def _columns(target: Target | None) -> dict[str, Any]:
    return {
        "metric": target and target.metric,
        "amount": target and target.amount,
        "district_id": target and target.district,
        "counted_from": target and target.from_,
        "counted_to": target and target.to,
    }


async def _check(session: AsyncSession, plan: Plan, item: PlanItem) -> None:
    faults = [*_day_faults(plan, item)]
    if not await _has_direction(session, plan, item.direction_id):
        faults.append(Fault("no_such_direction", "/body/direction_id"))
    if item.district_id and not await cities.has_district(session, plan.city_id, item.district_id):
        faults.append(Fault("no_such_district", "/body/target/district"))
    if faults:
        raise Invalid(*faults)
    query = select(PlanItem.id).where(
        PlanItem.city_id == plan.city_id,
        PlanItem.plan_id == plan.id,
        PlanItem.number == item.number,
        PlanItem.id != item.id,
    )
    if (await session.exec(query)).first():
        raise Conflict("number_taken")


def _day_faults(plan: Plan, item: PlanItem) -> Iterator[Fault]:
    if item.due_on < plan.starts_on:
        yield Fault("before_plan", "/body/due_on", {"day": plan.starts_on.isoformat()})
    if item.metric and (item.counted_to or item.due_on) < (item.counted_from or plan.starts_on):
        yield Fault("ends_before_start", "/body/target/to")


async def _has_direction(session: AsyncSession, plan: Plan, direction_id: UUID) -> bool:
    try:
        await steps.get_direction(session, plan, direction_id)
    except NotFound:
        return False
    return True


async def _get(session: AsyncSession, plan: Plan, item_id: UUID) -> PlanItem:
    query = select(PlanItem).where(
        PlanItem.city_id == plan.city_id, PlanItem.plan_id == plan.id, PlanItem.id == item_id
    )
    item = (await session.exec(query)).one_or_none()
    if item is None:
        raise NotFound("plan_item")
    return item


def _values(item: PlanItem) -> dict[str, str | None]:
    values = {name: getattr(item, name) for name in _KEPT}
    return {name: None if value is None else str(value) for name, value in values.items()}


def _change(actor: Actor, item: PlanItem, before: dict[str, str | None], reason: str) -> PlanItemChange:
    after = _values(item)
    changes = [
        {"field": name, "before": before[name], "after": after[name]} for name in _KEPT if before[name] != after[name]
    ]
    return PlanItemChange(
        city_id=item.city_id, item_id=item.id, changed_by=actor.account_id, reason=reason, changes=changes
    )

"""The made-up programme plan in app/data/demo_plan.json: 7 directions and 76 items, some late and some reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from random import Random
from typing import Any

from app.domain.metrics import Metric
from app.domain.plans import ItemStatus, PlanLanguage, PlanStatus
from app.models.plans import Plan, PlanDirection, PlanItem, PlanItemChange
from app.schemas.base import In
from app.services.demo.almanac import Almanac
from app.services.demo.people import COORDINATOR, People

_ADOPTED_AFTER = timedelta(days=14)
# In the first weeks of January the plan to look at is still last year's.
_LOOK_BACK = timedelta(days=45)
_DONE_IN_TIME = 0.85
_BEGUN_BEFORE = timedelta(days=45)

Entry = tuple[str, str, int, int] | tuple[str, str, int, int, Metric, int] | tuple[str, str, int, int, Metric, int, str]


class Direction(In):
    title: str
    items: tuple[Entry, ...]
    """Title, owner, due month and day, and perhaps metric, amount and district."""


class Text(In):
    note: str
    title: str
    directions: tuple[Direction, ...]


TEXT = Text.model_validate_json((files("app") / "data" / "demo_plan.json").read_bytes())


@dataclass(frozen=True, slots=True)
class MadeUpPlan:
    plan: Plan
    directions: list[PlanDirection]
    items: list[PlanItem]
    changes: list[PlanItemChange]


def invent(almanac: Almanac, people: People) -> MadeUpPlan:
    dice = almanac.dice("plan")
    year = (almanac.until - _LOOK_BACK).year
    at = max(almanac.at(date(year, 1, 5), time(10)), almanac.at(almanac.days[0], time(10)))
    staff = people.staff(COORDINATOR).id
    plan = Plan(
        **almanac.new(dice, at),
        title=f"{TEXT.title}, {year}",
        language=PlanLanguage.RU,
        starts_on=date(year, 1, 1),
        ends_on=date(year, 12, 31),
        status=PlanStatus.IN_FORCE,
        adopted_on=at.date() + _ADOPTED_AFTER,
        changed_at=at,
        drafted_by=staff,
    )
    directions = [
        PlanDirection(**almanac.new(dice, at), plan_id=plan.id, number=number, title=direction.title, version=1)
        for number, direction in enumerate(TEXT.directions, start=1)
    ]
    items = [
        PlanItem(
            **almanac.new(dice, at), **_promise(plan, entry), direction_id=direction.id, number=f"{place}.{number}"
        )
        for place, direction in enumerate(directions, start=1)
        for number, entry in enumerate(TEXT.directions[place - 1].items, start=1)
    ]
    said = [_said(almanac, dice, item, max(at, _moment_before(almanac, dice, item))) for item in items]
    changes = [PlanItemChange(**change, changed_by=staff) for change in said if change]
    plan.changed_at = max((change.created_at for change in changes), default=at)
    plan.version = 2 + len(directions) + len(items) + len(changes)
    return MadeUpPlan(plan, directions, items, changes)


def _promise(plan: Plan, entry: Entry) -> dict[str, Any]:
    title, owner, month, day, *target = entry
    metric, amount, district_id = (*target, None, None, None)[:3]
    due_on = date(plan.starts_on.year, month, day)
    told = {"title": title, "owner": owner, "due_on": due_on, "metric": metric, "amount": amount}
    return {**told, "plan_id": plan.id, "district_id": district_id, "status": ItemStatus.NOT_STARTED, "version": 1}


def _moment_before(almanac: Almanac, dice: Random, item: PlanItem) -> datetime:
    """Some days before it was due, and never after the end of the year that is made up."""
    day = min(item.due_on, almanac.until - timedelta(days=1)) - timedelta(days=dice.randrange(10))
    return min(almanac.by_day(dice, day), almanac.end - timedelta(hours=1))


def _said(almanac: Almanac, dice: Random, item: PlanItem, at: datetime) -> dict[str, Any] | None:
    """What a coordinator said of an item without a target, which then has it as its status."""
    status = _status(almanac, dice, item)
    if status is ItemStatus.NOT_STARTED:
        return None
    item.status, item.version = status, 2
    change = {"field": "status", "before": ItemStatus.NOT_STARTED.value, "after": status.value}
    note = "Выполнено, документы в деле" if status is ItemStatus.DONE else "Начато"
    return {**almanac.new(dice, at), "item_id": item.id, "reason": note, "changes": [change]}


def _status(almanac: Almanac, dice: Random, item: PlanItem) -> ItemStatus:
    luck = dice.random()
    if item.metric or item.due_on > almanac.until + _BEGUN_BEFORE:
        return ItemStatus.NOT_STARTED
    if item.due_on >= almanac.until or luck > _DONE_IN_TIME:
        return ItemStatus.UNDER_WAY
    return ItemStatus.DONE


def tables(made_up: MadeUpPlan) -> Sequence[Sequence[Any]]:
    """In the order in which they can be stored."""
    return [made_up.plan], made_up.directions, made_up.items, made_up.changes

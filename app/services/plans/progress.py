"""Planned against actual: what the ledger counts, beside what each item promised.

All items of a plan are counted by one question to the sums, in one snapshot: each span of days that a target has is
asked once, for the whole city and, where some target names a district, for each district.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.core.database import Database
from app.domain import plans
from app.domain.metrics import ABOUT_PEOPLE, LEVELS, kind_of
from app.domain.permissions import Actor, Role
from app.domain.plans import Basis, Course, ItemStatus, Progress, Standing
from app.domain.tallies import FIRST_DAY, WHOLE_CITY, Count, Period
from app.models.plans import Plan, PlanDirection, PlanItem
from app.schemas.plans import (
    DirectionProgress,
    DirectionRead,
    ItemProgress,
    ItemRead,
    PlanProgress,
    PlanRead,
    PublicDirectionProgress,
    PublicItemProgress,
    PublicPlanProgress,
    TargetRead,
)
from app.services import reads, sums
from app.services.cities import CITY_ID
from app.services.metrics import Document
from app.services.plans.queries import visible_to
from app.services.reads import Query
from app.services.sums import Question, Sums

_OF_PEOPLE = (
    *("done", "judged_by", "recorded", "declared", "done_percent"),
    *("expected_percent", "standing", "days_late"),
)
_NO_TARGET = dict.fromkeys(("done", "judged_by", "recorded", "declared"))


class PlanFound(PlanRead):
    """A plan with all that is in it."""

    in_directions: list[DirectionRead]
    in_items: list[ItemRead]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which plan is asked for, as it is by now, and how the city stands: what its progress depends on."""

    city_id: str
    plan: PlanFound
    standing: sums.Standing

    @property
    def etag(self) -> str:
        return f'"{self.plan.version}-{self.standing.etag[1:]}'

    @property
    def judged_on(self) -> date:
        return self.plan.closed_on or self.standing.today


async def asked(database: Database, actor: Actor | None, city_id: str, **values: object) -> Asked:
    """Cheap beside the counting. Raises NotFound, of a draft also when the public asks (no actor)."""
    if actor is None:
        values["city_id"] = city_id
    found = PlanFound.model_validate_json(await reads.document(database, actor, whole, "plan", **values))
    return Asked(city_id, found, await sums.standing_of(database, actor, city_id))


async def of_plan(database: Database, actor: Actor, question: Asked) -> Document:
    """The JSON of `PlanProgress`."""
    counted = await _counted(database, actor, question)
    items = [_of_item(question, counted, item) for item in question.plan.in_items]
    directions = [
        DirectionProgress(number=number, title=title, standings=_tally(listed), items=listed)
        for number, title, listed in _by_direction(question.plan, items)
    ]
    read = PlanProgress(
        **dict(PlanRead.model_validate(question.plan)),
        judged_on=question.judged_on,
        revision=counted.standing.revision,
        standings=_tally(items),
        directions=directions,
    )
    return Document(question.etag, read.model_dump_json(by_alias=True).encode())


async def of_public_plan(database: Database, question: Asked) -> Document:
    """The JSON of `PublicPlanProgress`: without owners and notes, and of people without counts."""
    counted = await _counted(database, None, question)
    items = [_of_item(question, counted, item) for item in question.plan.in_items]
    told = [
        (number, title, [*map(_for_everybody, listed)]) for number, title, listed in _by_direction(question.plan, items)
    ]
    directions = [
        PublicDirectionProgress(number=number, title=title, standings=_tally(listed), items=listed)
        for number, title, listed in told
    ]
    known = question.plan.model_dump(include={*PublicPlanProgress.model_fields})
    read = PublicPlanProgress(
        **known,
        judged_on=question.judged_on,
        is_demo=question.standing.is_demo,
        revision=counted.standing.revision,
        standings=_tally([item for _, _, listed in told for item in listed]),
        directions=directions,
    )
    return Document(question.etag, read.model_dump_json(by_alias=True).encode())


def whole(role: Role | None, given: frozenset[str]) -> Query:
    city = CITY_ID if role is None else reads.CITY
    directions = (
        sa.select(*reads.fields(PlanDirection, DirectionRead))
        .where(col(PlanDirection.city_id) == city, col(PlanDirection.plan_id) == reads.ID)
        .subquery("direction_row")
    )
    items = (
        sa.select(*reads.fields(PlanItem, ItemRead))
        .where(col(PlanItem.city_id) == city, col(PlanItem.plan_id) == reads.ID)
        .subquery("item_row")
    )
    columns = reads.fields(Plan, PlanFound, in_directions=_listed(directions), in_items=_listed(items))
    return visible_to(role).with_only_columns(*columns).where(col(Plan.id) == reads.ID)


def _listed(rows: sa.Subquery) -> Any:
    listed = sa.select(sa.func.json_agg(rows.table_valued())).select_from(rows).scalar_subquery()
    return sa.func.coalesce(listed, sa.text("'[]'::json"))


async def _counted(database: Database, actor: Actor | None, question: Asked) -> Sums:
    items = [item for item in question.plan.in_items if item.metric]
    periods = {_span(question.plan, item).name: _span(question.plan, item) for item in items}
    by_district = any(item.district_id for item in items)
    return await sums.of_city(database, actor, question.city_id, Question([*periods.values()], None, by_district))


def _window(plan: PlanFound, item: ItemRead) -> tuple[date, date]:
    return item.counted_from or plan.starts_on, item.counted_to or item.due_on


def _span(plan: PlanFound, item: ItemRead) -> Period:
    """Of a level everything up to the last day, of a flow what is in the window."""
    first, last = _window(plan, item)
    if item.metric in LEVELS:
        first = FIRST_DAY
    return Period(f"{first}/{last}", first, last)


def _of_item(question: Asked, counted: Sums, item: ItemRead) -> ItemProgress:
    plan = question.plan
    course = Course(item.counted_from or plan.starts_on, item.due_on, question.judged_on)
    told = {"id": item.id, "number": item.number, "title": item.title, "owner": item.owner, "due_on": item.due_on}
    if item.metric is None or item.amount is None:
        status = item.status or ItemStatus.NOT_STARTED
        return ItemProgress(**told, target=None, status=status, **_NO_TARGET, **_judged(course.of_status(status)))
    count = counted.count(item.metric, _span(plan, item).name, item.district_id or WHOLE_CITY)
    first, last = _window(plan, item)
    target = TargetRead(
        metric=item.metric,
        kind=kind_of(item.metric),
        amount=item.amount,
        district_id=item.district_id,
        from_=first,
        to=last,
    )
    parts = _parts(count)
    judged = _judged(course.of_amount(parts["done"], item.amount))
    return ItemProgress(**told, target=target, status=None, **parts, **judged)


def _parts(count: Count) -> dict[str, Any]:
    basis, done = (Basis.RECORDED, count.recorded) if count.overlap else (Basis.BOTH, count.total)
    return {"done": done, "judged_by": basis, "recorded": count.recorded, "declared": count.declared}


def _judged(progress: Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in Progress.__slots__}


def _for_everybody(item: ItemProgress) -> PublicItemProgress:
    told = item.model_dump(include={*PublicItemProgress.model_fields})
    if item.target and item.target.metric in ABOUT_PEOPLE:
        # Of people the public learns totals only, and a target has days: asked each day, even its standing would tell.
        told |= dict.fromkeys(_OF_PEOPLE)
    return PublicItemProgress.model_validate(told)


def _by_direction(plan: PlanFound, items: Sequence[ItemProgress]) -> Iterator[tuple[int, str, list[ItemProgress]]]:
    """In the order of their numbers; 1.2 before 1.10."""
    direction_of = {item.id: item.direction_id for item in plan.in_items}
    in_order = sorted(items, key=lambda item: plans.in_order(item.number))
    for direction in sorted(plan.in_directions, key=lambda each: each.number):
        yield direction.number, direction.title, [item for item in in_order if direction_of[item.id] == direction.id]


def _tally(items: Sequence[PublicItemProgress]) -> dict[Standing, int]:
    found = Counter(item.standing for item in items)
    return {standing: found[standing] for standing in Standing}

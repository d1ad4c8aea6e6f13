"""A plan from a workbook: its good rows become a draft, its bad ones are named with a reason."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.ids import new_id
from app.domain.metrics import Metric
from app.domain.plan_rows import Cells, Known, PlanRows
from app.domain.records import Refusal, Refusals, RefusedCell
from app.models.cities import District
from app.models.plans import Plan, PlanDirection, PlanItem
from app.schemas.plans import PlanFile
from app.services import cities
from app.services.plans import steps, workbook


@dataclass(frozen=True, slots=True)
class Delivery:
    city_id: str
    file: PlanFile
    content: bytes
    metrics: Mapping[str, Metric]
    """By every name that people have for them, casefolded."""
    handed_in_by: UUID | None = None
    """None for a file from the terminal."""


@dataclass(frozen=True, slots=True)
class Report:
    rows: int
    directions: int
    items: int
    refused: int
    refused_rows: list[Refusal]
    """The first 100, in the order of the sheet."""
    plan_id: UUID | None = None
    """None after a dry run, and when no row was good."""


async def take_over(session: AsyncSession, delivery: Delivery) -> Report:
    """All good rows as a new draft.

    Raises NotFound for the city, Conflict `title_taken`, and Invalid for days that end before they begin or a file
    that is no workbook with a plan in it.
    """
    city = await cities.get(session, delivery.city_id)
    plan = Plan(
        city_id=city.id, id=new_id(), drafted_by=delivery.handed_in_by, **delivery.file.model_dump(exclude={"dry_run"})
    )
    await steps.check_plan(session, plan, "/query")
    rows = PlanRows(plan.starts_on, Known(delivery.metrics, await _districts(session, city.id)))
    report = _judge(rows, await asyncio.to_thread(workbook.read, delivery.content))
    if delivery.file.dry_run or not report.items:
        return report
    await _keep(session, plan, rows)
    return replace(report, plan_id=plan.id)


def _judge(rows: PlanRows, table: list[tuple[int, Cells]]) -> Report:
    refusals, count = Refusals(), 0
    for number, cells in table:
        try:
            count += rows.take(number, cells)
        except RefusedCell as refused:
            refusals.add(Refusal(number, refused.fault))
    return Report(
        rows=count + refusals.count,
        directions=len(rows.directions),
        items=count,
        refused=refusals.count,
        refused_rows=refusals.listed,
    )


async def _keep(session: AsyncSession, plan: Plan, rows: PlanRows) -> None:
    session.add(plan)
    await session.flush()
    directions = [
        PlanDirection(city_id=plan.city_id, plan_id=plan.id, number=number, title=title)
        for number, title in enumerate(rows.directions, start=1)
    ]
    session.add_all(directions)
    await session.flush()
    session.add_all(
        PlanItem(
            city_id=plan.city_id,
            plan_id=plan.id,
            direction_id=direction.id,
            **{name: getattr(item, name) for name in item.__slots__ if name != "direction"},
        )
        for direction in directions
        for item in rows.directions[direction.title]
    )


async def _districts(session: AsyncSession, city_id: str) -> dict[str, str]:
    """By id and by name in each language, casefolded."""
    found = await session.exec(select(District).where(District.city_id == city_id))
    return {
        name.casefold(): district.id
        for district in found
        for name in (district.id, district.name_kk, district.name_ru, district.name_en)
    }

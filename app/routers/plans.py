from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Depends, Query, Request, Response
from starlette.responses import JSONResponse

from app import answers, messages
from app.core.config import Settings
from app.deps import Allow, ExpectedVersion, Session, database_of
from app.domain.errors import Conflict, NotFound, PreconditionFailed, PreconditionRequired
from app.domain.permissions import Actor, Permission
from app.domain.records import Refusal
from app.problems import problems
from app.routing import SIGNED_IN, Route, Router
from app.schemas.base import PageQuery
from app.schemas.plans import (
    DirectionChange,
    DirectionDraft,
    DirectionPage,
    DirectionRead,
    ItemChange,
    ItemChangePage,
    ItemDraft,
    ItemPage,
    ItemQuery,
    ItemRead,
    PlanChange,
    PlanDraft,
    PlanFile,
    PlanFileReport,
    PlanPage,
    PlanProgress,
    PlanQuery,
    PlanRead,
    RefusedPlanRow,
    StatusNote,
)
from app.services import plans, reads
from app.services.plans import Delivery, Report
from app.services.plans.workbook import MOST_BYTES

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class WorkbookRoute(Route):
    """Takes a workbook, which may be larger than any other body but a file of records."""

    @staticmethod
    def max_body_bytes(settings: Settings) -> int:
        return min(MOST_BYTES, settings.max_import_bytes)


router = Router("/v1/plans", "plans", SIGNED_IN)
file_router = Router("/v1/plans", "plans", SIGNED_IN, WorkbookRoute)
Reader = Annotated[Actor, Depends(Allow(Permission.PLAN_READ))]
Planner = Annotated[Actor, Depends(Allow(Permission.PLAN_MANAGE))]
STEP = problems(NotFound, Conflict)
CHANGE = problems(NotFound, Conflict, PreconditionFailed, PreconditionRequired)
DRY_RUN: dict[int | str, dict[str, Any]] = {
    **problems(Conflict),
    200: {"model": PlanFileReport, "description": "What a dry run found, or that no row was good"},
}


@file_router.post("/imports", response_model=PlanFileReport, status_code=201, responses=DRY_RUN)
async def import_plan(
    content: Annotated[bytes, Body(media_type=XLSX, min_length=1)],
    query: Annotated[PlanFile, Query()],
    actor: Planner,
    session: Session,
    request: Request,
) -> Response:
    """Read a plan from a workbook into a new draft. Good rows come in; bad rows are named with a reason."""
    delivery = Delivery(actor.city_id, query, content, messages.metrics_by_name(), actor.account_id)
    report = await plans.take_over(session, delivery)
    return _report(report, messages.preferred_language(request.headers.get("accept-language", "")))


@router.get("", response_model=PlanPage)
async def list_plans(query: Annotated[PlanQuery, Query()], actor: Reader, request: Request) -> Response:
    """The newest first."""
    return answers.page(await reads.page(database_of(request), actor, plans.cards, **query.model_dump()), request)


@router.post("", response_model=PlanRead, status_code=201, responses=problems(Conflict))
async def draft_plan(drafted: PlanDraft, actor: Planner, session: Session) -> Response:
    """Begin a draft. Directions and items come next; then it is adopted."""
    plan_id = await plans.draft(session, actor, drafted)
    return answers.item(await reads.written(session, actor, plans.card, "plan", id=plan_id), status=201)


@router.get("/{plan_id}", response_model=PlanRead, responses=answers.ITEM)
async def get_plan(plan_id: UUID, actor: Reader, request: Request) -> Response:
    return answers.item(await reads.one(database_of(request), actor, plans.card, "plan", id=plan_id), request)


@router.patch("/{plan_id}", response_model=PlanRead, responses=CHANGE)
async def change_plan(
    plan_id: UUID, changed: PlanChange, actor: Planner, version: ExpectedVersion, session: Session
) -> Response:
    """Change a draft's title or days."""
    await plans.change(session, actor, plan_id, version, changed)
    return answers.item(await reads.written(session, actor, plans.card, "plan", id=plan_id))


@router.post("/{plan_id}/adopt", response_model=PlanRead, responses=STEP)
async def adopt_plan(plan_id: UUID, actor: Planner, session: Session) -> Response:
    """Put it in force, and show it to everybody. What its items promise is fixed from now on."""
    await plans.adopt(session, actor, plan_id)
    return answers.item(await reads.written(session, actor, plans.card, "plan", id=plan_id))


@router.post("/{plan_id}/close", response_model=PlanRead, responses=STEP)
async def close_plan(plan_id: UUID, actor: Planner, session: Session) -> Response:
    """Nothing of it changes any more; it is judged as on this day."""
    await plans.close(session, actor, plan_id)
    return answers.item(await reads.written(session, actor, plans.card, "plan", id=plan_id))


@router.get("/{plan_id}/progress", response_model=PlanProgress, responses=answers.ITEM)
async def get_progress(plan_id: UUID, actor: Reader, request: Request) -> Response:
    """Planned against actual, item by item, as the ledger has it now; also of a draft."""
    database = database_of(request)
    asked = await plans.asked(database, actor, actor.city_id, id=plan_id)
    if answers.is_known(request, asked.etag):
        return answers.unchanged(asked.etag)
    return answers.counts(await plans.of_plan(database, actor, asked), request)


@router.get("/{plan_id}/directions", response_model=DirectionPage, responses=problems(NotFound))
async def list_directions(
    plan_id: UUID, query: Annotated[PageQuery, Query()], actor: Reader, request: Request
) -> Response:
    """The newest first."""
    database = database_of(request)
    await reads.one(database, actor, plans.card, "plan", id=plan_id)
    page = await reads.page(database, actor, plans.directions, **query.model_dump(), plan_id=plan_id)
    return answers.page(page, request)


@router.post("/{plan_id}/directions", response_model=DirectionRead, status_code=201, responses=STEP)
async def add_direction(plan_id: UUID, drafted: DirectionDraft, actor: Planner, session: Session) -> Response:
    """Add a direction to a draft."""
    found = {"id": await plans.add_direction(session, actor, plan_id, drafted), "plan_id": plan_id}
    return answers.item(await reads.written(session, actor, plans.direction_card, "direction", **found), status=201)


@router.patch("/{plan_id}/directions/{direction_id}", response_model=DirectionRead, responses=CHANGE)
async def change_direction(
    plan_id: UUID,
    direction_id: UUID,
    changed: DirectionChange,
    actor: Planner,
    version: ExpectedVersion,
    session: Session,
) -> Response:
    """Change a draft's direction."""
    await plans.change_direction(session, actor, (plan_id, direction_id), version, changed)
    found = {"id": direction_id, "plan_id": plan_id}
    return answers.item(await reads.written(session, actor, plans.direction_card, "direction", **found))


@router.get("/{plan_id}/items", response_model=ItemPage, responses=problems(NotFound))
async def list_plan_items(
    plan_id: UUID, query: Annotated[ItemQuery, Query()], actor: Reader, request: Request
) -> Response:
    """The newest first; `progress` has them in the order of their numbers."""
    database = database_of(request)
    await reads.one(database, actor, plans.card, "plan", id=plan_id)
    page = await reads.page(database, actor, plans.items, **query.model_dump(), plan_id=plan_id)
    return answers.page(page, request)


@router.post("/{plan_id}/items", response_model=ItemRead, status_code=201, responses=STEP)
async def add_plan_item(plan_id: UUID, drafted: ItemDraft, actor: Planner, session: Session) -> Response:
    """Add an item to a draft. With a target the ledger says how far it is; without one a coordinator does."""
    found = {"id": await plans.add_item(session, actor, plan_id, drafted), "plan_id": plan_id}
    return answers.item(await reads.written(session, actor, plans.item_card, "plan_item", **found), status=201)


@router.get("/{plan_id}/items/{item_id}", response_model=ItemRead, responses=answers.ITEM)
async def get_plan_item(plan_id: UUID, item_id: UUID, actor: Reader, request: Request) -> Response:
    found = await reads.one(database_of(request), actor, plans.item_card, "plan_item", id=item_id, plan_id=plan_id)
    return answers.item(found, request)


@router.patch("/{plan_id}/items/{item_id}", response_model=ItemRead, responses=CHANGE)
async def change_plan_item(
    plan_id: UUID, item_id: UUID, changed: ItemChange, actor: Planner, version: ExpectedVersion, session: Session
) -> Response:
    """Change an item. In force only its owner, due day and target, with a reason that is kept."""
    await plans.change_item(session, actor, (plan_id, item_id), version, changed)
    found = {"id": item_id, "plan_id": plan_id}
    return answers.item(await reads.written(session, actor, plans.item_card, "plan_item", **found))


@router.post("/{plan_id}/items/{item_id}/status", response_model=ItemRead, responses=STEP)
async def set_item_status(plan_id: UUID, item_id: UUID, said: StatusNote, actor: Planner, session: Session) -> Response:
    """Say how far an item without a target is; the note is kept."""
    await plans.set_status(session, actor, plan_id, item_id, said)
    found = {"id": item_id, "plan_id": plan_id}
    return answers.item(await reads.written(session, actor, plans.item_card, "plan_item", **found))


@router.get("/{plan_id}/items/{item_id}/history", response_model=ItemChangePage, responses=problems(NotFound))
async def get_item_history(
    plan_id: UUID,
    item_id: UUID,
    query: Annotated[PageQuery, Query()],
    actor: Reader,
    request: Request,
) -> Response:
    """What was changed since the plan is in force, by which account and why; the newest first."""
    database = database_of(request)
    await reads.one(database, actor, plans.item_card, "plan_item", id=item_id, plan_id=plan_id)
    return answers.page(
        await reads.page(database, actor, plans.changes, **query.model_dump(), item_id=item_id), request
    )


def _report(report: Report, language: str) -> Response:
    rows = [_in_words(refusal, language) for refusal in report.refused_rows]
    figures = {name: getattr(report, name) for name in ("plan_id", "rows", "directions", "items", "refused")}
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "private, no-cache"}
    if report.plan_id:
        headers["Location"] = f"/v1/plans/{report.plan_id}"
    body = PlanFileReport(**figures, refused_rows=rows).model_dump(mode="json")
    return JSONResponse(body, 201 if report.plan_id else 200, headers)


def _in_words(refusal: Refusal, language: str) -> RefusedPlanRow:
    fault = refusal.fault
    words = messages.fault(fault.code, language, fault.details)
    return RefusedPlanRow(row=refusal.row, field=fault.pointer, code=fault.code, detail=words)

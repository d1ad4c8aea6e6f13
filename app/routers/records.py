from io import BytesIO
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Depends, Query, Request, Response
from starlette.responses import JSONResponse

from app import answers, messages
from app.core.config import Settings
from app.deps import Allow, Session, database_of
from app.domain.errors import NotFound
from app.domain.permissions import Actor, Permission
from app.domain.records import Refusal
from app.problems import problems
from app.routing import SIGNED_IN, Route, Router
from app.schemas.base import PageQuery
from app.schemas.records import ImportPage, ImportQuery, ImportRead, ImportReport, RefusedRow
from app.services import reads, records
from app.services.records import Delivery, Report


class ImportRoute(Route):
    """Takes a file, which is larger than any other body."""

    @staticmethod
    def max_body_bytes(settings: Settings) -> int:
        return settings.max_import_bytes


router = Router("/v1/imports", "imports", SIGNED_IN, ImportRoute)
Keeper = Annotated[Actor, Depends(Allow(Permission.RECORDS_IMPORT))]
DRY_RUN: dict[int | str, dict[str, Any]] = {200: {"model": ImportReport, "description": "What a dry run found"}}


@router.post("", response_model=ImportReport, status_code=201, responses=DRY_RUN)
async def import_graffiti(
    file: Annotated[
        bytes,
        Body(
            media_type="text/csv",
            min_length=1,
            examples=["external_id,removed_on,address,inscriptions\n7,2025-05-01,Abay avenue 52,3\n"],
        ),
    ],
    query: Annotated[ImportQuery, Query()],
    actor: Keeper,
    session: Session,
    request: Request,
) -> Response:
    """Take over removals from before the system. Good rows are imported once; bad rows are named with a reason."""
    mapping = records.shipped_mapping(query.mapping) if query.mapping else None
    delivery = Delivery(actor.city_id, query.source, BytesIO(file), actor.account_id, dry_run=query.dry_run)
    report = await records.take_over_graffiti(session, delivery, mapping)
    return _answer(report, messages.preferred_language(request.headers.get("accept-language", "")))


@router.get("", response_model=ImportPage)
async def list_imports(query: Annotated[PageQuery, Query()], actor: Keeper, request: Request) -> Response:
    """The newest first."""
    return answers.page(await reads.page(database_of(request), actor, records.cards, **query.model_dump()), request)


@router.get("/{import_id}", response_model=ImportRead, responses=problems(NotFound))
async def get_import(import_id: UUID, actor: Keeper, request: Request) -> Response:
    found = await reads.one(database_of(request), actor, records.card, "records_import", id=import_id)
    return answers.item(found, request)


def _answer(report: Report, language: str) -> Response:
    rows = [_in_words(refusal, language) for refusal in report.refused_rows]
    body = ImportReport(**report.figures.model_dump(), id=report.id, refused_rows=rows)
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "private, no-cache"}
    if report.id:
        headers["Location"] = f"/v1/imports/{report.id}"
    return JSONResponse(body.model_dump(mode="json"), 201 if report.id else 200, headers)


def _in_words(refusal: Refusal, language: str) -> RefusedRow:
    fault = refusal.fault
    words = messages.fault(fault.code, language, fault.details)
    return RefusedRow(row=refusal.row, field=fault.pointer, code=fault.code, detail=words)

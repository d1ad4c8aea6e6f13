from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from app import answers
from app.deps import Allow, Session, database_of
from app.domain.errors import Conflict, Fault, NotFound
from app.domain.permissions import Actor, Permission
from app.problems import as_fault, problems, told
from app.routing import SIGNED_IN, Router
from app.schemas.base import PageQuery
from app.schemas.raids import RemovalPage
from app.schemas.sightings import (
    SightingBatch,
    SightingOutcome,
    SightingOutcomes,
    SightingPage,
    SightingRead,
    SightingReport,
    Unreadable,
)
from app.schemas.spots import (
    Dismissal,
    HeatMap,
    HeatQuery,
    Merger,
    Reappearances,
    Split,
    SpotHistory,
    SpotMap,
    SpotPage,
    SpotQuery,
    SpotRead,
)
from app.services import reads, removals, spots

router = Router("/v1", "spots", SIGNED_IN)
Reader = Annotated[Actor, Depends(Allow(Permission.SPOT_READ))]
Counter = Annotated[Actor, Depends(Allow(Permission.METRICS_READ))]
Reporter = Annotated[Actor, Depends(Allow(Permission.SIGHTING_REPORT))]
Checker = Annotated[Actor, Depends(Allow(Permission.SPOT_CHECK))]


class GeoJson(JSONResponse):
    media_type = answers.GEOJSON


@router.post("/sightings", response_model=SightingRead, status_code=201, responses=problems(Conflict))
async def report_sighting(sighting: SightingReport, actor: Reporter, session: Session) -> Response:
    """Report graffiti. It joins the nearest live spot within the city's distance, or makes a new one."""
    sighting_id = await spots.report(session, actor, sighting)
    return answers.item(
        await reads.written(session, actor, spots.sighting_card, "sighting", id=sighting_id), status=201
    )


@router.post("/sightings/batch", response_model=SightingOutcomes, responses=problems(Conflict))
async def report_sightings(
    batch: SightingBatch, actor: Reporter, session: Session, request: Request
) -> SightingOutcomes:
    """Up to 100 reports of a phone that was offline, each answered on its own; one sent before is `known` by its id."""
    readable = [item for item in batch.items if not isinstance(item, Unreadable)]
    recorded = iter(await spots.report_batch(session, actor, readable))
    outcomes = [_unread(item) if isinstance(item, Unreadable) else next(recorded) for item in batch.items]
    return SightingOutcomes(items=[_said(outcome, index, request) for index, outcome in enumerate(outcomes)])


def _unread(item: Unreadable) -> spots.Outcome:
    faults = (as_fault({**error, "loc": ("body", *error["loc"])}) for error in item.errors)
    return spots.Outcome(None, "refused", faults=tuple(faults))


def _said(outcome: spots.Outcome, index: int, request: Request) -> SightingOutcome:
    """With pointers from the whole batch's beginning."""
    faults = [
        Fault(fault.code, fault.pointer.replace("/body", f"/body/items/{index}", 1), fault.details)
        for fault in outcome.faults
    ]
    return SightingOutcome(
        id=outcome.id, outcome=outcome.outcome, spot_id=outcome.spot_id, errors=told(request, faults)
    )


@router.get("/spots", response_model=SpotPage)
async def list_spots(query: Annotated[SpotQuery, Query()], actor: Reader, request: Request) -> Response:
    """The newest first."""
    return answers.page(await reads.page(database_of(request), actor, spots.cards, **query.values()), request)


@router.get("/spots.geojson", response_model=SpotMap, response_class=GeoJson)
async def map_spots(query: Annotated[SpotQuery, Query()], actor: Reader, request: Request) -> Response:
    """The same as GeoJSON (RFC 7946), page by page."""
    found = await reads.features(database_of(request), actor, spots.features, **query.values())
    return answers.page(found, request, answers.GEOJSON)


@router.get("/spots/heat", response_model=HeatMap, response_class=GeoJson)
async def map_heat(query: Annotated[HeatQuery, Query()], actor: Reader, request: Request) -> Response:
    """Hexagons (H3) with how many spots and sightings each has, as GeoJSON."""
    heat = await spots.heat_map(database_of(request), actor, query)
    return answers.document(heat.model_dump_json().encode(), media_type=answers.GEOJSON)


@router.get("/spots/reappearance", response_model=Reappearances)
async def get_reappearance(actor: Counter, request: Request) -> Response:
    """How many days a wall stays clean, by surface and kind: the median of those that did not."""
    return answers.document(await reads.document(database_of(request), actor, spots.reappearances, "spot"))


@router.get("/spots/{spot_id}", response_model=SpotRead, responses=answers.ITEM)
async def get_spot(spot_id: UUID, actor: Reader, request: Request) -> Response:
    """With its cycles: each from when it was seen to when it was painted over."""
    return answers.item(await reads.one(database_of(request), actor, spots.card, "spot", id=spot_id), request)


@router.get("/spots/{spot_id}/sightings", response_model=SightingPage, responses=problems(NotFound))
async def list_sightings(
    spot_id: UUID, query: Annotated[PageQuery, Query()], actor: Checker, request: Request
) -> Response:
    """What was reported of it, the newest first."""
    database = database_of(request)
    await reads.one(database, actor, spots.card, "spot", id=spot_id)
    found = await reads.page(database, actor, spots.sighting_cards, **query.model_dump(), spot_id=spot_id)
    return answers.page(found, request)


@router.get("/spots/{spot_id}/removals", response_model=RemovalPage, responses=problems(NotFound))
async def list_removals_there(
    spot_id: UUID, query: Annotated[PageQuery, Query()], actor: Reader, request: Request
) -> Response:
    """How often raids have painted it over, the latest first."""
    database = database_of(request)
    await reads.one(database, actor, spots.card, "spot", id=spot_id)
    found = await reads.page(database, actor, removals.cards_of_spot, **query.model_dump(), spot_id=spot_id)
    return answers.page(found, request)


@router.get("/spots/{spot_id}/history", response_model=SpotHistory, responses=problems(NotFound))
async def list_decisions(
    spot_id: UUID, query: Annotated[PageQuery, Query()], actor: Checker, request: Request
) -> Response:
    """What coordinators decided about it, the newest first."""
    database = database_of(request)
    await reads.one(database, actor, spots.card, "spot", id=spot_id)
    found = await reads.page(database, actor, spots.events, **query.model_dump(), spot_id=spot_id)
    return answers.page(found, request)


@router.post("/spots/{spot_id}/confirm", response_model=SpotRead, responses=problems(NotFound, Conflict))
async def confirm_spot(spot_id: UUID, actor: Checker, session: Session) -> Response:
    """It is there and advertises drugs: a raid may go."""
    await spots.confirm(session, actor, spot_id)
    return answers.item(await reads.written(session, actor, spots.card, "spot", id=spot_id))


@router.post("/spots/{spot_id}/dismiss", response_model=SpotRead, responses=problems(NotFound, Conflict))
async def dismiss_spot(spot_id: UUID, dismissal: Dismissal, actor: Checker, session: Session) -> Response:
    """It is not there, or no advertisement."""
    await spots.dismiss(session, actor, spot_id, dismissal.reason)
    return answers.item(await reads.written(session, actor, spots.card, "spot", id=spot_id))


@router.post("/spots/{spot_id}/merge", response_model=SpotRead, responses=problems(NotFound, Conflict))
async def merge_spots(spot_id: UUID, merger: Merger, actor: Checker, session: Session) -> Response:
    """Another spot is the same wall: its sightings and removals move here."""
    await spots.merge(session, actor, spot_id, merger)
    return answers.item(await reads.written(session, actor, spots.card, "spot", id=spot_id))


@router.post("/spots/{spot_id}/split", response_model=SpotRead, status_code=201, responses=problems(NotFound, Conflict))
async def split_spot(spot_id: UUID, split: Split, actor: Checker, session: Session) -> Response:
    """Some sightings are of another wall: they become a spot of their own, which is the answer."""
    other_id = await spots.split(session, actor, spot_id, split)
    return answers.item(await reads.written(session, actor, spots.card, "spot", id=other_id), status=201)

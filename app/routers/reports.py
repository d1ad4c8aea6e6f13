from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from app import answers, exports
from app.core.database import Database
from app.deps import Allow, DocumentsDep, database_of
from app.domain.errors import NotFound
from app.domain.metrics import Metric
from app.domain.permissions import Actor, Permission
from app.exports import Rendered, Wanted
from app.problems import problems
from app.routing import PUBLIC, SIGNED_IN, Router
from app.schemas.reports import (
    CountMap,
    CrewLeaderboard,
    CrewQuery,
    FunnelQuery,
    FunnelRead,
    LeaderboardQuery,
    LeaderboardRead,
    MapQuery,
    SeriesQuery,
    SeriesRead,
)
from app.services import reports, sums
from app.services.documents import Documents
from app.services.reads import Compose
from app.services.reports import Asked, sheets
from app.services.reports.sheets import Sheet
from app.services.sums import Standing

router = Router("/v1/metrics", "metrics", SIGNED_IN)
public_router = Router("/v1/public/{city_id}/metrics", "public", PUBLIC | problems(NotFound))
Reader = Annotated[Actor, Depends(Allow(Permission.METRICS_READ))]
CityId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["almaty"])]
MetricName = Annotated[Metric, Path(examples=["graffiti_painted"])]
SeriesAsked = Annotated[SeriesQuery, Query()]
MapAsked = Annotated[MapQuery, Query()]
LeaderboardAsked = Annotated[LeaderboardQuery, Query()]
_TABLES: dict[int | str, dict[str, Any]] = {**answers.ITEM, **exports.TABLES}


class GeoJson(JSONResponse):
    media_type = answers.GEOJSON


@dataclass(frozen=True, slots=True)
class _Report:
    """How it is read, and what changes it besides the ledger."""

    read: Callable[[Database, Asked[Any], Standing], Awaitable[Any]]
    sheet_of: Callable[[Any], Sheet]
    changes: Compose
    media_type: str = "application/json"


async def _leaderboard(database: Database, asked: Asked[LeaderboardQuery], _: Standing) -> LeaderboardRead:
    return await reports.leaderboard(database, asked)


_FUNNEL = _Report(reports.funnel, sheets.of_funnel, reports.of_ways)
_MAP = _Report(reports.count_map, sheets.of_map, reports.of_places, answers.GEOJSON)
_LEADERBOARD = _Report(_leaderboard, sheets.of_leaderboard, reports.of_names)
_CREWS = _Report(reports.crews, sheets.of_crews, reports.of_names)


async def _answered(request: Request, asked: Asked[Any], report: _Report) -> Response:
    """304 where nothing has changed that it is made of, without anything being counted."""
    database, wanted = database_of(request), Wanted.of(request, asked.query.format)
    sums.check(asked.query)
    if "if-none-match" in request.headers:
        _, tag = await _tagged(database, asked, report)
        if answers.is_known(request, wanted.tag(tag)):
            return exports.unchanged(wanted.tag(tag))
    return (await _rendered(database, asked, report, wanted)).to(request)


async def _published(request: Request, documents: Documents, asked: Asked[Any], report: _Report) -> Response:
    """As `_answered`; all who ask the same within half a second share one answer."""
    database, wanted = database_of(request), Wanted.of(request, asked.query.format)
    sums.check(asked.query)
    question = (report, asked.city_id, asked.query)
    _, tag = await documents.shared(question, lambda: _tagged(database, asked, report))
    if answers.is_known(request, wanted.tag(tag)):
        return exports.unchanged(wanted.tag(tag), exports.PUBLISHED)
    rendered = await documents.shared((*question, wanted), lambda: _rendered(database, asked, report, wanted))
    return rendered.to(request, exports.PUBLISHED)


async def _rendered(database: Database, asked: Asked[Any], report: _Report, wanted: Wanted) -> Rendered:
    standing, tag = await _tagged(database, asked, report)
    found = await report.read(database, asked, standing)
    # One tag is one document: what changed while it was read has that of what is in it.
    is_whole = tag == (await _tagged(database, asked, report))[1]
    etag = tag if is_whole else None
    return await wanted.render(found, report.sheet_of, media_type=report.media_type, etag=etag)


async def _tagged(database: Database, asked: Asked[Any], report: _Report) -> tuple[Standing, str]:
    standing = await sums.standing_of(database, asked.actor, asked.city_id)
    return standing, await reports.tag(database, asked, standing, report.changes)


@router.get("/funnel", response_model=FunnelRead, responses=_TABLES)
async def get_funnel(query: Annotated[FunnelQuery, Query()], actor: Reader, request: Request) -> Response:
    """From the first report of a resource to whether it came back: how many get how far, and in how many days.

    Of the resources first reported from `from` to `to`. A rate is of the resources that have reached the step before;
    a median is that of Kaplan and Meier, in which those that still wait count for as long as they have waited.
    """
    return await _answered(request, Asked(actor.city_id, actor, query), _FUNNEL)


@router.get("/map", response_model=CountMap, response_class=GeoJson, responses=_TABLES)
async def map_counts(query: MapAsked, actor: Reader, request: Request) -> Response:
    """Hexagons (H3) with how many inscriptions were painted over, or seen, in each, as GeoJSON (RFC 7946)."""
    return await _answered(request, Asked(actor.city_id, actor, query), _MAP)


@router.get("/leaderboard", response_model=LeaderboardRead, responses=_TABLES)
async def get_leaderboard(query: LeaderboardAsked, actor: Reader, request: Request) -> Response:
    """The districts by one count, the highest first; no person is ranked. `crews` has those of raids.

    Of people volunteers are refused. A level is what it was at the end of the last day.
    """
    if not actor.may(Permission.LEDGER_READ):
        reports.check_public(query.metric, "/query/metric")
    return await _answered(request, Asked(actor.city_id, actor, query), _LEADERBOARD)


@router.get("/leaderboard/crews", response_model=CrewLeaderboard, responses=_TABLES)
async def get_crew_leaderboard(query: Annotated[CrewQuery, Query()], actor: Reader, request: Request) -> Response:
    """The crews of finished raids by how many inscriptions they painted over; no person is ranked or named.

    How many were on a raid, and for how long, is null to volunteers, and to other staff than coordinators where it
    was fewer than 5.
    """
    return await _answered(request, Asked(actor.city_id, actor, query), _CREWS)


@router.get("/{metric}/series", response_model=SeriesRead, responses=_TABLES)
async def get_series(metric: MetricName, query: SeriesAsked, actor: Reader, request: Request) -> Response:
    """One metric by day, ISO week, month or quarter, zero where nothing happened; at most 400 of them.

    304 to an If-None-Match that names the city's present revision, without anything being counted.
    """
    database = database_of(request)
    sums.check(query)
    if not actor.may(Permission.LEDGER_READ):
        reports.check_public(metric, "/path/metric")
    wanted = Wanted.of(request, query.format)
    standing = await sums.standing_of(database, actor, actor.city_id)
    if answers.is_known(request, tag := wanted.tag(standing.etag)):
        return exports.unchanged(tag)
    etag, found = await reports.series(database, Asked(actor.city_id, actor, query), metric, standing)
    return (await wanted.render(found, sheets.of_series, etag=etag)).to(request)


@public_router.get("/map", response_model=CountMap, response_class=GeoJson, responses=_TABLES)
async def map_public_counts(city_id: CityId, query: MapAsked, documents: DocumentsDep, request: Request) -> Response:
    """As for those who are signed in, without hexagons in which there are fewer than 5."""
    return await _published(request, documents, Asked(city_id, None, query), _MAP)


@public_router.get("/leaderboard", response_model=LeaderboardRead, responses=_TABLES)
async def get_public_leaderboard(
    city_id: CityId, query: LeaderboardAsked, documents: DocumentsDep, request: Request
) -> Response:
    """As for those who are signed in; of people there is none."""
    reports.check_public(query.metric, "/query/metric")
    return await _published(request, documents, Asked(city_id, None, query), _LEADERBOARD)


@public_router.get("/{metric}/series", response_model=SeriesRead, responses=_TABLES)
async def get_public_series(
    city_id: CityId, metric: MetricName, query: SeriesAsked, documents: DocumentsDep, request: Request
) -> Response:
    """As for those who are signed in; of people there is none."""
    sums.check(query)
    reports.check_public(metric, "/path/metric")
    wanted = Wanted.of(request, query.format)

    async def read() -> Rendered:
        standing = await documents.standing(city_id)
        etag, found = await reports.series(database_of(request), Asked(city_id, None, query), metric, standing)
        return await wanted.render(found, sheets.of_series, etag=etag)

    return (await documents.shared(("series", city_id, metric, query, wanted), read)).to(request, exports.PUBLISHED)

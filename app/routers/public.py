from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app import answers, exports
from app.deps import Address, DocumentsDep, Session, ThrottleDep, database_of
from app.domain.errors import NotFound, TooManyRequests
from app.domain.volunteers import VolunteerStatus
from app.exports import Rendered, Wanted
from app.problems import problems
from app.routing import PUBLIC, Router
from app.schemas.base import PageQuery
from app.schemas.cities import CityRead, DistrictMap
from app.schemas.metrics import Format, MetricsQuery, MetricsRead
from app.schemas.plans import PublicPlanPage, PublicPlanProgress
from app.schemas.volunteers import Application, ApplicationRead
from app.services import cities, metrics, plans, reads, sums, volunteers
from app.services.metrics import Asked, as_json
from app.services.reports import sheets

router = Router("/v1/public/{city_id}", "public", PUBLIC | problems(NotFound))
CityId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["almaty"])]


@router.get("", response_model=CityRead, responses=answers.ITEM)
async def get_city(city_id: CityId, request: Request) -> Response:
    """The city and the names of its districts."""
    return answers.item(
        await reads.one(database_of(request), None, cities.public_city, "city", city_id=city_id), request
    )


@router.get("/districts", response_model=DistrictMap)
async def get_districts(city_id: CityId, request: Request) -> Response:
    """The districts' outlines as GeoJSON, for a map."""
    found = await reads.document(database_of(request), None, cities.district_map, "city", city_id=city_id)
    return answers.document(found, cache="public, max-age=3600")


@router.get("/metrics", response_model=MetricsRead, responses={**answers.ITEM, **exports.TABLES})
async def get_public_metrics(
    city_id: CityId, query: Annotated[MetricsQuery, Query()], documents: DocumentsDep, request: Request
) -> Response:
    """The city's counts for everybody, at most a second old; of people only totals, and none by day or district."""
    sums.check(query)
    asked, wanted = Asked.by(None, city_id, as_json(query)), Wanted.of(request, query.format)
    standing = await documents.standing(city_id)
    if wanted.format is Format.JSON and answers.is_known(request, known := metrics.tag(asked, standing)):
        return answers.unchanged(known, is_public=True)
    found = await documents.get(asked, standing)
    if wanted.format is Format.JSON:
        return answers.counts(found, request, is_public=True)

    async def table() -> Rendered:
        read = MetricsRead.model_validate_json(found.json)
        return await wanted.render(read, sheets.of_metrics, etag=found.etag)

    rendered = await documents.shared((city_id, query, wanted, found.etag), table)
    return rendered.to(request, exports.PUBLISHED)


@router.get("/plans", response_model=PublicPlanPage)
async def list_public_plans(city_id: CityId, query: Annotated[PageQuery, Query()], request: Request) -> Response:
    """The plans that are or were in force, the newest first."""
    database = database_of(request)
    await reads.one(database, None, cities.public_city, "city", city_id=city_id)
    return answers.page(
        await reads.page(database, None, plans.public_cards, **query.model_dump(), city_id=city_id), request
    )


@router.get("/plans/{plan_id}", response_model=PublicPlanProgress, responses=answers.ITEM)
async def get_public_plan(city_id: CityId, plan_id: UUID, request: Request) -> Response:
    """Planned against actual for everybody; of people whether, and not how many."""
    database = database_of(request)
    asked = await plans.asked(database, None, city_id, id=plan_id)
    if answers.is_known(request, asked.etag):
        return answers.unchanged(asked.etag, is_public=True)
    return answers.counts(await plans.of_public_plan(database, asked), request, is_public=True)


@router.post("/volunteers", response_model=ApplicationRead, status_code=202, responses=problems(TooManyRequests))
async def apply(
    city_id: CityId, application: Application, session: Session, throttle: ThrottleDep, address: Address
) -> ApplicationRead:
    """Apply to be a volunteer. A coordinator will call; the answer does not tell whether the number was known."""
    throttle.application(address)
    city = await cities.get(session, city_id)
    return ApplicationRead(id=await volunteers.apply(session, city, application), status=VolunteerStatus.APPLIED)

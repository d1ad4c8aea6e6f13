from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app import answers, exports
from app.deps import Address, DocumentsDep, Reads, Session, ThrottleDep
from app.domain.errors import NotFound, TooManyRequests
from app.domain.volunteers import VolunteerStatus
from app.exports import Rendered, Wanted
from app.problems import problems
from app.routing import Route
from app.schemas.cities import CityRead, DistrictMap
from app.schemas.metrics import Format, MetricsQuery, MetricsRead
from app.schemas.volunteers import Application, ApplicationRead
from app.services import cities, metrics, reads, volunteers
from app.services.metrics import Asked, as_json
from app.services.reports import sheets

router = APIRouter(prefix="/public/{city_id}", tags=["public"], route_class=Route, responses=problems(NotFound))
CityId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["almaty"])]


@router.get("", response_model=CityRead, responses=answers.ITEM)
async def get_city(city_id: CityId, database: Reads, request: Request) -> Response:
    """The city and the names of its districts."""
    return answers.item(await reads.one(database, None, cities.public_city, "city", city_id=city_id), request)


@router.get("/districts", response_model=DistrictMap)
async def get_districts(city_id: CityId, database: Reads) -> Response:
    """The districts' outlines as GeoJSON, for a map."""
    found = await reads.document(database, None, cities.district_map, "city", city_id=city_id)
    return answers.document(found, cache="public, max-age=3600")


@router.get("/metrics", response_model=MetricsRead, responses={**answers.ITEM, **exports.TABLES})
async def get_public_metrics(
    city_id: CityId, query: Annotated[MetricsQuery, Query()], documents: DocumentsDep, request: Request
) -> Response:
    """The city's counts for everybody, at most a second old; of people only totals, and none by day or district."""
    metrics.check(query)
    found = await documents.polled(Asked(city_id, as_json(query), is_public=True))
    wanted = Wanted.of(request, query.format)
    if wanted.format is Format.JSON:
        return answers.counts(found, request, is_public=True)

    async def table() -> Rendered:
        read = MetricsRead.model_validate_json(found.json)
        return await wanted.render(read, sheets.of_metrics, etag=found.etag)

    rendered = await documents.shared((city_id, query, wanted, found.etag), table)
    return rendered.to(request, exports.PUBLISHED)


@router.post("/volunteers", response_model=ApplicationRead, status_code=202, responses=problems(TooManyRequests))
async def apply(
    city_id: CityId, application: Application, session: Session, throttle: ThrottleDep, address: Address
) -> ApplicationRead:
    """Apply to be a volunteer. A coordinator will call; the answer does not tell whether the number was known."""
    throttle.application(address)
    city = await cities.get(session, city_id)
    return ApplicationRead(id=await volunteers.apply(session, city, application), status=VolunteerStatus.APPLIED)

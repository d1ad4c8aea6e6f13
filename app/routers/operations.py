"""For those who run the service. None of it is about a city."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Header, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app import VERSION
from app.core import migrations
from app.core.database import DatabaseUnavailableError
from app.deps import Reads, SettingsDep
from app.domain.errors import Unauthenticated, Unavailable
from app.problems import problems
from app.routing import Route
from app.schemas.operations import Health, Version

router = APIRouter(tags=["operations"], route_class=Route)


@router.get("/livez", response_model=Health)
async def is_alive() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz", response_model=Health, responses=problems(Unavailable))
async def is_ready(database: Reads) -> Health:
    """The database answers and is at this version's migration."""
    try:
        rows = await database.fetch("SELECT version_num FROM alembic_version")
    except DatabaseUnavailableError as error:
        raise Unavailable from error
    if [row["version_num"] for row in rows] != [migrations.head()]:
        raise Unavailable(retry_after_s=10)
    return Health(status="ok")


@router.get("/version", response_model=Version)
async def get_version() -> Version:
    return Version(version=VERSION, migration=migrations.head())


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **problems(Unauthenticated)},
)
async def get_process_metrics(
    settings: SettingsDep, authorization: Annotated[str, Header(include_in_schema=False)] = ""
) -> Response:
    """For Prometheus: requests, latencies, pools. Labels carry no ids."""
    expected = settings.metrics_token
    if expected and not hmac.compare_digest(authorization.encode(), f"Bearer {expected.get_secret_value()}".encode()):
        raise Unauthenticated
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

"""For those who run the service. None of it is about a city."""

import hmac
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app import VERSION, gauges
from app.core import migrations
from app.core.database import DatabaseUnavailableError
from app.deps import DocumentsDep, SettingsDep, database_of
from app.domain.errors import Unauthenticated, Unavailable
from app.problems import problems
from app.routing import STATELESS, Router
from app.schemas.operations import Health, Version
from app.services import programme
from app.services.documents import Queue

router = Router("", "operations", STATELESS)


@router.get("/livez", response_model=Health)
async def is_alive() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz", response_model=Health, responses=problems(Unavailable))
async def is_ready(request: Request) -> Health:
    """The database answers and is at this version's migration."""
    try:
        rows = await database_of(request).fetch("SELECT version_num FROM alembic_version")
    except DatabaseUnavailableError as error:
        raise Unavailable from error
    if [row["version_num"] for row in rows] != [migrations.head()]:
        raise Unavailable(retry_after_s=10)
    return Health(status="ok")


@router.get("/version", response_model=Version)
async def get_version() -> Version:
    return Version(version=VERSION, migration=migrations.head())


async def is_prometheus(
    settings: SettingsDep, authorization: Annotated[str, Header(include_in_schema=False)] = ""
) -> None:
    """Raises Unauthenticated without the token, where one is set."""
    expected = settings.metrics_token
    if expected and not hmac.compare_digest(authorization.encode(), f"Bearer {expected.get_secret_value()}".encode()):
        raise Unauthenticated


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **problems(Unauthenticated)},
    dependencies=[Depends(is_prometheus)],
)
async def get_process_metrics() -> Response:
    """For Prometheus: requests, latencies, pools. Labels carry no ids."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get(
    "/metrics/programme",
    response_class=Response,
    responses={
        200: {"content": {gauges.OPENMETRICS: {"example": gauges.EXAMPLE}}},
        **problems(Unauthenticated, Unavailable),
    },
    dependencies=[Depends(is_prometheus)],
)
async def get_programme_metrics(documents: DocumentsDep, request: Request) -> Response:
    """For Prometheus: what the public may know of each city's counts, as OpenMetrics gauges, at most a second old."""

    async def text() -> bytes:
        return gauges.exposition(await programme.programme(database_of(request)))

    gauged = await documents.shared("programme", text, Queue.OURS)
    return Response(gauged, headers={"Content-Type": gauges.CONTENT_TYPE})

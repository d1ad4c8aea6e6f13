from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app import answers, messages
from app.deps import Allow, DocumentsDep, Reads
from app.domain.metrics import Metric, kind_of
from app.domain.permissions import Actor, Permission
from app.routing import Route
from app.schemas.metrics import MetricDefinitions, MetricsQuery, MetricsRead
from app.services import metrics, sums
from app.services.metrics import Asked

router = APIRouter(prefix="/metrics", tags=["metrics"], route_class=Route)
Reader = Annotated[Actor, Depends(Allow(Permission.METRICS_READ))]


@router.get("", response_model=MetricsRead, responses=answers.ITEM)
async def get_metrics(
    query: Annotated[MetricsQuery, Query()], actor: Reader, database: Reads, documents: DocumentsDep, request: Request
) -> Response:
    """Every count of the city: its recorded and declared parts, and how it is changing.

    304 to an If-None-Match that names the city's present revision, without any counting. Without a filter the answer
    is at most a second behind, as its Cache-Control says.
    """
    metrics.check(query)
    standing = await sums.standing_of(database, actor, actor.city_id)
    return answers.counts(await documents.get(Asked(actor.city_id, query, is_public=False), standing), request)


@router.get("/definitions", response_model=MetricDefinitions)
async def get_definitions() -> dict[str, list[dict[str, Any]]]:
    """What each metric counts, in kk, ru and en."""
    return {
        "items": [
            {"metric": metric, "kind": kind_of(metric), **messages.CATALOGUE["metrics"][metric]} for metric in Metric
        ]
    }

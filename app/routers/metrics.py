from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app import answers, messages
from app.deps import Allow, Reads
from app.domain.errors import NotFound
from app.domain.metrics import Metric
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import Route
from app.schemas.metrics import MetricDefinitions, MetricsQuery, MetricsRead
from app.services import metrics, reads

router = APIRouter(prefix="/metrics", tags=["metrics"], route_class=Route)
Reader = Annotated[Actor, Depends(Allow(Permission.METRICS_READ))]


@router.get("", response_model=MetricsRead, responses=problems(NotFound))
async def get_metrics(query: Annotated[MetricsQuery, Query()], actor: Reader, database: Reads) -> Response:
    """Every count of the city: its recorded and declared parts, by district and by day."""
    asked = metrics.checked(query)
    return answers.document(await reads.document(database, actor, metrics.totals, "city", **asked))


@router.get("/definitions", response_model=MetricDefinitions)
async def get_definitions() -> dict[str, list[dict[str, Any]]]:
    """What each metric counts, in kk, ru and en."""
    return {"items": [{"metric": metric, **messages.CATALOGUE["metrics"][metric]} for metric in Metric]}

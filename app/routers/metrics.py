from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from app import answers, exports, messages
from app.deps import Allow, DocumentsDep, database_of
from app.domain.metrics import Metric, kind_of
from app.domain.permissions import Actor, Permission
from app.exports import Wanted
from app.routing import SIGNED_IN, Router
from app.schemas.metrics import Format, MetricDefinitions, MetricsQuery, MetricsRead
from app.services import metrics, sums
from app.services.metrics import Asked, as_json
from app.services.reports import sheets

router = Router("/v1/metrics", "metrics", SIGNED_IN)
Reader = Annotated[Actor, Depends(Allow(Permission.METRICS_READ))]


@router.get("", response_model=MetricsRead, responses={**answers.ITEM, **exports.TABLES})
async def get_metrics(
    query: Annotated[MetricsQuery, Query()], actor: Reader, documents: DocumentsDep, request: Request
) -> Response:
    """Every count of the city: its recorded and declared parts, and how it is changing.

    304 to an If-None-Match that names the city's present revision, without any counting. Without a filter the answer
    is at most a second behind, as its Cache-Control says.
    """
    sums.check(query)
    standing = await sums.standing_of(database_of(request), actor, actor.city_id)
    wanted = Wanted.of(request, query.format)
    asked = Asked.by(actor, actor.city_id, as_json(query))
    if wanted.format is Format.JSON and answers.is_known(request, known := metrics.tag(asked, standing)):
        return answers.unchanged(known)
    found = await documents.get(asked, standing)
    if wanted.format is Format.JSON:
        return answers.counts(found, request)
    read = MetricsRead.model_validate_json(found.json)
    return (await wanted.render(read, sheets.of_metrics, etag=found.etag)).to(request)


@router.get("/definitions", response_model=MetricDefinitions)
async def get_definitions() -> dict[str, list[dict[str, Any]]]:
    """What each metric counts, in kk, ru and en."""
    return {
        "items": [
            {"metric": metric, "kind": kind_of(metric), **messages.CATALOGUE["metrics"][metric]} for metric in Metric
        ]
    }

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request, Response
from fastapi.sse import EventSourceResponse, format_sse_event

from app import authentication
from app.core.clock import utc_now
from app.deps import Allow, DocumentsDep, RevisionsDep, database_of
from app.domain.errors import NotFound, Unavailable
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import PUBLIC, SIGNED_IN, Router
from app.schemas.metrics import RevisionRead
from app.services import metrics, reads
from app.services.metrics import Asked
from app.services.sums import Standing

router = Router("/v1/metrics", "metrics", SIGNED_IN)
public_router = Router("/v1/public/{city_id}/metrics", "public", PUBLIC)
Reader = Annotated[Actor, Depends(Allow(Permission.METRICS_READ))]
CityId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["almaty"])]
LastEventId = Annotated[str, Header(description="Sent by a browser that comes back: what it knows is not told again")]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events; the data of a `revision` is `RevisionRead`",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    **problems(NotFound, Unavailable),
}


@router.get("/stream", response_class=Response, response_model=None, responses=STREAM)
async def follow_metrics(
    actor: Reader,
    documents: DocumentsDep,
    revisions: RevisionsDep,
    request: Request,
    last_event_id: LastEventId = "",
) -> EventSourceResponse:
    """An event when the city's counts have changed, at most a second later; read them anew then.

    Ends when the access token expires, or no longer stands.
    """
    database = database_of(request)
    await reads.check_stands(database, actor)
    await documents.standing(actor.city_id)
    revisions.room()
    left_s = (authentication.expiry_of(request) - utc_now()).total_seconds()
    still_may = partial(reads.check_stands, database, actor)
    asked = Asked.by(actor, actor.city_id)
    return _stream(revisions.of_city(actor.city_id, _tag(last_event_id), left_s, still_may), asked)


@public_router.get("/stream", response_class=Response, response_model=None, responses=STREAM)
async def follow_public_metrics(
    city_id: CityId, documents: DocumentsDep, revisions: RevisionsDep, last_event_id: LastEventId = ""
) -> EventSourceResponse:
    """As above, for everybody: a browser's EventSource cannot send a token."""
    await documents.standing(city_id)
    revisions.room()
    told = revisions.of_city(city_id, _tag(last_event_id), float("inf"), _everybody)
    return _stream(told, Asked.by(None, city_id))


async def _everybody() -> None:
    return


def _tag(last_event_id: str) -> str:
    return f'"{last_event_id}"'


def _stream(standings: AsyncGenerator[Standing | None], asked: Asked) -> EventSourceResponse:
    """An event's id is the standing that everybody shares; its ETag is that of the reader's own document."""

    async def events() -> AsyncGenerator[bytes]:
        async for standing in standings:
            if standing is None:
                yield format_sse_event(comment="still here")
                continue
            etag = metrics.tag(asked, standing)
            read = RevisionRead(revision=standing.revision, etag=etag, today=standing.today)
            yield format_sse_event(event="revision", id=standing.etag.strip('"'), data_str=read.model_dump_json())

    return EventSourceResponse(events(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

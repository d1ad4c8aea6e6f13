"""What every route has in common: strict JSON, no unknown query parameters and, for writes, one unit of work.

A write's transaction is opened around the whole route, so it is committed before the answer leaves, is done
again from its beginning when PostgreSQL chose it as a deadlock's victim, and keeps the answer of a request
with an Idempotency-Key in the same commit. See docs/adr/0004-unit-of-work.md.
"""

import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import APIRouter, Request
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.params import Body, Header, Path
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app import openapi
from app.authentication import actor_of
from app.core.config import Settings
from app.core.database import Database, retried
from app.core.json import parse
from app.core.turns import NoTurnError, Turns
from app.domain.errors import Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from app.domain.permissions import Actor
from app.problems import problems
from app.services import idempotency, reads
from app.services.idempotency import Kept, Slot

Responses = dict[int | str, dict[str, Any]]
# NotFound: an account of no city can name one that does not exist.
SIGNED_IN: Responses = problems(Unauthenticated, Forbidden, NotFound, Invalid, Unavailable)
PUBLIC: Responses = problems(Invalid, Unavailable)
STATELESS: Responses = problems(Invalid)

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEY = re.compile(openapi.KEY)
_KEPT_HEADERS = frozenset({"content-type", "etag", "location"})
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    max_body_bytes: int

    async def json(self) -> Any:
        try:
            return parse(await self.body())
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from error

    async def stream(self) -> AsyncGenerator[bytes]:
        """As Starlette's, but a body that is too large or breaks off is refused as it comes, whatever its length says.

        FastAPI's own `max_body_size` answers in plain text, from outside of our handlers.
        """
        read = 0
        try:
            async for chunk in super().stream():
                read += len(chunk)
                if read > self.max_body_bytes:
                    raise HTTPException(413)
                yield chunk
        except ClientDisconnect as error:
            raise HTTPException(400) from error


class Route(APIRoute):
    keeps_answers = True

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if self._writes:
            self.openapi_extra = openapi.of_a_write(has_body=bool(self.body_field), keeps_answer=self.keeps_answers)

    @staticmethod
    def max_body_bytes(settings: Settings) -> int:
        return settings.max_body_bytes

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        fields = get_flat_params(self.dependant)
        known = frozenset(field.alias for field in fields if not isinstance(field.field_info, Path | Header))
        asks_who = _asks_who(self.dependant)

        async def read(request: Request) -> Response:
            refuse_odd_query(request, known, self.dependant.query_params)
            return await handler(request)

        async def write(request: Request) -> Response:
            refuse_odd_query(request, known, self.dependant.query_params)
            strict = await self._with_body(request)
            actor = await actor_of(request) if asks_who else None
            async with in_turn(request):
                return await retried(lambda: unit_of_work(strict, actor, handler, keeps_answer=self.keeps_answers))

        return write if self._writes else read

    @property
    def _writes(self) -> bool:
        return not WRITES.isdisjoint(self.methods or ())

    async def _with_body(self, request: Request) -> Request:
        """Read before a transaction is open: who sends slowly must not hold a connection."""
        strict = StrictRequest(request.scope, request.receive)
        strict.max_body_bytes = self.max_body_bytes(request.app.state.settings)
        if await strict.body() and self.body_field:
            refuse_other_media(request, cast("Body", self.body_field.field_info).media_type)
        return strict


class SecretRoute(Route):
    """Its answers hold passwords, codes or tokens, so none is kept for a retry."""

    keeps_answers = False


class Router(APIRouter):
    """Routes below a path, with the refusals that all of them may give."""

    def __init__(self, path: str, tag: str, refusals: Responses, route_class: type[Route] = Route) -> None:
        super().__init__(
            prefix=path,
            tags=[tag],
            responses=refusals,
            route_class=route_class,
            generate_unique_id_function=_operation_id,
        )


def _operation_id(route: APIRoute) -> str:
    return route.name


def refuse_other_media(request: Request, expected: str) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != expected:
        raise HTTPException(415, expected, {"Accept": expected})


def refuse_odd_query(request: Request, known: frozenset[str], query: list[ModelField]) -> None:
    """A misspelt filter must not quietly give everything, nor one given twice something else than was meant.

    What else is wrong with the query is said with it.
    """
    if not request.scope["query_string"]:
        return
    given = Counter(name for name, _ in request.query_params.multi_items())
    odd = {name: "twice" for name, times in given.items() if times > 1}
    odd |= dict.fromkeys(given.keys() - known, "extra_forbidden")
    if odd:
        faults = [{"type": kind, "loc": ("query", name)} for name, kind in sorted(odd.items())]
        _, others = request_params_to_args(query, request.query_params)
        raise RequestValidationError([*faults, *(other for other in others if other["loc"][1] not in odd)])


def _asks_who(dependant: Dependant) -> bool:
    """Whether the route needs an actor: where it does not, a stale token in the request harms nobody."""
    return any(isinstance(part.call, SecurityBase) or _asks_who(part) for part in dependant.dependencies)


@asynccontextmanager
async def in_turn(request: Request) -> AsyncGenerator[None]:
    """Whatever changes a raid locks its row: when two hundred sign up at once, nine in ten must not wait for that
    with a connection in their hands. Raises Unavailable when the turn does not come.
    """
    raid_id = request.path_params.get("raid_id")
    if raid_id is None:
        yield
        return
    turns: Turns = request.app.state.turns
    try:
        async with turns.of(raid_id):
            yield
    except NoTurnError:
        raise Unavailable from None


async def unit_of_work(request: Request, actor: Actor | None, handler: Handler, *, keeps_answer: bool) -> Response:
    database: Database = request.app.state.database
    async with database.transaction() as session:
        request.state.session, request.state.actor = session, actor
        if actor is not None:
            await reads.confirm(session, actor)
        key = request.headers.get("idempotency-key")
        if key is None or not keeps_answer:
            return await handler(request)
        return await _once(request, handler, await _slot(request, actor, key))


async def _slot(request: Request, actor: Actor | None, key: str) -> Slot:
    if not _KEY.fullmatch(key):
        raise RequestValidationError([{"type": "string_pattern_mismatch", "loc": ("header", "Idempotency-Key")}])
    city_id = actor.city_id if actor else ""
    target = f"{request.method} {request.url.path}?{request.url.query} in {city_id}"
    account_id, secret = actor.account_id if actor else None, request.app.state.request_key
    return Slot.of(account_id, key, (target, await request.body()), secret)


async def _once(request: Request, handler: Handler, slot: Slot) -> Response:
    session = request.state.session
    if kept := await idempotency.claim(session, slot):
        return Response(kept.body, kept.status, dict(kept.headers))
    response = await handler(request)
    headers = [(name, value) for name, value in response.headers.items() if name in _KEPT_HEADERS]
    await idempotency.keep(session, slot, Kept(response.status_code, headers, bytes(response.body)))
    return response

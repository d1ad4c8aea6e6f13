"""What every route has in common: strict JSON, no unknown query parameters and, for writes, one unit of work.

A write's transaction is opened around the whole route, so it is committed before the answer leaves, is done
again from its beginning when PostgreSQL chose it as a deadlock's victim, and keeps the answer of a request
with an Idempotency-Key in the same commit. See docs/adr/0004-unit-of-work.md.
"""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pydantic_core
from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Header, Path
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.authentication import actor_of
from app.core.database import Database, retried
from app.domain.permissions import Actor
from app.services import idempotency, reads
from app.services.idempotency import Kept, Slot

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_KEPT_HEADERS = frozenset({"content-type", "etag", "location"})
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    async def json(self) -> Any:
        """As Starlette's, but NaN, Infinity, numbers beyond a double, lone surrogates and deep nesting are errors."""
        if not hasattr(self, "_json"):
            body = await self.body()
            try:
                self._json = pydantic_core.from_json(body, allow_inf_nan=False)
            except ValueError as error:
                raise json.JSONDecodeError(str(error), "", 0) from error
        return self._json


class Route(APIRoute):
    keeps_answers = True

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        fields = get_flat_params(self.dependant)
        known = frozenset(field.alias for field in fields if not isinstance(field.field_info, Path | Header))

        async def read(request: Request) -> Response:
            refuse_unknown_query(request, known)
            return await handler(request)

        async def write(request: Request) -> Response:
            refuse_unknown_query(request, known)
            strict = StrictRequest(request.scope, request.receive)
            return await retried(lambda: unit_of_work(strict, handler, keeps_answer=self.keeps_answers))

        return write if WRITES.intersection(self.methods or ()) else read


class SecretRoute(Route):
    """Its answers hold passwords, codes or tokens, so none is kept for a retry."""

    keeps_answers = False


def refuse_unknown_query(request: Request, known: frozenset[str]) -> None:
    """A misspelt filter must not quietly give everything."""
    if request.scope["query_string"] and (unknown := request.query_params.keys() - known):
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)} for name in sorted(unknown)])


async def unit_of_work(request: Request, handler: Handler, *, keeps_answer: bool) -> Response:
    database: Database = request.app.state.database
    actor = await actor_of(request)
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
    target = f"{request.method} {request.url.path}?{request.url.query}"
    return Slot.of(actor.account_id if actor else None, key, (target, await request.body()))


async def _once(request: Request, handler: Handler, slot: Slot) -> Response:
    session = request.state.session
    if kept := await idempotency.claim(session, slot):
        return Response(kept.body, kept.status, dict(kept.headers))
    response = await handler(request)
    headers = [(name, value) for name, value in response.headers.items() if name in _KEPT_HEADERS]
    await idempotency.keep(session, slot, Kept(response.status_code, headers, bytes(response.body)))
    return response

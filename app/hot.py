"""The few documents that dashboards poll, answered before FastAPI: bytes made once for each revision.

Each request is still judged by its token. A token that was believed by the whole way through is believed here for a
second; then it is asked again whether it stands. Whatever is not plain goes the usual way: a filter, a token seen for
the first time or not to be believed, a browser of another origin, a city that is not there.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import uuid_utils
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app import answers, telemetry
from app.authentication import actor_of, expiry_of
from app.core.clock import utc_now
from app.core.database import DatabaseUnavailableError
from app.domain.errors import DomainError
from app.domain.permissions import Permission
from app.schemas.metrics import MetricsQuery
from app.services import reads
from app.services.documents import Documents
from app.services.metrics import Asked, Document

BELIEVED_S = 1.0
MOST_TOKENS = 10_000
PATH = "/v1/metrics"
_PUBLIC = re.compile(r"/v1/public/([a-z][a-z0-9-]{1,31})/metrics")
_WHOLE = MetricsQuery()
_NEEDS_MORE = frozenset({b"origin", b"x-city"})
"""Headers that another part of the service knows how to answer."""


@dataclass(frozen=True, slots=True)
class _Believed:
    asked: Asked
    until: float


@dataclass(frozen=True, slots=True)
class _Fresh:
    answers: "_Answers"
    until: float


class Hot:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._tokens: OrderedDict[bytes, _Believed] = OrderedDict()
        self._fresh: dict[tuple[str, bool, bool], _Fresh] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["query_string"]:
            path: str = scope["path"]
            if path == PATH or _PUBLIC.fullmatch(path):
                began = time.perf_counter()
                answer = await self._answer(scope, path)
                if answer:
                    await answer.send(send, began)
                    return
        await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, path: str) -> "_Answer | None":
        headers = dict(scope["headers"])
        if not _NEEDS_MORE.isdisjoint(headers):
            return None
        try:
            asked = await self._asked(scope, path, headers.get(b"authorization"))
            if asked is None:
                return None
            answers = await self._answers(scope, asked)
        except (DomainError, DatabaseUnavailableError):
            # Refused, or not to be had just now: the usual way says so in the caller's language.
            return None
        return answers.to(headers.get(b"if-none-match"))

    async def _asked(self, scope: Scope, path: str, token: bytes | None) -> Asked | None:
        if public := _PUBLIC.fullmatch(path):
            return Asked(public[1], _WHOLE, is_public=True)
        if token is None:
            return None
        believed = self._tokens.get(token)
        if believed is None or believed.until <= time.monotonic():
            believed = await self._believe(scope, token)
        return believed and believed.asked

    async def _believe(self, scope: Scope, token: bytes) -> _Believed | None:
        request = Request(scope)
        # Counted from before the question: what ends the token meanwhile is seen a second later at the latest.
        asked_at = time.monotonic()
        actor = await actor_of(request)
        if actor is None or not actor.city_id or not actor.may(Permission.METRICS_READ):
            return None
        await reads.check_stands(request.app.state.database, actor)
        left_s = (expiry_of(request) - utc_now()).total_seconds()
        sees_people = actor.may(Permission.LEDGER_READ)
        asked = Asked(actor.city_id, _WHOLE, is_public=False, sees_people=sees_people)
        believed = self._tokens[token] = _Believed(asked, asked_at + min(BELIEVED_S, left_s))
        self._tokens.move_to_end(token)
        if len(self._tokens) > MOST_TOKENS:
            self._tokens.popitem(last=False)
        return believed

    async def _answers(self, scope: Scope, asked: Asked) -> "_Answers":
        # To hash the question itself, with all its filters, would take longer than all the rest.
        key = (asked.city_id, asked.is_public, asked.sees_people)
        fresh = self._fresh.get(key)
        if fresh and fresh.until > time.monotonic():
            return fresh.answers
        documents: Documents = scope["app"].state.documents
        document = await documents.polled(asked)
        answers = fresh.answers if fresh and fresh.answers.document is document else _Answers(asked, document)
        self._fresh[key] = _Fresh(answers, documents.fresh_until(asked.city_id, document))
        return answers


class _Answers:
    """200 and 304 for one revision of one document."""

    def __init__(self, asked: Asked, document: Document) -> None:
        self.document = document
        self._etag = document.etag.encode()
        operation = "get_public_metrics" if asked.is_public else "get_metrics"
        headers = [*_headers(asked, document), *telemetry.SECURITY_HEADERS, telemetry.NOTHING_LOADS]
        length = (b"content-length", str(len(document.json)).encode())
        kind = (b"content-type", b"application/json")
        self._whole = _Answer(200, [*headers, kind, length], document.json, telemetry.watched(operation, 200))
        self._unchanged = _Answer(304, headers, b"", telemetry.watched(operation, 304))

    def to(self, if_none_match: bytes | None) -> "_Answer":
        if if_none_match is None:
            return self._whole
        is_known = if_none_match == self._etag or answers.is_named(if_none_match.decode("latin-1"), self.document.etag)
        return self._unchanged if is_known else self._whole


def _headers(asked: Asked, document: Document) -> Iterator[tuple[bytes, bytes]]:
    for name, value in answers.counted(document.etag, is_public=asked.is_public).items():
        yield name.lower().encode(), value.encode()


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    watched: telemetry.Watched

    async def send(self, send: Send, began: float) -> None:
        request_id = (b"x-request-id", str(uuid_utils.uuid4()).encode())
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, request_id]})
        await send({"type": "http.response.body", "body": self.body})
        self.watched(time.perf_counter() - began)

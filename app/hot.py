"""The few documents that dashboards poll, answered before FastAPI: bytes made once for each revision.

Each request is still judged by its token. A token that was believed by the whole way through is believed here for a
second; then it is asked again whether it stands. Whatever is not plain goes the usual way: a filter, a token seen for
the first time or not to be believed, a browser of another origin, a city that is not there.
"""

import gzip
import math
import re
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import Message, Scope, Send

from app import answers, telemetry
from app.authentication import actor_of, expiry_of
from app.core.clock import utc_now
from app.core.database import DatabaseUnavailableError
from app.core.shared import Shared
from app.counters import ANSWERED, Answered
from app.domain.errors import DomainError
from app.domain.permissions import Permission
from app.services import reads
from app.services.documents import Documents
from app.services.metrics import Asked, Document

BELIEVED_S = 1.0
MOST_CALLERS = 10_000
LOOKED_UP_AT_ONCE = 32
PATH = "/v1/metrics"
_PUBLIC = re.compile(r"/v1/public/([a-z][a-z0-9-]{1,31})/metrics")
_READS = frozenset({"GET", "HEAD"})
_NO_BODY: Message = {"type": "http.response.body", "body": b""}
_NEEDS_MORE = frozenset({b"origin", b"x-city"})
"""Headers that another part of the service knows how to answer, as it does one that is sent twice."""

Name = bytes | str | None
"""Whom an answer is for: who sends this token, or anybody at this public path. None is nobody."""


@dataclass(frozen=True, slots=True)
class _Believed:
    asked: Asked
    until: float


@dataclass(frozen=True, slots=True)
class _Caller:
    believed: _Believed
    answers: "_Answers"
    until: float
    """On the monotonic clock: before it both the token and the revision are believed."""


class Hot:
    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._callers: OrderedDict[bytes | str, _Caller] = OrderedDict()
        self._answers: dict[Asked, _Answers] = {}
        self._asked: Shared[_Caller | None] = Shared()

    async def answered(self, scope: Scope, send: Send) -> bool:
        """Whether it is; nothing is sent if not."""
        if scope["type"] != "http" or not scope["path"].endswith("/metrics"):
            return False
        began = time.monotonic()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        is_plain = len(headers) == len(scope["headers"]) and _NEEDS_MORE.isdisjoint(headers)
        if scope["method"] not in _READS or scope["query_string"] or not is_plain:
            return False
        name: Name = headers.get(b"authorization") if scope["path"] == PATH else scope["path"]
        caller = self._callers.get(name) if name else None
        if caller is None or caller.until <= began:
            caller = await self._asked_once(scope, name)
        if caller is None:
            return False
        answer = caller.answers.to(headers)
        await send(answer.start)
        await send(answer.body if scope["method"] == "GET" else _NO_BODY)
        answer.answered.add(time.monotonic() - began)
        return True

    async def _asked_once(self, scope: Scope, name: Name) -> _Caller | None:
        """For all who send the same at a time. Beyond so many at once the usual way decides who has to wait."""
        if name is None or (len(self._asked) >= LOOKED_UP_AT_ONCE and name not in self._asked):
            return None
        return await self._asked.get(name, lambda: self._look_up(scope, name))

    async def _look_up(self, scope: Scope, name: bytes | str) -> _Caller | None:
        documents: Documents = self._app.state.documents
        try:
            believed = await self._believed(scope, name)
            if believed is None:
                return None
            document = await documents.polled(believed.asked)
        except (DomainError, DatabaseUnavailableError):
            # Refused, or not to be had just now: the usual way says so in the caller's language.
            return None
        until = min(believed.until, documents.fresh_until(believed.asked, document))
        caller = self._callers[name] = _Caller(believed, self._answers_of(believed.asked, document), until)
        self._callers.move_to_end(name)
        if len(self._callers) > MOST_CALLERS:
            self._callers.popitem(last=False)
        return caller

    async def _believed(self, scope: Scope, name: bytes | str) -> _Believed | None:
        known = self._callers.get(name)
        if known and known.believed.until > time.monotonic():
            return known.believed
        if isinstance(name, bytes):
            return await self._believe(scope)
        public = _PUBLIC.fullmatch(name)
        return _Believed(Asked.by(None, public[1]), math.inf) if public else None

    async def _believe(self, scope: Scope) -> _Believed | None:
        request = Request({**scope, "app": self._app})
        # Counted from before the question: what ends the token meanwhile is seen a second later at the latest.
        asked_at = time.monotonic()
        actor = await actor_of(request)
        if actor is None or not actor.city_id or not actor.may(Permission.METRICS_READ):
            return None
        await reads.check_stands(self._app.state.database, actor)
        left_s = (expiry_of(request) - utc_now()).total_seconds()
        return _Believed(Asked.by(actor, actor.city_id), asked_at + min(BELIEVED_S, left_s))

    def _answers_of(self, asked: Asked, document: Document) -> "_Answers":
        made = self._answers.get(asked)
        if made is None or made.document is not document:
            made = self._answers[asked] = _Answers(asked, document)
        return made


class _Answers:
    """200 and 304 for one revision of one document: plain, and as most browsers and phones take it."""

    def __init__(self, asked: Asked, document: Document) -> None:
        self.document = document
        tag = f"{document.etag[:-1]}{answers.GZIP_TAG}"
        self._plain = _Form.of(asked, document.etag, document.json)
        self._compressed = _Form.of(asked, tag, gzip.compress(document.json, mtime=0), (b"content-encoding", b"gzip"))
        self._plainly_known = (document.etag.encode(), tag.encode(), b"*")

    def to(self, headers: Mapping[bytes, bytes]) -> "_Answer":
        form = self._compressed if _takes_gzip(headers.get(b"accept-encoding")) else self._plain
        known = headers.get(b"if-none-match")
        if known is None:
            return form.whole
        is_known = known in self._plainly_known or answers.is_named(known.decode("latin-1"), self.document.etag)
        return form.unchanged if is_known else form.whole


@lru_cache(maxsize=100)
def _takes_gzip(accept_encoding: bytes | None) -> bool:
    """By name and not refused by `q=0` (RFC 9110, section 12.5.3); who only takes anything gets it plain."""
    parts = (part.replace(b" ", b"").lower().split(b";q=") for part in (accept_encoding or b"").split(b","))
    return any(name == b"gzip" and not (weight and weight[0].strip(b"0.") == b"") for name, *weight in parts)


@dataclass(frozen=True, slots=True)
class _Form:
    whole: "_Answer"
    unchanged: "_Answer"

    @classmethod
    def of(cls, asked: Asked, etag: str, body: bytes, *encoding: tuple[bytes, bytes]) -> "_Form":
        operation = "get_public_metrics" if asked.is_public else "get_metrics"
        headers = [*_headers(asked, etag)]
        length = (b"content-length", str(len(body)).encode())
        of_body = [(b"content-type", b"application/json"), *encoding, length, *telemetry.SECURITY_HEADERS]
        return cls(
            _Answer.of(200, [*headers, *of_body], body, ANSWERED[operation, 200]),
            _Answer.of(304, headers, b"", ANSWERED[operation, 304]),
        )


def _headers(asked: Asked, etag: str) -> Iterator[tuple[bytes, bytes]]:
    for name, value in answers.counted(etag, is_public=asked.is_public).items():
        yield name.lower().encode(), value.encode()


@dataclass(frozen=True, slots=True)
class _Answer:
    """The same two messages each time. No request id: there is no line in a log that it would name."""

    start: Message
    body: Message
    answered: Answered

    @classmethod
    def of(cls, status: int, headers: list[tuple[bytes, bytes]], body: bytes, answered: Answered) -> "_Answer":
        start = {"type": "http.response.start", "status": status, "headers": headers}
        return cls(start, {"type": "http.response.body", "body": body}, answered)

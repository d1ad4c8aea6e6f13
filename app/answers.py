"""JSON that PostgreSQL made, on its way out."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from app.domain.errors import NotFound
from app.problems import problems
from app.services.metrics import Document
from app.services.reads import Item, Page

GZIP_TAG = '-gzip"'
"""How the tag of a compressed document ends; it is the same document."""
GEOJSON = "application/geo+json"
# Who asks decides what is in it, and a shared cache must not keep it.
_PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-City"}


ITEM: dict[int | str, dict[str, Any]] = {
    **problems(NotFound),
    304: {"description": "Unchanged: the ETag in If-None-Match still holds"},
}
"""The `responses=` of a route that answers with one item and its ETag."""


def item(found: Item, request: Request | None = None, *, status: int = 200) -> Response:
    """With its ETag; 304 without a body to a GET whose If-None-Match names it."""
    headers = {"ETag": found.etag, **_PRIVATE}
    if request is not None and is_known(request, found.etag):
        return Response(None, 304, headers)
    return Response(found.json, status, headers, "application/json")


def page(found: Page, request: Request, media_type: str = "application/json") -> Response:
    """With the next page's address in Link (RFC 8288) too, where there is one."""
    headers = dict(_PRIVATE)
    if found.next:
        query = urlencode({**request.query_params, "after": found.next})
        headers["Link"] = f'<{request.scope["path"]}?{query}>; rel="next"'
    return Response(found.json, 200, headers, media_type)


def document(json: bytes, *, cache: str = "private, no-cache", media_type: str = "application/json") -> Response:
    return Response(json, 200, {"Cache-Control": cache, "Vary": _PRIVATE["Vary"]}, media_type)


def counts(found: Document, request: Request, *, is_public: bool = False) -> Response:
    """A document of counts, or 304 to who has it already."""
    headers = counted(found.etag, is_public=is_public)
    if is_known(request, found.etag):
        return Response(None, 304, headers)
    return Response(found.json, 200, headers, "application/json")


def counted(etag: str, *, is_public: bool) -> dict[str, str]:
    """Headers: such an answer may be a second behind, and says so."""
    who = "public" if is_public else "private"
    return {"ETag": etag, "Cache-Control": f"{who}, max-age=1", "Vary": f"{_PRIVATE['Vary']}, Accept-Encoding"}


def unchanged(etag: str, *, is_public: bool = False) -> Response:
    """What `counts` answers to who has it already, when nothing was counted yet."""
    return Response(None, 304, counted(etag, is_public=is_public))


def is_known(request: Request, etag: str) -> bool:
    return is_named(request.headers.get("if-none-match", ""), etag)


def is_named(header: str, etag: str) -> bool:
    """Weak comparison (RFC 9110, section 13.1.2); anything unreadable is just not known."""
    tags = (tag.strip().removeprefix("W/").replace(GZIP_TAG, '"') for tag in header.split(","))
    return any(tag in {etag, "*"} for tag in tags)

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app import problems
from app.domain.errors import Unavailable

_ALWAYS = frozenset({"/livez"})
_STREAMS = "/metrics/stream"
"""They wait more than they work, and have a limit of their own: app/services/revisions.py."""


class Admission:
    """Answers 503 at once to more requests at a time than this process can serve well.

    uvicorn's own limit counts connections, of which idle browsers hold many, and answers in plain text.
    """

    def __init__(self, app: ASGIApp, at_once: int) -> None:
        self.app = app
        self._free = at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ALWAYS or scope["path"].endswith(_STREAMS):
            await self.app(scope, receive, send)
            return
        if self._free <= 0:
            await problems.answer(Request(scope), Unavailable())(scope, receive, send)
            return
        self._free -= 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._free += 1

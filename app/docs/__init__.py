"""The API's documentation page, served whole from here: no CDN learns who reads it, and it works offline."""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

_OURS = Path(__file__).parent
_SWAGGER_UI = str(files("fastapi_offline") / "static")
# Swagger UI styles its parts inline; scripts come only from this server.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def install(app: FastAPI) -> None:
    app.add_route("/docs", _page, include_in_schema=False)
    app.add_route("/docs/start.js", _start, include_in_schema=False)
    app.mount("/docs/ui", StaticFiles(directory=_SWAGGER_UI))


async def _page(_: Request) -> Response:
    return FileResponse(
        _OURS / "index.html", headers={"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
    )


async def _start(_: Request) -> Response:
    return FileResponse(_OURS / "start.js", media_type="text/javascript")

"""The application: wires, decides nothing."""

import gc
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import VERSION, docs, heads, hot, openapi, problems, telemetry
from app.admission import Admission
from app.authentication import Identity
from app.core.build import build
from app.core.cipher import Cipher, derived_key
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.core.passwords import Passwords
from app.core.throttle import Throttle
from app.core.turns import Turns
from app.jobs import housekeeping, rolling_up, sealing
from app.routers import (
    accounts,
    assignments,
    attendance,
    auth,
    calendars,
    checks,
    cities,
    declared,
    figures,
    ledger,
    metrics,
    observations,
    operations,
    payment_cards,
    plans,
    public,
    raids,
    records,
    referrals,
    reports,
    resources,
    revisions,
    seals,
    spots,
    volunteers,
)
from app.services.documents import Documents
from app.services.figure_checks import FigureChecks
from app.services.revisions import Revisions

RAID_AT_ONCE, RAID_WAIT_S = 2, 15
"""Two writes to one raid: one holds its row, and one has all ready for when it is let go (docs/adr/0014)."""


_STREET = (raids, assignments, attendance, spots, checks)
_ONLINE = (resources, observations, referrals, payment_cards, records)
_NUMBERS = (declared, plans, metrics, revisions, reports, ledger, seals, figures)
_NOUNS = (*_STREET, volunteers, accounts, cities, *_ONLINE, *_NUMBERS)
_ROUTERS = (
    *(noun.router for noun in _NOUNS),
    *(noun.secret_router for noun in (volunteers, accounts, calendars)),
    plans.file_router,
    auth.router,
    public.router,
    *(noun.public_router for noun in (calendars, figures, reports, revisions)),
    auth.well_known,
    operations.router,
)


class Narkostop(FastAPI):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._hot = hot.Hot(self)

    def openapi(self) -> dict[str, Any]:
        return self.openapi_schema or openapi.complete(super().openapi())

    def build_middleware_stack(self) -> ASGIApp:
        """Telemetry goes around Starlette's own answer to an error too: it has the same headers as any other."""
        limited = Admission(super().build_middleware_stack(), self.state.settings.max_requests_at_once)
        # uvicorn has types of its own for the same protocol.
        watched: Any = heads.Heads(telemetry.Telemetry(limited))
        return cast("ASGIApp", ProxyHeadersMiddleware(watched, self.state.settings.trusted_proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Before FastAPI's own way to its middleware, which takes longer than a hot answer does altogether."""
        if not await self._hot.answered(scope, send):
            await super().__call__(scope, receive, send)


def create_app(settings: Settings) -> FastAPI:
    """Needs `database_url` and `secret_key`; `narkostop serve` sees to both."""
    # Of the files that are running, before others take their place.
    build()
    app = Narkostop(
        title="Narkostop",
        version=VERSION,
        summary="Volunteers against drug advertising: raids, findings, referrals, and counts traced to their facts.",
        description=openapi.INFO,
        lifespan=lifespan,
        # A redirect goes to http behind a proxy that ends TLS; a path is right or it is not.
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        license_info={"name": "MIT", "identifier": "MIT"},
        # Ours is app/telemetry.py, which leaves out paths and addresses; to look for theirs took about 10 µs a request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.turns = Turns(RAID_AT_ONCE, RAID_WAIT_S)
    problems.install(app)
    for router in _ROUTERS:
        # `include_router` would build each route anew, and match its router before it, twice for each request.
        app.router.routes.extend(router.routes)
    docs.install(app)
    if settings.cors_origins:
        _let_in(app, settings.cors_origins)
    return app


def _let_in(app: FastAPI, origins: Sequence[str]) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-City"],
        expose_headers=["ETag", "Link", "Retry-After", "X-Request-Id"],
    )


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    settings: Settings = app.state.settings
    assert settings.database_url
    assert settings.secret_key
    options = DatabaseOptions(
        url=settings.database_url,
        read_connections=settings.read_connections,
        write_connections=settings.write_connections,
        statement_cache_size=settings.statement_cache_size,
        statement_timeout_ms=settings.statement_timeout_ms,
    )
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.opened(options))
        secret = settings.secret_key.get_secret_value()
        cipher = Cipher(secret)
        app.state.request_key = derived_key(secret, "idempotent requests")
        app.state.raid_key = derived_key(secret, "raids")
        app.state.card_key = derived_key(secret, "payment cards")
        app.state.database = database
        app.state.documents = Documents(database)
        app.state.revisions = Revisions(app.state.documents, settings.stream_seconds)
        app.state.figure_checks = FigureChecks(database)
        app.state.identity = Identity(settings, await housekeeping.signing_keys(database, cipher))
        app.state.passwords = Passwords()
        app.state.throttle = Throttle(
            sign_ins_per_minute=settings.sign_ins_per_minute, applications_per_hour=settings.applications_per_hour
        )
        telemetry.watch(database)
        await stack.enter_async_context(housekeeping.running(database, cipher, app.state.identity, settings))
        await stack.enter_async_context(rolling_up.running(database))
        await stack.enter_async_context(sealing.running(database))
        _calm_garbage_collection()
        yield


def _calm_garbage_collection() -> None:
    """Collecting all that was imported stops the loop for 55-95 ms a second; frozen, for 5 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)

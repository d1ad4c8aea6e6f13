"""The application: wires, decides nothing."""

import gc
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from app import VERSION, docs, problems, telemetry
from app.authentication import Identity
from app.core.cipher import Cipher
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.core.passwords import Passwords
from app.core.throttle import Throttle
from app.domain.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from app.jobs import housekeeping
from app.routers import accounts, auth, metrics, operations, public, raids, records, referrals, resources, spots, volunteers

SIGNED_IN = problems.problems(Unauthenticated, Forbidden, Invalid, Unavailable)
PUBLIC = problems.problems(Invalid, Unavailable)


def create_app(settings: Settings) -> FastAPI:
    """Needs `database_url` and `secret_key`; `narkostop serve` sees to both."""
    app = FastAPI(
        title="Narkostop",
        version=VERSION,
        summary="Volunteers against drug advertising: raids, findings, referrals, and counts traced to their facts.",
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        docs_url=None,
        redoc_url=None,
        max_body_size=settings.max_body_bytes,
        license_info={"name": "MIT", "identifier": "MIT"},
    )
    app.state.settings = settings
    problems.install(app)
    app.include_router(_v1(settings))
    app.include_router(auth.well_known)
    app.include_router(operations.router)
    docs.install(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-City"],
            expose_headers=["ETag", "Link", "Retry-After", "X-Request-Id"],
        )
    app.add_middleware(telemetry.Telemetry)
    return app


def _v1(settings: Settings) -> APIRouter:
    v1 = APIRouter(prefix="/v1")
    for router in (auth.router, public.router):
        v1.include_router(router, responses=PUBLIC)
    for module in (raids, spots, volunteers, accounts, resources, referrals, metrics):
        v1.include_router(module.router, responses=SIGNED_IN)
    v1.include_router(records.router, responses=SIGNED_IN, max_body_size=settings.max_import_bytes)
    for module in (volunteers, accounts):
        v1.include_router(module.secret_router, responses=SIGNED_IN)
    return v1


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
        cipher = Cipher(settings.secret_key.get_secret_value())
        app.state.database = database
        app.state.identity = Identity(settings, await housekeeping.signing_keys(database, cipher))
        app.state.passwords = Passwords()
        app.state.throttle = Throttle(
            sign_ins_per_minute=settings.sign_ins_per_minute, applications_per_hour=settings.applications_per_hour
        )
        telemetry.watch(database)
        await stack.enter_async_context(housekeeping.running(database, cipher, app.state.identity, settings))
        _calm_garbage_collection()
        yield


def _calm_garbage_collection() -> None:
    """Collecting all that was imported stops the loop for 55-95 ms a second; frozen, for 5 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def _operation_id(route: APIRoute) -> str:
    return route.name

"""What the process tells of itself: logs, Prometheus metrics and a request id. Never a person or a secret.

One plain ASGI layer around everything; it adds the security headers too, so that no answer is without them.
"""

import logging
import sys
import time
import traceback
from pathlib import Path

import structlog
import uuid_utils
from prometheus_client import Gauge
from sqlalchemy import AsyncAdaptedQueuePool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.database import Database
from app.counters import ANSWERED

CONNECTIONS = Gauge("narkostop_database_connections", "Connections of this process", ["pool", "state"])

# Answers are data: a browser that is shown one loads nothing and leads nowhere.
SECURITY_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-site"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
]

NOT_MODIFIED = 304
_OURS = str(Path(__file__).parent)
_REFUSED = 400
_SLOW_S = 1.0

log = structlog.get_logger("narkostop.request")


class Telemetry:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope["request_id"] = str(uuid_utils.uuid4())
        began, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    *_missing(message),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 nothing is around this but the server
            # Answered as a 500 already. The traceback is logged without its values, which may be about a person;
            # raised further, the server would print them.
            log.error("internal error", id=request_id, kind=type(error).__name__, where=_places(error))  # noqa: TRY400
        finally:
            _observe(scope, status, time.perf_counter() - began)


def _missing(message: Message) -> list[tuple[bytes, bytes]]:
    """The security headers that an answer does not set itself.

    The documentation page says what it loads, and a badge may be shown on anybody's page. Whoever is told that
    nothing changed keeps the headers of what they have (RFC 9110, section 15.4.5).
    """
    if message["status"] == NOT_MODIFIED:
        return []
    own = {name for name, _ in message["headers"]}
    return [(name, value) for name, value in SECURITY_HEADERS if name not in own]


def _places(error: BaseException) -> list[str]:
    """Our own lines on the way, and the last one whosever it is."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS)]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in [*ours, *frames[-1:]]]


def _observe(scope: Scope, status: int, seconds: float) -> None:
    """By OpenAPI's operationId, never by the path: a path has ids in it, and an attacker can make up any number."""
    operation = getattr(scope.get("route"), "name", "unknown")
    ANSWERED[operation, status].add(seconds)
    # A line for each poll of a dashboard would cost a fifth of its time and be read by nobody.
    is_usual = scope["method"] == "GET" and status < _REFUSED and seconds < _SLOW_S
    tell = log.debug if is_usual else log.info
    tell("answered", id=scope["request_id"], operation=operation, status=status, ms=round(seconds * 1000, 1))


def watch(database: Database) -> None:
    """Gauges are read when Prometheus asks, so counting connections costs requests nothing."""
    reads, writes = database.reads, database.engine.pool
    assert isinstance(writes, AsyncAdaptedQueuePool)
    CONNECTIONS.labels("read", "open").set_function(reads.open_count)
    CONNECTIONS.labels("read", "idle").set_function(reads.idle_count)
    CONNECTIONS.labels("write", "in_use").set_function(writes.checkedout)


def configure_logging(level: str) -> None:
    """JSON lines on standard error; coloured text on a terminal."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )

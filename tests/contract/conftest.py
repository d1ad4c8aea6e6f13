"""A real server in a thread, for what the in-process transport of httpx hides: sockets, framing, several clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import pytest
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from app.core.config import Settings
from app.main import create_app
from tests.city import TestCity, found_city


@dataclass(frozen=True)
class LiveServer:
    app: FastAPI
    portal: BlockingPortal
    city: TestCity
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(settings: Settings) -> Iterator[LiveServer]:
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False, ws="none"))
    with start_blocking_portal(backend_options={"use_uvloop": True}) as portal:
        running = portal.start_task_soon(server.serve)
        while not server.started:
            assert not running.done(), running.exception()
            portal.call(_a_moment)
        port = server.servers[0].sockets[0].getsockname()[1]
        with portal.wrap_async_context_manager(found_city(app)) as city:
            yield LiveServer(app, portal, city, port)
        server.should_exit = True
        running.result()


async def _a_moment() -> None:
    await anyio.sleep(0.01)


@pytest.fixture(scope="module")
def live(settings: Settings) -> Iterator[LiveServer]:
    with serving(settings) as live:
        yield live

"""Two processes serve one database: what one is told, the other says within a second."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from time import monotonic

import httpx

from app.domain.metrics import Metric
from app.domain.permissions import Role
from tests.city import TestCity
from tests.commands import started
from tests.conftest import SECRET_KEY
from tests.metrics.facts import entry

BEHIND_S = 1.0


@asynccontextmanager
async def served(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """By a process of its own, until it is left."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    settings = {"DATABASE_URL": database_url, "NARKOSTOP_SECRET_KEY": SECRET_KEY, "NARKOSTOP_PORT": f"{port}"}
    process = await started({"PATH": os.defpath, **settings}, "serve")
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", trust_env=False) as client:
            while not await answers(client):
                assert process.returncode is None
                await asyncio.sleep(0.05)
            yield client
    finally:
        process.terminate()
        await process.communicate()


async def answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/../livez")).is_success
    except httpx.TransportError:
        return False


async def told(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> httpx.Response:
    """What it says when a second is over since now; asked all the time, as a dashboard would."""
    until = monotonic() + BEHIND_S
    while True:
        began = monotonic()
        answer = await client.get(path, headers=headers)
        if began >= until:
            return answer
        await asyncio.sleep(0.05)


async def test_each_is_at_most_a_second_behind_a_commit(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    bearer = {"Authorization": analyst.headers["authorization"]}
    asked = [(f"/public/{city.id}/metrics", {}), ("/metrics", bearer)]
    async with AsyncExitStack() as stack:
        starting = (stack.enter_async_context(served(city.app.state.settings.database_url)) for _ in range(2))
        clients = await asyncio.gather(*starting)
        for total in (1, 2):
            await city.add(entry(city, metric=Metric.SIGHTINGS))
            found = await asyncio.gather(*(told(client, *each) for client in clients for each in asked))
            seen = [
                metric["total"]
                for answer in found
                for metric in answer.json()["metrics"]
                if metric["metric"] == "sightings"
            ]
            assert seen == [total] * 4
            for one, other in zip(found[:2], found[2:], strict=True):
                assert (one.content, one.headers["etag"]) == (other.content, other.headers["etag"])
        revoked = await clients[0].post("/auth/logout", headers=bearer)
        assert revoked.status_code == 204
        ended = await asyncio.gather(*(told(client, "/metrics", bearer) for client in clients))
        assert [answer.status_code for answer in ended] == [401, 401]

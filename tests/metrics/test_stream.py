"""Revisions as they come, over a connection that is held: read here as they are sent, piece by piece."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.domain.permissions import Role
from app.services import revisions
from app.services.documents import FRESH_S
from tests.city import Client, TestCity
from tests.metrics.test_polling import sighting

Event = dict[str, str]


@asynccontextmanager
async def following(
    city: TestCity, path: str, headers: dict[str, str] | None = None
) -> AsyncIterator[asyncio.Queue[bytes]]:
    """What arrives; the connection is closed with the block. httpx would wait for the end."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": f"/v1{path}",
        "raw_path": f"/v1{path}".encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
        "scheme": "http",
    }

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await pieces.put(f"{message['status']}".encode())
        else:
            await pieces.put(message["body"])

    asked = asyncio.create_task(city.app(scope, receive, send))
    try:
        yield pieces
    finally:
        gone.set()
        await asked


async def event(pieces: asyncio.Queue[bytes]) -> Event:
    async with asyncio.timeout(5):
        lines = (await pieces.get()).decode().strip().splitlines()
    return dict(line.split(": ", 1) for line in lines)


async def ended(pieces: asyncio.Queue[bytes]) -> bool:
    async with asyncio.timeout(5):
        while await pieces.get():
            pass
    return True


def bearer(client: Client) -> dict[str, str]:
    return {"Authorization": client.headers["Authorization"]}


@pytest.fixture(autouse=True)
def long_enough(city: TestCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(city.app.state.revisions, "_longest_s", 30)


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait half a second before it looks again."""
    monkeypatch.setattr(revisions, "FRESH_S", 0.02)


@pytest.mark.parametrize("is_public", [True, False])
async def test_a_commit_is_told_within_a_second(city: TestCity, *, is_public: bool):
    path = f"/public/{city.id}/metrics/stream" if is_public else "/metrics/stream"
    async with following(city, path, None if is_public else bearer(await city.as_(Role.ANALYST))) as pieces:
        assert await pieces.get() == b"200"
        first = await event(pieces)
        assert (first["event"], json.loads(first["data"])["revision"]) == ("revision", 0)
        await city.add(sighting(city))
        async with asyncio.timeout(2 * FRESH_S + 1):
            second = await event(pieces)
        said = json.loads(second["data"])
        assert said["revision"] == 1
        assert said["etag"] == f'"{second["id"]}"'

    answer = await (await city.as_(Role.ANALYST)).get("/metrics?days=0")
    assert answer.headers["etag"] == said["etag"]


async def test_a_volunteer_is_told_the_tag_of_their_own_document(city: TestCity):
    volunteer = await city.as_(Role.VOLUNTEER)
    async with following(city, "/metrics/stream", bearer(volunteer)) as pieces:
        assert await pieces.get() == b"200"
        said = json.loads((await event(pieces))["data"])
    for path in ("/metrics", "/metrics?days=0"):
        assert (await volunteer.get(path, headers={"If-None-Match": said["etag"]})).status_code == 304


@pytest.mark.usefixtures("restless")
async def test_who_comes_back_is_not_told_what_they_know(city: TestCity):
    async with following(city, f"/public/{city.id}/metrics/stream") as pieces:
        assert await pieces.get() == b"200"
        known = (await event(pieces))["id"]
    async with following(city, f"/public/{city.id}/metrics/stream", {"Last-Event-ID": known}) as pieces:
        assert await pieces.get() == b"200"
        await asyncio.sleep(0.1)
        assert pieces.empty()
        await city.add(sighting(city))
        assert json.loads((await event(pieces))["data"])["revision"] == 1


@pytest.mark.usefixtures("restless")
async def test_it_ends_when_the_token_no_longer_stands(city: TestCity, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(revisions, "ASK_AGAIN_S", 0)
    client = await city.as_(Role.ANALYST)
    async with following(city, "/metrics/stream", bearer(client)) as pieces:
        assert await pieces.get() == b"200"
        await event(pieces)
        assert (await client.post("/auth/logout")).status_code == 204
        assert await ended(pieces)


@pytest.mark.usefixtures("restless")
async def test_it_ends_after_its_time(city: TestCity, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(city.app.state.revisions, "_longest_s", 0.1)
    async with following(city, f"/public/{city.id}/metrics/stream") as pieces:
        assert await pieces.get() == b"200"
        assert await ended(pieces)


@pytest.mark.usefixtures("restless")
async def test_a_quiet_stream_shows_that_it_is_alive(city: TestCity, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(revisions, "SIGN_OF_LIFE_S", 0)
    async with following(city, f"/public/{city.id}/metrics/stream") as pieces:
        assert await pieces.get() == b"200"
        await event(pieces)
        async with asyncio.timeout(5):
            assert await pieces.get() == b": still here\n\n"


async def test_a_process_bears_only_so_many(city: TestCity, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(revisions, "MOST_AT_ONCE", 1)
    async with following(city, f"/public/{city.id}/metrics/stream") as pieces:
        assert await pieces.get() == b"200"
        await event(pieces)
        refused = await city.anonymous.get(f"/public/{city.id}/metrics/stream")
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    async with following(city, f"/public/{city.id}/metrics/stream") as pieces:
        assert await pieces.get() == b"200"


async def test_a_city_that_is_not_there_has_no_stream(city: TestCity):
    assert (await city.anonymous.get("/public/atlantis/metrics/stream")).status_code == 404

"""The polled documents as browsers and phones take them: a tenth of the bytes, and the same counts."""

import gzip
from typing import Any

import httpx
import pytest

from app.domain.permissions import Role
from tests.city import TestCity


async def raw(city: TestCity, path: str, **headers: Any) -> httpx.Response:
    """With its body as it was sent."""
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(city.app), base_url="http://test/v1") as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        body = b"".join([piece async for piece in answer.aiter_raw()])
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))


async def sent(answer: httpx.Response) -> bytes:
    return b"".join([piece async for piece in answer.aiter_raw()])


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "GZIP", "deflate,gzip ; q=1.0", "identity;q=0, gzip"])
async def test_it_is_sent_compressed_to_who_takes_that(city: TestCity, accepted: str):
    path = f"/public/{city.id}/metrics"
    plain = await raw(city, path, **{"Accept-Encoding": "identity"})
    compressed = await raw(city, path, **{"Accept-Encoding": accepted})
    assert compressed.headers["content-encoding"] == "gzip"
    body, whole = await sent(compressed), await sent(plain)
    assert gzip.decompress(body) == whole
    assert len(body) == int(compressed.headers["content-length"]) < len(whole) / 5
    assert "Accept-Encoding" in compressed.headers["vary"]
    differing = {*compressed.headers.items()} ^ {*plain.headers.items()}
    assert {name for name, _ in differing} == {"content-encoding", "content-length", "etag"}


@pytest.mark.parametrize(
    "accepted", ["", "identity", "*", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip", "\xff", ",;,q="]
)
async def test_it_is_sent_plain_to_everybody_else(city: TestCity, accepted: str):
    answer = await raw(city, f"/public/{city.id}/metrics", **{"Accept-Encoding": accepted.encode("latin-1")})
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers
    assert (await sent(answer)).startswith(b"{")


async def test_each_form_has_its_tag_and_each_tag_is_known_everywhere(city: TestCity):
    bearer = {"Authorization": (await city.as_(Role.ANALYST)).headers["authorization"]}
    forms = ("gzip", "identity")
    tags = {
        form: (await raw(city, "/metrics", **bearer, **{"Accept-Encoding": form})).headers["etag"] for form in forms
    }
    assert tags["gzip"] == f'{tags["identity"][:-1]}-gzip"'
    for form, own in tags.items():
        for known in (*tags.values(), f"W/{tags['gzip']}", f'"x", {tags["gzip"]}'):
            headers = {**bearer, "Accept-Encoding": form, "If-None-Match": known}
            hot, usual = [await raw(city, path, **headers) for path in ("/metrics", "/metrics?days=0")]
            assert (hot.status_code, usual.status_code) == (304, 304), (form, known)
            assert hot.headers["etag"] == own

"""HEAD: what GET says, but for the body."""

import pytest

from app.domain.permissions import Role
from tests.city import TestCity
from tests.client import contract
from tests.figures.published import signed

OWN = {"x-request-id"}


@pytest.mark.parametrize(
    "path",
    ["", "/districts", "/metrics", "/metrics?days=0", "/metrics?format=csv", "/metrics/findings/series", "/figures"],
)
async def test_a_public_document_has_the_headers_that_get_has(city: TestCity, path: str):
    url = f"/public/{city.id}{path}"
    plain = {"Accept-Encoding": "identity"}
    head, whole = [await city.anonymous.request(method, url, headers=plain) for method in ("HEAD", "GET")]
    assert (head.status_code, head.content) == (200, b"")
    assert {name: value for name, value in head.headers.items() if name not in OWN} == {
        name: value for name, value in whole.headers.items() if name not in OWN
    }
    assert int(head.headers["content-length"]) == len(whole.content) > 0


async def test_an_etag_is_known_to_head_too(city: TestCity):
    figure = await signed(city)
    url = f"/public/{city.id}/figures/{figure['id']}"
    tag = (await city.anonymous.head(url)).headers["etag"]
    assert (await city.anonymous.head(url, headers={"If-None-Match": tag})).status_code == 304


async def test_who_may_not_get_may_not_head(city: TestCity):
    assert (await city.anonymous.head("/ledger")).status_code == 401
    assert (await (await city.as_(Role.VOLUNTEER)).head("/ledger")).status_code == 403
    assert (await (await city.as_(Role.ANALYST)).head("/ledger")).status_code == 200


async def test_what_is_not_there_or_has_no_get_is_refused_without_a_body(city: TestCity):
    for url, status in (("/public/nowhere", 404), ("/auth/token", 405), (f"/public/{city.id}/metrics/stream", 405)):
        refused = await city.anonymous.head(url)
        assert (refused.status_code, refused.content) == (status, b"")


def test_the_document_names_no_head():
    assert not [path for path, operations in contract().spec["paths"].items() if "head" in operations]

"""Bodies that a parser can choke on: each is refused as a problem, and nothing of it is stored."""

import base64
import json
import socket
import unicodedata
from collections.abc import AsyncIterator
from itertools import count, cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.domain.permissions import Role
from app.models.raids import Raid
from app.models.volunteers import Volunteer
from tests.city import IN_WEST, TestCity, application, raid_plan
from tests.contract.conftest import LiveServer

SHARED = Path(__file__).parents[3] / "shared/data"
LIMIT = 262_144
PHONES = count(1_000_000)
PLAN = json.dumps(raid_plan(title="TITLE", capacity=5))


def with_title(literal: str) -> bytes:
    return PLAN.replace('"TITLE"', literal).encode("utf-8", "surrogatepass")


def with_capacity(literal: str) -> bytes:
    return PLAN.replace('"capacity": 5', f'"capacity": {literal}').encode()


NOT_JSON = {
    "nothing but a space": b" ",
    "one brace": b"{",
    "cut off": PLAN.encode()[:-1],
    "cut off within a string": PLAN.encode()[:20],
    "two documents": PLAN.encode() * 2,
    "a comma at the end": PLAN[:-1].encode() + b",}",
    "single quotes": PLAN.replace('"', "'").encode(),
    "a comment": b"/* */" + PLAN.encode(),
    "NaN": with_capacity("NaN"),
    "Infinity": with_capacity("Infinity"),
    "-Infinity": with_capacity("-Infinity"),
    "a float beyond a double": with_capacity("1e400"),
    "an integer of 5,000 digits": with_capacity("1" * 5_000),
    "a leading zero": with_capacity("05"),
    "hexadecimal": with_capacity("0x5"),
    "an escaped lone high surrogate": with_title(r'"\ud800"'),
    "an escaped lone low surrogate": with_title(r'"\udc00"'),
    "surrogates the wrong way round": with_title(r'"\udc00\ud800"'),
    "a surrogate in UTF-8": with_title('"\ud800"'),
    "bytes that are no UTF-8": PLAN.encode().replace(b"TITLE", b"\xff\xfe"),
    "an overlong slash": PLAN.encode().replace(b"TITLE", b"\xc0\xaf"),
    "a raw NUL": PLAN.encode().replace(b"TITLE", b"\x00"),
    "a raw newline": PLAN.encode().replace(b"TITLE", b"\n"),
    "UTF-16": PLAN.encode("utf-16"),
    "UTF-32": PLAN.encode("utf-32"),
    "a byte order mark": PLAN.encode("utf-8-sig"),
    "500 arrays": b"[" * 500 + b"]" * 500,
    "100,000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "500 objects": b'{"a":' * 500 + b"1" + b"}" * 500,
    "a name twice": with_capacity('5, "capacity": 6'),
    "a name twice, once escaped": with_capacity(r'5, "c\u0061pacity": 6'),
    "a name twice, deep down": with_capacity('5, "point": {"latitude": 43, "latitude": 44, "longitude": 77}'),
}
NO_PLAN = {
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a text": b'"raid"',
    "a list": b"[]",
    "an empty object": b"{}",
    "a list of one": f"[{PLAN}]".encode(),
    "an escaped NUL": with_title(r'"\u0000"'),
    "2**31": with_capacity(str(2**31)),
    "2**63": with_capacity(str(2**63)),
    "10**400": with_capacity("1" + "0" * 400),
    "minus zero": with_capacity("-0"),
    "__proto__": with_capacity('5, "__proto__": {"admin": true}'),
}


async def plan(city: TestCity, body: Any, content_type: str | None = "application/json") -> httpx.Response:
    headers = {"Content-Type": content_type} if content_type else {}
    return await (await city.as_(Role.COORDINATOR)).post("/raids", content=body, headers=headers)


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    return response.json()


async def test_the_body_that_all_of_these_spoil_is_a_good_one(city: TestCity):
    assert (await plan(city, PLAN.encode())).status_code == 201


@pytest.mark.parametrize("name", NOT_JSON)
async def test_what_is_not_json_is_refused(city: TestCity, name: str):
    refused = problem(await plan(city, NOT_JSON[name]))

    assert (refused["status"], refused["code"]) == (422, "invalid")
    assert [(error["code"], error["pointer"]) for error in refused["errors"]] == [("invalid_json", "/body")]
    assert await city.count(Raid) == 0


@pytest.mark.parametrize("name", NO_PLAN)
async def test_json_that_is_no_plan_is_refused(city: TestCity, name: str):
    refused = problem(await plan(city, NO_PLAN[name]))

    assert refused["status"] == 422
    assert all(error["pointer"].startswith("/body") for error in refused["errors"])
    assert "invalid_json" not in {error["code"] for error in refused["errors"]}
    assert await city.count(Raid) == 0


async def test_an_empty_body_is_missing(city: TestCity):
    refused = problem(await plan(city, b""))
    assert [(error["code"], error["pointer"]) for error in refused["errors"]] == [("missing", "/body")]


@pytest.mark.parametrize(
    "content_type",
    [None, "", "json", "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded", "a" * 8_000],
)
async def test_another_media_type_is_named_with_the_right_one(city: TestCity, content_type: str | None):
    response = await plan(city, PLAN.encode(), content_type)

    assert (response.status_code, problem(response)["code"]) == (415, "unsupported_media_type")
    assert response.headers["accept"] == "application/json"
    assert response.json()["detail"] == "Send the body as application/json."
    assert await city.count(Raid) == 0


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_the_media_type_may_be_written_in_any_way(city: TestCity, content_type: str):
    assert (await plan(city, PLAN.encode(), content_type)).status_code == 201


async def test_a_sign_in_is_a_form_and_not_json(city: TestCity):
    refused = await city.anonymous.post(
        "/auth/token", json={"grant_type": "password", "username": "a", "password": "b"}
    )
    assert (refused.status_code, refused.headers["accept"]) == (415, "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "form",
    [b"%", b"grant_type", b"&&&&", b"grant_type=password&username=%00&password=x", b"grant_type=password&username=%ff"],
)
async def test_an_odd_form_is_refused(city: TestCity, form: bytes):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = problem(await city.anonymous.post("/auth/token", content=form, headers=headers))
    assert refused["status"] in {400, 401, 422}


async def test_a_body_where_none_belongs_is_ignored(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    listed = await coordinator.request("GET", "/raids", content=b"{", headers={"Content-Type": "application/json"})
    assert listed.status_code == 200


@pytest.mark.parametrize("size", [LIMIT + 1, 2 * LIMIT])
async def test_a_body_over_the_limit_is_refused(city: TestCity, size: int):
    refused = problem(await plan(city, PLAN.encode().ljust(size)))
    assert (refused["status"], refused["code"]) == (413, "body_too_large")
    assert await city.count(Raid) == 0


async def test_a_body_at_the_limit_is_taken(city: TestCity):
    assert (await plan(city, PLAN.encode().ljust(LIMIT))).status_code == 201


async def test_a_body_that_comes_in_pieces_is_refused_as_soon_as_it_is_too_large(city: TestCity):
    sent = 0

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 10_000
            yield b" " * 10_000

    refused = problem(await plan(city, without_end()))
    assert (refused["status"], refused["code"]) == (413, "body_too_large")
    assert sent <= LIMIT + 10_000


async def test_a_body_over_the_limit_is_refused_where_no_body_belongs_too(city: TestCity):
    raid = (await plan(city, PLAN.encode())).json()
    coordinator = await city.as_(Role.COORDINATOR)
    refused = problem(await coordinator.post(f"/raids/{raid['id']}/publish", content=b" " * (LIMIT + 1)))
    assert refused["status"] == 413
    assert (await city.one(Raid, raid["id"])).status == "draft"


RAW = {
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length that is no number": b"Content-Length: many\r\n\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk that is no chunk": b"Transfer-Encoding: chunked\r\n\r\nZ\r\n",
    "a header without a colon": b"Oops\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_broken_framing_is_refused_and_the_server_lives_on(live: LiveServer, name: str):
    head = b"POST /v1/raids HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n"
    assert status_of(live, head + RAW[name]) in {400, 401}
    assert httpx.get(f"{live.url}/livez").status_code == 200


def test_a_client_that_hangs_up_in_its_body_writes_nothing(live: LiveServer):
    coordinator = live.portal.call(live.city.as_, Role.COORDINATOR)
    head = f"POST /v1/raids HTTP/1.1\r\nHost: test\r\nAuthorization: {coordinator.headers['Authorization']}\r\n"
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(
            head.encode() + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + PLAN.encode()
        )
    assert httpx.get(f"{live.url}/livez").status_code == 200
    assert live.portal.call(live.city.count, Raid) == 0


def status_of(live: LiveServer, request: bytes) -> int:
    with socket.create_connection(("127.0.0.1", live.port), timeout=5) as connection:
        connection.sendall(request)
        return int(connection.recv(1_000).split(b" ", 2)[1])


def shared(name: str) -> Path:
    if not (SHARED / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    return SHARED / name


async def test_the_json_test_suite_is_refused_to_the_last(city: TestCity):
    """Valid ones too: none of its 318 documents is a plan of a raid."""
    lines = shared("json-test-suite.jsonl").read_text().splitlines()
    assert len(lines) == 318
    for line in lines:
        case = json.loads(line)
        refused = problem(await plan(city, base64.b64decode(case["base64"])))
        assert refused["status"] == 422, case["name"]
        if case["name"].startswith("n_"):
            assert refused["errors"][0]["code"] in {"invalid_json", "missing"}, case["name"]
    assert await city.count(Raid) == 0


async def test_naughty_strings_come_back_as_they_were_or_not_at_all(city: TestCity):
    naughty: list[str] = json.loads(shared("naughty-strings.json").read_text())
    assert len(naughty) == 515
    kept = [await comes_back(city, text) for text in naughty]
    assert sum(kept) > 450
    takers = cycle((as_a_wall, as_an_address, as_a_name))
    for text in (text for text, is_kept in zip(naughty, kept, strict=True) if is_kept):
        await next(takers)(city, text)


async def comes_back(city: TestCity, text: str) -> bool:
    """False where it is refused."""
    coordinator = await city.as_(Role.COORDINATOR)
    planned = await coordinator.post("/raids", json=raid_plan(title=text, meeting_point=text))
    if planned.status_code == 422:
        assert {error["code"] for error in problem(planned)["errors"]} <= {"too_short", "too_long", "text_control"}
        return False
    raid = planned.json()
    assert [raid["title"], raid["meeting_point"]] == [stored(text)] * 2
    return True


async def as_a_wall(city: TestCity, text: str) -> None:
    seen = {"point": IN_WEST, "kind": "stencil", "seen_at": "2026-01-01T00:00:00Z"}
    words = dict.fromkeys(("surface", "address", "advertised", "note"), text)
    sighting = (await (await city.as_(Role.COORDINATOR)).post("/sightings", json={**seen, **words})).json()
    assert {sighting[field] for field in words} == {stored(text)}


async def as_an_address(city: TestCity, text: str) -> None:
    address = f"https://{uuid4().hex}.kz/{text}"
    found = await (await city.as_(Role.MODERATOR)).post("/findings", json={"address": address, "note": text})
    if found.status_code == 201:
        assert [found.json()["note"], found.json()["address_typed"]] == [stored(text), stored(address)]


async def as_a_name(city: TestCity, text: str) -> None:
    form = application(given_name=text, family_name=text, phone=f"+7701{next(PHONES):07}")
    answer = await city.anonymous.post(f"/public/{city.id}/volunteers", json=form)
    if answer.status_code == 202:
        volunteer = await city.one(Volunteer, answer.json()["id"])
        assert {volunteer.given_name, volunteer.family_name} == {stored(text)}


def stored(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()

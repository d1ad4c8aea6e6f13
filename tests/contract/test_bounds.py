"""Values, parameters, headers and paths at and beyond their bounds."""

import asyncio
import unicodedata
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from app.core.config import Settings
from app.domain.permissions import Role
from app.main import create_app
from app.models.raids import Raid
from tests.city import TestCity, application, raid_plan
from tests.contract.conftest import LiveServer

NUMBERS = [2**31, 2**63, -1, 0, 501, 10**400, True, "5", 5.0, 5.5, None, [5], {}]
MOMENTS = [
    "2026-12-05T10:00:00",
    "2026-12-05",
    "2026-12-05 10:00:00Z",
    "2026-12-05T10:00Z",
    "2026-12-05T10:00:00+05",
    "2026-12-05T10:00:00+0500",
    "2026-12-05T10:00:00+25:00",
    "2026-12-05T24:00:00Z",
    "2026-12-05T25:00:00Z",
    "2026-06-30T23:59:60Z",
    "2026-02-30T10:00:00Z",
    "0001-01-01T00:00:00Z",
    "1999-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "1780000000",
    "P1D",
    "now",
    "٢٠٢٦-12-05T10:00:00Z",
    1780000000,
    1780000000.5,
    True,
    None,
    "",
]
DAYS = ["2005-02-30", "2005-3-14", "14.03.2005", "20050314", "2005-03-14T00:00:00Z", "1110000000", 1110000000, None, ""]
COORDINATES = [90.1, -90.1, 1e308, -1e308, "43.2", True, None, [43.2]]
IDS = ["", "1", "null", "00000000-0000-0000-0000-00000000000g", "../../etc/passwd", 1, True, [], "a" * 10_000]
CONTROLS = ["\x00", "\x01", "\x07", "\x1b[31m", "\x7f", "\x85", "a\rb", "\u0090"]


async def plan(city: TestCity, **changes: Any) -> httpx.Response:
    return await (await city.as_(Role.COORDINATOR)).post("/raids", json=raid_plan(**changes))


def pointers(response: httpx.Response) -> set[str]:
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    return {error["pointer"] for error in response.json()["errors"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [("capacity", number) for number in NUMBERS]
    + [(field, moment) for field in ("starts_at", "ends_at") for moment in MOMENTS]
    + [("id", wrong) for wrong in IDS]
    + [("title", text) for text in ["", " ", "\n\t", "a" * 121, "\u0958" * 61, 1, None, *(f"a{c}b" for c in CONTROLS)]],
)
async def test_a_field_out_of_bounds_is_refused_by_its_name(city: TestCity, field: str, value: object):
    assert pointers(await plan(city, **{field: value})) == {f"/body/{field}"}
    assert await city.count(Raid) == 0


@pytest.mark.parametrize("value", COORDINATES)
@pytest.mark.parametrize("field", ["latitude", "longitude"])
async def test_a_coordinate_out_of_bounds_is_refused(city: TestCity, field: str, value: object):
    if value in (90.1, -90.1) and field == "longitude":
        value = value * 2
    refused = await plan(city, point={"latitude": 43.5, "longitude": 76.5, field: value})
    assert pointers(refused) == {f"/body/point/{field}"}


@pytest.mark.parametrize("day", DAYS)
async def test_a_day_is_a_full_date(city: TestCity, day: object):
    refused = await city.anonymous.post(f"/public/{city.id}/volunteers", json=application(birth_on=day))
    assert pointers(refused) == {"/body/birth_on"}


async def test_an_empty_list_where_one_is_needed_is_refused_with_its_limit(city: TestCity):
    refused = await city.anonymous.post(f"/public/{city.id}/volunteers", json=application(programmes=[]))
    assert pointers(refused) == {"/body/programmes"}
    assert refused.json()["errors"][0]["detail"] == "Too short or empty: at least 1."


async def test_every_fault_is_named_at_once_and_what_was_sent_is_not_repeated(city: TestCity):
    refused = await plan(city, capacity="secret", title=7, surprise="secret", **{"a/b~c": 1})
    assert pointers(refused) == {"/body/capacity", "/body/title", "/body/surprise", "/body/a~1b~0c"}
    assert "secret" not in refused.text


async def test_length_is_counted_after_nfc(city: TestCity):
    """One Devanagari letter becomes two: 60 fit into 120, 61 do not."""
    planned = await plan(city, title="\u0958" * 60)
    assert planned.json()["title"] == unicodedata.normalize("NFC", "\u0958" * 60)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=", "limit"),
        ("limit=1.0", "limit"),
        ("limit=1_0", "limit"),
        ("limit=%201", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=nan", "limit"),
        ("limit=9223372036854775808", "limit"),
        ("limit=" + "1" * 5_000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("after=garbage", "after"),
        ("after=", "after"),
        ("after=%00", "after"),
        ("status=asleep", "status"),
        ("status=", "status"),
        ("status=open&status=done", "status"),
        ("district=%00", "district"),
        ("district=" + "a" * 33, "district"),
        ("district=", "district"),
        ("district=%ff", None),
        ("colour=red", "colour"),
        ("LIMIT=1", "LIMIT"),
        ("limit[]=1", "limit[]"),
        ("=", ""),
        ("%00", "\x00"),
    ],
)
async def test_a_query_is_read_to_the_letter(city: TestCity, query: str, pointer: str | None):
    answered = await (await city.as_(Role.COORDINATOR)).get(f"/raids?{query}")
    if pointer is None:
        assert answered.json()["items"] == []
    else:
        assert pointers(answered) == {f"/query/{pointer}"}


async def test_every_fault_of_a_query_is_named_at_once(city: TestCity):
    refused = await (await city.as_(Role.COORDINATOR)).get("/raids?colour=red&limit=0&status=asleep&after=1&after=2")
    assert pointers(refused) == {"/query/colour", "/query/limit", "/query/status", "/query/after"}
    refused = await (await city.as_(Role.ANALYST)).get("/metrics?colour=red&days=-1")
    assert pointers(refused) == {"/query/colour", "/query/days"}


@pytest.mark.parametrize(
    "query", ["from=2026-13-01", "from=1780000000", "to=9999-12-31", "days=367", "days=-1", "days=1e2"]
)
async def test_the_range_of_the_metrics_is_bounded(city: TestCity, query: str):
    refused = await (await city.as_(Role.ANALYST)).get(f"/metrics?{query}")
    assert pointers(refused) == {f"/query/{query.partition('=')[0]}"}


@pytest.mark.parametrize("raid_id", ["1", "null", "%00", "%ff", "' OR 1=1", "0" * 10_000, "%F0%9F%92%A9", "*"])
async def test_an_id_in_the_path_is_a_uuid(city: TestCity, raid_id: str):
    coordinator = await city.as_(Role.COORDINATOR)
    assert pointers(await coordinator.get(f"/raids/{raid_id}")) == {"/path/raid_id"}
    assert pointers(await coordinator.post(f"/raids/{raid_id}/publish")) == {"/path/raid_id"}


@pytest.mark.parametrize("city_id", ["A", "a", "a" * 33, "%00", "almaty%0A", "алматы"])
async def test_a_city_in_the_path_is_a_short_name(city: TestCity, city_id: str):
    assert pointers(await city.anonymous.get(f"/public/{city_id}")) == {"/path/city_id"}


@pytest.mark.parametrize(
    "path", ["/%00", "/%2e%2e/%2e%2e/etc/passwd", "//", "/" + "a" * 10_000, "/v2", "/raids/", "/%ff"]
)
async def test_an_unknown_path_is_a_problem(city: TestCity, path: str):
    unknown = await city.anonymous.get(path)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_path")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "FOO"])
async def test_a_method_that_a_path_does_not_take_is_named_with_those_it_takes(city: TestCity, method: str):
    refused = await (await city.as_(Role.COORDINATOR)).request(method, "/raids")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, POST"
    assert refused.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "tag", ['W/"1"', "1", '"', '""', '"2"', '"1", "2"', "*", '"99999999999"', '"١"', "\x7f", '"1"' * 1000]
)
async def test_an_if_match_that_is_not_the_version_changes_nothing(city: TestCity, tag: str):
    raid = (await plan(city)).json()
    coordinator = await city.as_(Role.COORDINATOR)
    refused = await coordinator.patch(f"/raids/{raid['id']}", json={"title": "X"}, headers={"If-Match": tag.encode()})
    assert (refused.status_code, refused.json()["code"]) == (412, "changed_since")
    assert (await city.one(Raid, raid["id"])).title == raid["title"]


@pytest.mark.parametrize(
    ("tag", "status"),
    [('"1"', 304), ('W/"1"', 304), ('"7", "1"', 304), ("*", 304), ('"2"', 200), ("1", 200), ("", 200), (",,W/", 200)],
)
async def test_if_none_match_is_compared_weakly_and_garbage_is_just_unknown(city: TestCity, tag: str, status: int):
    raid = (await plan(city)).json()
    coordinator = await city.as_(Role.COORDINATOR)
    read = await coordinator.get(f"/raids/{raid['id']}", headers={"If-None-Match": tag})
    assert (read.status_code, read.headers["etag"]) == (status, '"1"')


@pytest.mark.parametrize(
    ("language", "begins"), [("kk-KZ", "Табылмады"), ("ru", "Не найдено"), ("\x00;q=x", "Not found")]
)
async def test_detail_is_in_the_language_asked_for(city: TestCity, language: str, begins: str):
    headers = {"Accept-Language": language}
    unknown = await (await city.as_(Role.COORDINATOR)).get(f"/raids/{uuid4()}", headers=headers)
    assert unknown.json()["detail"].startswith(begins)
    assert unknown.headers["content-language"] in {"kk", "ru", "en"}


async def test_a_key_makes_a_retry_safe(city: TestCity):
    coordinator, key, body = await city.as_(Role.COORDINATOR), {"Idempotency-Key": str(uuid4())}, raid_plan()
    first = await coordinator.post("/raids", json=body, headers=key)
    again = await coordinator.post("/raids", json=body, headers=key)

    assert (again.status_code, again.content, again.headers["etag"]) == (201, first.content, first.headers["etag"])
    assert await city.count(Raid) == 1


async def test_a_key_belongs_to_one_request(city: TestCity):
    coordinator, key = await city.as_(Role.COORDINATOR), {"Idempotency-Key": str(uuid4())}
    await coordinator.post("/raids", json=raid_plan(), headers=key)

    for other in (
        await coordinator.post("/raids", json=raid_plan(title="Other"), headers=key),
        await coordinator.post("/sightings", json=raid_plan(), headers=key),
    ):
        assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert await city.count(Raid) == 1


async def test_two_accounts_may_use_the_same_key(city: TestCity):
    key, body = {"Idempotency-Key": "1"}, raid_plan()
    people = [await city.client_of(await city.account(Role.COORDINATOR)) for _ in range(2)]
    ids = {(await person.post("/raids", json=body, headers=key)).json()["id"] for person in people}
    assert len(ids) == 2


async def test_a_key_without_an_account_works_too(city: TestCity):
    key, form = {"Idempotency-Key": str(uuid4())}, application()
    answers = [await city.anonymous.post(f"/public/{city.id}/volunteers", json=form, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content


async def test_a_failed_request_frees_its_key(city: TestCity):
    coordinator, key = await city.as_(Role.COORDINATOR), {"Idempotency-Key": str(uuid4())}
    assert pointers(await coordinator.post("/raids", json=raid_plan(capacity=0), headers=key)) == {"/body/capacity"}
    assert (await coordinator.post("/raids", json=raid_plan(), headers=key)).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "a" * 129, "ключ", "a\x7f", "\x01"])
async def test_a_key_is_plain_and_short(city: TestCity, key: str):
    coordinator = await city.as_(Role.COORDINATOR)
    refused = await coordinator.post("/raids", json=raid_plan(), headers={"Idempotency-Key": key.encode()})
    assert pointers(refused) == {"/header/Idempotency-Key"}
    assert await city.count(Raid) == 0


async def test_twenty_at_once_with_one_key_make_one_raid(live: LiveServer, city: TestCity):
    """Over twenty connections to a real server, more than it has to the database."""
    coordinator = await city.as_(Role.COORDINATOR)
    headers = {"Authorization": coordinator.headers["Authorization"], "Idempotency-Key": str(uuid4())}
    body = raid_plan()
    async with httpx.AsyncClient(base_url=live.url, headers=headers, timeout=30) as client:
        answers = await asyncio.gather(*(client.post("/v1/raids", json=body) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await city.count(Raid) == 1


@pytest.mark.parametrize("named", [None, ""])
async def test_an_account_of_no_city_must_name_one(city: TestCity, named: str | None):
    republic = await city.client_of(await city.account(Role.ADMIN, city_id=None))
    headers = {} if named is None else {"X-City": named}
    refused = await republic.get("/raids", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "city_needed")


async def test_an_account_of_no_city_acts_in_the_one_it_names(city: TestCity):
    republic = await city.client_of(await city.account(Role.ADMIN, city_id=None))
    planned = await republic.post("/raids", json=raid_plan(), headers={"X-City": city.id})
    nowhere = await republic.post("/raids", json=raid_plan(), headers={"X-City": "nowhere"})
    assert (planned.status_code, nowhere.status_code) == (201, 404)


async def test_an_account_of_a_city_cannot_name_another(city: TestCity):
    await plan(city)
    listed = await (await city.as_(Role.COORDINATOR)).get("/raids", headers={"X-City": "elsewhere"})
    assert len(listed.json()["items"]) == 1


@pytest.mark.parametrize(
    "authorization",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic YTpi",
        b"Bearer a.b.c",
        b"Bearer " + b"a" * 8_192,
        b"Bearer \xff\xfe",
        b"\x00",
    ],
)
async def test_a_token_that_is_none_is_refused_and_the_scheme_is_named(city: TestCity, authorization: bytes):
    for response in (
        await city.anonymous.get("/raids", headers={"Authorization": authorization}),
        await city.anonymous.post("/raids", json=raid_plan(), headers={"Authorization": authorization}),
    ):
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


async def test_of_two_tokens_the_first_alone_counts(city: TestCity):
    good = (await city.as_(Role.COORDINATOR)).headers["Authorization"]
    for order, status in (((good, "Bearer x"), 200), (("Bearer x", good), 401)):
        headers = [("Authorization", value) for value in order]
        assert (await city.anonymous.get("/raids", headers=headers)).status_code == status


async def test_a_stale_token_does_not_keep_anybody_from_what_is_open(city: TestCity):
    headers = {"Authorization": "Bearer stale"}
    applied = await city.anonymous.post(f"/public/{city.id}/volunteers", json=application(), headers=headers)
    assert applied.status_code == 202


ANSWERS = [
    ("GET", "/version", 200),
    ("GET", "/nowhere", 404),
    ("DELETE", "/version", 405),
    ("GET", "/v1/raids", 401),
    ("GET", "/version?x=1", 422),
    ("POST", "/version", 405),
    ("GET", "/docs", 200),
    ("GET", "/broken", 500),
]


@pytest.fixture(scope="module")
def broken(settings: Settings) -> httpx.AsyncClient:
    """Of an application with a fault at /broken."""

    async def fault(_: object) -> None:
        raise RuntimeError("+77011234567")

    app = create_app(settings)
    app.add_route("/broken", fault)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_every_answer_has_the_security_headers_and_a_request_id(
    broken: httpx.AsyncClient, method: str, path: str, status: int
):
    answer = await broken.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "same-site"
    assert "server" not in answer.headers
    if status >= 400:
        assert answer.json()["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"


async def test_a_fault_of_ours_tells_nobody_what_it_was(broken: httpx.AsyncClient):
    with capture_logs() as logs:
        answer = await broken.get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "+77011234567" not in answer.text + str(logs)
    assert any("test_bounds.py" in place for log in logs for place in log.get("where", []))


async def test_the_log_and_the_metrics_tell_nothing_of_a_person(city: TestCity):
    form = application(given_name="Қарлығаш", phone="+77017654321")
    with capture_logs() as logs:
        await city.anonymous.post(f"/public/{city.id}/volunteers", json=form)
        await city.anonymous.post(f"/public/{city.id}/volunteers", json=form | {"birth_on": "Қарлығаш"})
        await city.anonymous.post(
            "/auth/token", data={"grant_type": "password", "username": "+77017654321", "password": "hunter2"}
        )
        await city.anonymous.get("/raids", headers={"Authorization": "Bearer secret.token"})
        await city.anonymous.get("/nowhere/+77017654321?phone=+77017654321")

    assert len(logs) == 5
    told = str(logs) + generate_latest().decode()
    assert [
        word for word in ("Қарлығаш", "7654321", "hunter2", "secret.token", "nowhere", city.id) if word in told
    ] == []


async def test_made_up_paths_and_methods_add_no_label_values(city: TestCity):
    await city.anonymous.request("FOO", "/first")
    before = generate_latest().count(b"\n")
    for number in range(20):
        await city.anonymous.request(f"FOO{number}", f"/{uuid4()}")
        await city.anonymous.get(f"/public/made-up-{number}")
    assert generate_latest().count(b"\n") <= before + 20


@pytest.mark.parametrize("origins", [(), ("https://app.kz",)])
async def test_browsers_elsewhere_are_let_in_only_where_they_are_named(settings: Settings, origins: tuple[str, ...]):
    app = create_app(settings.model_copy(update={"cors_origins": origins}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        ask = {"Origin": "https://app.kz", "Access-Control-Request-Method": "POST"}
        preflight = await client.options("/v1/raids", headers=ask)
        stranger = await client.options("/v1/raids", headers={**ask, "Origin": "https://evil.kz"})

    assert preflight.headers.get("access-control-allow-origin") == (origins[0] if origins else None)
    assert "access-control-allow-origin" not in stranger.headers
    assert "access-control-allow-credentials" not in preflight.headers
    assert preflight.headers["x-content-type-options"] == "nosniff"

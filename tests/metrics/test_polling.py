"""What dashboards ask for all the time: bytes of one revision, and still judged by the token each time."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine

from app import hot
from app.core.build import build
from app.domain.metrics import Metric
from app.domain.permissions import Role
from app.hot import BELIEVED_S
from app.main import create_app
from app.models.accounts import Account
from app.models.ledger import LedgerEntry
from app.schemas.metrics import MetricsQuery
from app.services import metrics, sums
from app.services.documents import FRESH_S, Documents
from app.services.metrics import Asked
from tests.city import Client, TestCity
from tests.metrics.facts import entry


def sighting(city: TestCity) -> LedgerEntry:
    return entry(city, metric=Metric.SIGHTINGS)


def seen(answer: httpx.Response) -> int:
    return next(item["total"] for item in answer.json()["metrics"] if item["metric"] == "sightings")


@pytest.fixture
def asked(city: TestCity, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of reads, as they are sent to the database."""
    statements: list[str] = []
    fetch = city.database.fetch

    async def listed(sql: str, *arguments: object) -> Any:
        statements.append(sql)
        return await fetch(sql, *arguments)

    monkeypatch.setattr(city.database, "fetch", listed)
    return statements


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """So many seconds, by the clock that says how long something is believed."""
    monotonic = time.monotonic

    def later(seconds: float) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + seconds)

    return later


@pytest.fixture(params=["/metrics", "/metrics?days=0"], ids=["hot", "filtered"])
def path(request: pytest.FixtureRequest) -> str:
    """Both ways through the house give the same answer."""
    return request.param


async def test_an_unchanged_document_is_not_sent_again(city: TestCity, path: str):
    analyst = await city.as_(Role.ANALYST)
    await city.add(sighting(city))
    first = await analyst.get(path)
    assert (first.status_code, seen(first), first.headers["cache-control"]) == (200, 1, "private, max-age=1")
    assert first.headers["vary"] == "Authorization, X-City, Accept-Encoding"

    again = await analyst.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


async def test_a_commit_is_seen_within_a_second(city: TestCity, path: str):
    analyst = await city.as_(Role.ANALYST)
    etag = (await analyst.get(path)).headers["etag"]
    await city.add(sighting(city))
    await asyncio.sleep(FRESH_S)
    changed = await analyst.get(path, headers={"If-None-Match": etag})
    assert (changed.status_code, seen(changed)) == (200, 1)
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize("known", ["W/{}", '"x", {}', "*", ' {} , "y"'])
async def test_every_form_of_the_tag_is_understood(city: TestCity, path: str, known: str):
    analyst = await city.as_(Role.ANALYST)
    etag = (await analyst.get(path)).headers["etag"]
    answer = await analyst.get(path, headers={"If-None-Match": known.format(etag)})
    assert answer.status_code == 304


@pytest.mark.parametrize("garbage", ["", '"', "x" * 5_000, '"0-0-20000101"', "\xff", "W/", ",,,"])
async def test_garbage_is_just_not_known(city: TestCity, path: str, garbage: str):
    analyst = await city.as_(Role.ANALYST)
    answer = await analyst.get(path, headers={"If-None-Match": garbage.encode("latin-1")})
    assert answer.status_code == 200


async def test_both_ways_have_the_same_headers_and_content(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    plain = {"Accept-Encoding": "identity"}
    hot, usual = [await analyst.get(path, headers=plain) for path in ("/metrics", "/metrics?days=0")]
    assert hot.content == usual.content
    # Its line in a log; the other has none.
    assert len(usual.headers.pop("x-request-id")) == 36
    assert sorted(hot.headers.items()) == sorted(usual.headers.items())


@pytest.mark.parametrize(("query", "its_own"), [("", set()), ("?days=30", {"x-request-id"})])
async def test_an_unchanged_document_says_no_more_than_that(city: TestCity, query: str, its_own: set[str]):
    """RFC 9110, section 15.4.5: what else there is to say was said with the document."""
    analyst = await city.as_(Role.ANALYST)
    tag = (await analyst.get(f"/metrics{query}")).headers["etag"]
    unchanged = await analyst.get(f"/metrics{query}", headers={"If-None-Match": tag})
    assert unchanged.status_code == 304
    assert unchanged.headers.keys() == {"etag", "cache-control", "vary"} | its_own


async def test_who_sees_more_now_is_not_told_that_nothing_changed(city: TestCity):
    volunteer, analyst = await city.as_(Role.VOLUNTEER), await city.as_(Role.ANALYST)
    for path in ("/metrics", "/metrics?days=1"):
        known = {"If-None-Match": (await volunteer.get(path)).headers["etag"]}
        assert (await volunteer.get(path, headers=known)).status_code == 304
        assert (await analyst.get(path, headers=known)).status_code == 200


async def test_another_version_of_the_program_has_other_tags(city: TestCity, monkeypatch: pytest.MonkeyPatch):
    before = await sums.standing_of(city.database, None, city.id)
    assert before.etag.startswith(f'"{build()}-')
    monkeypatch.setattr(sums, "build", lambda: "another")
    assert (await sums.standing_of(city.database, None, city.id)).etag == before.etag.replace(build(), "another")


async def test_a_known_revision_is_not_counted_again_with_a_filter_either(
    city: TestCity, monkeypatch: pytest.MonkeyPatch
):
    analyst = await city.as_(Role.ANALYST)
    paths = ["/metrics?days=3", f"/public/{city.id}/metrics?days=3"]
    tags = [(await analyst.get(path)).headers["etag"] for path in paths]
    another = create_app(city.app.state.settings)
    async with another.router.lifespan_context(another), Client(another, analyst.headers) as elsewhere:
        monkeypatch.setattr(metrics, "document", None)
        for path, tag in zip(paths, tags, strict=True):
            assert (await elsewhere.get(path, headers={"If-None-Match": tag})).status_code == 304


async def test_a_second_token_beside_the_first_is_not_taken_for_it(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    doubled = [("Authorization", analyst.headers["authorization"]), ("Authorization", "Bearer another")]
    for headers in (doubled, doubled[1:]):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(city.app), base_url="http://test/v1") as client:
            answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == 401


async def test_a_document_is_counted_once_however_many_ask(
    city: TestCity, asked: list[str], later: Callable[[float], None]
):
    client = city.anonymous
    await client.get(f"/public/{city.id}/metrics")
    await city.add(sighting(city))
    later(FRESH_S)
    asked.clear()
    answers = await asyncio.gather(*(client.get(f"/public/{city.id}/metrics") for _ in range(50)))
    assert {seen(answer) for answer in answers} == {1}
    # The revision, and all counts in one snapshot.
    assert len(asked) == 2


async def test_the_public_document_has_a_tag_of_its_own_address_and_may_be_shared(city: TestCity):
    answer = await city.anonymous.get(f"/public/{city.id}/metrics")
    assert answer.headers["cache-control"] == "public, max-age=1"
    again = await city.anonymous.get(f"/public/{city.id}/metrics", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_a_token_that_no_longer_stands_is_refused_within_a_second(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    assert (await analyst.get("/metrics")).status_code == 200
    assert (await analyst.post("/auth/logout")).status_code == 204
    await asyncio.sleep(BELIEVED_S)
    assert (await analyst.get("/metrics")).status_code == 401
    # With a filter it is asked each time.
    assert (await analyst.get("/metrics?days=0")).status_code == 401


async def test_a_token_of_another_role_is_told_why(city: TestCity, later: Callable[[float], None]):
    account = await city.account(Role.ANALYST)
    client = await city.client_of(account)
    assert (await client.get("/metrics")).status_code == 200
    async with city.database.transaction() as session:
        row = await session.get_one(Account, account.id)
        row.authz_version += 1
    later(BELIEVED_S)
    assert (await client.get("/metrics")).json()["code"] == "token_superseded"


@pytest.mark.parametrize("place", ["%00", "Almaty", "a/b", "%2e", "-", "x" * 33])
async def test_what_is_no_name_of_a_city_is_refused_as_anywhere_else(city: TestCity, place: str):
    answer = await city.anonymous.get(f"/public/{place}/metrics")
    assert (answer.status_code, answer.json()["code"]) in {(422, "invalid"), (404, "no_such_path")}


async def test_who_asks_the_public_ways_for_ever_holds_up_nobody_else(city: TestCity):
    documents: Documents = city.app.state.documents
    go_on = asyncio.Event()
    asked = [asyncio.create_task(documents.shared(number, go_on.wait)) for number in range(50)]
    analyst = await city.as_(Role.ANALYST)
    async with asyncio.timeout(5):
        for client, path in [
            (analyst, "/metrics"),
            (analyst, "/metrics?days=7"),
            (city.anonymous, f"/public/{city.id}/metrics"),
            (city.anonymous, "http://test/metrics/programme"),
        ]:
            assert (await client.get(path)).status_code == 200, path
    go_on.set()
    assert await asyncio.gather(*asked) == [True] * 50


async def test_documents_that_nobody_asks_for_any_more_give_up_their_room(city: TestCity):
    documents = city.app.state.documents = Documents(city.database, most_kept_bytes=20_000)
    for day in range(1, 10):
        answer = await city.anonymous.get(f"/public/{city.id}/metrics?from=2026-01-0{day}")
        assert answer.status_code == 200
    assert 0 < documents.kept_bytes <= 20_000


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}])
async def test_without_a_good_token_there_is_nothing(city: TestCity, header: dict[str, str]):
    assert (await city.anonymous.get("/metrics", headers=header)).status_code == 401


async def test_a_page_of_another_origin_gets_its_answer_from_where_that_is_decided(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    assert (await analyst.get("/metrics", headers={"Origin": "https://dashboard.example"})).status_code == 200


async def test_many_who_send_one_token_ask_the_database_once(
    city: TestCity, asked: list[str], later: Callable[[float], None]
):
    analyst = await city.as_(Role.ANALYST)
    await analyst.get("/metrics")
    later(BELIEVED_S)
    asked.clear()
    answers = await asyncio.gather(*(analyst.get("/metrics") for _ in range(200)))
    assert {answer.status_code for answer in answers} == {200}
    # Whether the token stands, and the revision.
    assert len(asked) == 2


@pytest.mark.parametrize(("at_once", "questions"), [(hot.LOOKED_UP_AT_ONCE, 0), (0, 1)])
async def test_what_is_too_much_to_look_up_goes_the_usual_way(
    city: TestCity, asked: list[str], monkeypatch: pytest.MonkeyPatch, at_once: int, questions: int
):
    """There it is counted with all other requests, and refused when they are too many."""
    monkeypatch.setattr(hot, "LOOKED_UP_AT_ONCE", at_once)
    analyst = await city.as_(Role.ANALYST)
    before = await analyst.get("/metrics")
    asked.clear()
    again = await analyst.get("/metrics")
    assert (len(asked), again.content) == (questions, before.content)


async def test_what_was_counted_later_than_it_was_asked_for_is_not_counted_again(city: TestCity):
    documents: Documents = city.app.state.documents
    asked = Asked(city.id, MetricsQuery(), is_public=True)
    before = await documents.standing(city.id)
    await city.add(sighting(city))
    counted = await documents.get(asked, before)
    assert counted.etag != before.etag
    assert (await documents.standing(city.id)).etag == counted.etag
    assert await documents.polled(asked) is counted
    assert documents.fresh_until(asked, counted) > 0


async def test_what_was_counted_for_yesterday_is_not_todays_document(city: TestCity):
    """As when it waited for its turn over midnight."""
    documents = Documents(city.database)
    asked = Asked(city.id, MetricsQuery(), is_public=True)
    today = await documents.standing(city.id)
    late = await documents.get(asked, replace(today, today=today.today - timedelta(days=1)))
    assert json.loads(late.json)["today"] < f"{today.today}"
    assert late.etag != today.etag
    assert json.loads((await documents.get(asked, today)).json)["today"] == f"{today.today}"


async def test_a_token_is_not_believed_beyond_its_end(city: TestCity):
    issued_at = datetime.now(UTC).replace(microsecond=0)
    with time_machine.travel(issued_at):
        analyst = await city.as_(Role.ANALYST)
    with time_machine.travel(issued_at + timedelta(minutes=14, seconds=59, milliseconds=800)):
        assert (await analyst.get("/metrics")).status_code == 200
    await asyncio.sleep(0.3)
    with time_machine.travel(issued_at + timedelta(minutes=15, seconds=1)):
        assert (await analyst.get("/metrics")).status_code == 401


async def test_both_ways_are_counted_for_prometheus(city: TestCity):
    async def counted() -> dict[str, float]:
        text = (await city.anonymous.get("http://test/metrics")).text
        lines = (line.rpartition(" ") for line in text.splitlines() if "get_metrics" in line)
        return {name.partition("narkostop_http_request")[2]: float(value) for name, _, value in lines}

    analyst = await city.as_(Role.ANALYST)
    await analyst.get("/metrics")
    before = await counted()
    etag = (await analyst.get("/metrics")).headers["etag"]
    await analyst.get("/metrics?days=0")
    assert (await analyst.get("/metrics", headers={"If-None-Match": etag})).status_code == 304
    after = await counted()
    risen = {name: value - before.get(name, 0) for name, value in after.items()}
    assert risen['s_total{operation="get_metrics",status="200"}'] == 2
    assert risen['s_total{operation="get_metrics",status="304"}'] == 1
    assert risen['_seconds_count{operation="get_metrics"}'] == 3
    assert risen['_seconds_bucket{le="+Inf",operation="get_metrics"}'] == 3
    assert 0 < risen['_seconds_sum{operation="get_metrics"}'] < 3
    steps = [value for name, value in after.items() if name.startswith("_seconds_bucket")]
    assert steps == sorted(steps)

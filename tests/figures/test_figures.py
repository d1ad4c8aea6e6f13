"""A number is drafted by one, signed by another, and gives the same answer for ever."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI

from app.domain.ledger import Entry
from app.domain.metrics import Metric, Origin
from app.domain.permissions import AccountKind, Role
from app.models.accounts import Account
from app.models.figures import Figure
from app.models.ledger import LedgerEntry
from tests.city import TestCity
from tests.figures.published import TITLES, drafted, sign, signed
from tests.metrics.facts import DAY, entry
from tests.seals.sealing import fact


def public(city: TestCity, figure: dict[str, Any], part: str = "") -> str:
    return f"/public/{city.id}/figures/{figure['id']}{part}"


async def test_a_figure_goes_from_draft_to_its_public_page(city: TestCity):
    await city.add(entry(city, 7), entry(city, 100, origin=Origin.DECLARED))
    draft = await drafted(city)
    assert (draft["status"], draft["value"], draft["digest"], draft["words"]) == ("draft", None, None, None)
    assert (await city.anonymous.get(public(city, draft))).status_code == 404
    analyst = await city.as_(Role.ANALYST)
    preview = (await analyst.get(f"/figures/{draft['id']}/check")).json()
    assert (preview["outcome"], preview["signed"], preview["recomputed"]["value"]) == (None, None, 107)
    made = (await sign(analyst, draft["id"], 107)).json()
    page = (await city.anonymous.get(public(city, draft))).json()
    assert {name: made[name] for name in page} == page
    assert "drafted_by" not in page
    assert (page["status"], page["value"], page["recorded"], page["declared"]) == ("signed", 107, 7, 100)
    assert page["words"]["definition"]["en"].startswith("Inscriptions that crews of finished raids recorded")
    listed = (await city.anonymous.get(f"/public/{city.id}/figures")).json()["items"]
    assert listed == [page]


async def test_the_digest_is_that_of_the_entries_canonical_lines(city: TestCity):
    await city.add(entry(city, 1, occurred_on=DAY + timedelta(days=1)), entry(city, 2), entry(city, 4))
    figure = await signed(city)
    rows = sorted(await city.rows(LedgerEntry), key=lambda row: (row.occurred_on, row.id))
    lines = [Entry(*(getattr(row, name) for name in Entry._fields)).canonical() + b"\n" for row in rows]
    assert (figure["entries"], figure["digest"]) == (3, sha256(b"".join(lines)).hexdigest())


@pytest.mark.parametrize(
    ("filters", "value"),
    [
        ({}, 117),
        ({"origin": "recorded"}, 17),
        ({"district": "west"}, 5),
        ({"from_day": "2026-03-02"}, 12),
        ({"to_day": "2026-03-01"}, 105),
        ({"from_day": "2026-03-02", "to_day": "2026-03-02", "origin": "declared"}, 0),
        ({"as_of": "2026-01-01T00:00:00Z"}, 0),
    ],
)
async def test_a_figure_counts_what_its_filters_say(city: TestCity, filters: dict[str, str], value: int):
    await city.add(
        entry(city, 5, district_id="west"),
        entry(city, 12, occurred_on=DAY + timedelta(days=1)),
        entry(city, 100, origin=Origin.DECLARED),
    )
    assert (await signed(city, **filters))["value"] == value


async def test_nobody_signs_their_own_draft_nor_does_a_service(city: TestCity):
    draft = await drafted(city)
    own = await sign(await city.as_(Role.COORDINATOR), draft["id"], 0)
    assert (own.status_code, own.json()["code"]) == (409, "own_figure")
    service = Account(city_id=city.id, login=f"{uuid4().hex}@test", role=Role.ANALYST, kind=AccountKind.SERVICE)
    await city.add(service)
    refused = await sign(await city.client_of(service), draft["id"], 0)
    assert (refused.status_code, refused.json()["code"]) == (403, "needs_person")
    assert (await sign(await city.as_(Role.ADMIN), draft["id"], 0)).status_code == 200


async def test_a_number_that_the_signer_has_not_seen_is_not_signed(city: TestCity):
    await fact(city, 7)
    draft = await drafted(city)
    analyst = await city.as_(Role.ANALYST)
    refused = await sign(analyst, draft["id"], 6)
    assert (refused.status_code, refused.json()["code"]) == (409, "other_value")
    assert "7" in refused.json()["detail"]
    assert (await analyst.get(f"/figures/{draft['id']}")).json()["status"] == "draft"


async def test_what_is_signed_twice_or_withdrawn_is_refused(city: TestCity):
    figure = await signed(city)
    analyst = await city.as_(Role.ANALYST)
    assert (await sign(analyst, figure["id"], 0)).json()["code"] == "wrong_status"
    reason = {"reason": "Counted twice"}
    assert (await analyst.post(f"/figures/{figure['id']}/withdraw", json=reason)).json()["status"] == "withdrawn"
    assert (await analyst.post(f"/figures/{figure['id']}/withdraw", json=reason)).json()["code"] == "wrong_status"
    page = (await city.anonymous.get(public(city, figure))).json()
    assert (page["status"], page["withdrawal_reason"], page["value"]) == ("withdrawn", "Counted twice", 0)
    assert (await city.anonymous.get(f"/public/{city.id}/figures")).json()["items"] == []


async def test_a_draft_that_is_withdrawn_never_was_public(city: TestCity):
    draft = await drafted(city)
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/figures/{draft['id']}/withdraw", json={"reason": "Not needed"})
    for part in ("", "/check", "/cite", "/cite.json", "/badge.svg"):
        assert (await city.anonymous.get(public(city, draft, part))).status_code == 404
    listed = (await coordinator.get("/figures", params={"status": "withdrawn"})).json()["items"]
    assert [item["id"] for item in listed] == [draft["id"]]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"metric": "volunteers_street", "district": "west"}, [("people_whole_city", "/body/district")]),
        (
            {"metric": "participants", "from_day": "2026-01-01", "to_day": "2026-01-31"},
            [("people_whole_city", "/body/from_day"), ("people_whole_city", "/body/to_day")],
        ),
        ({"district": "north"}, [("no_such_district", "/body/district")]),
        ({"from_day": "2026-02-02", "to_day": "2026-02-01"}, [("ends_before_start", "/body/to_day")]),
        ({"as_of": "2099-01-01T00:00:00Z"}, [("in_future", "/body/as_of")]),
        ({"titles": {"kk": "А", "ru": "А"}}, [("missing", "/body/titles/en")]),
    ],
)
async def test_a_draft_that_cannot_be_is_refused_with_every_reason(
    city: TestCity, changes: dict[str, Any], faults: list[tuple[str, str]]
):
    analyst = await city.as_(Role.ANALYST)
    body = {"metric": "graffiti_painted", "titles": TITLES, **changes}
    refused = await analyst.post("/figures", json=body)
    assert (refused.status_code, [(e["code"], e["pointer"]) for e in refused.json()["errors"]]) == (422, faults)


async def test_fewer_than_five_people_are_not_published(city: TestCity):
    await city.add(*(entry(city, metric=Metric.VOLUNTEERS_STREET) for _ in range(4)))
    draft = await drafted(city, metric="volunteers_street")
    refused = await sign(await city.as_(Role.ANALYST), draft["id"], 4)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_few_people")
    await fact(city, metric=Metric.VOLUNTEERS_STREET)
    assert (await signed(city, metric="volunteers_street"))["value"] == 5


async def test_minutes_are_of_those_who_have_some(city: TestCity):
    await city.add(*(entry(city, metric=Metric.PARTICIPANTS) for _ in range(9)))
    await city.add(*(entry(city, 60, metric=Metric.VOLUNTEER_MINUTES) for _ in range(4)))
    draft = await drafted(city, metric="volunteer_minutes")
    refused = await sign(await city.as_(Role.ANALYST), draft["id"], 240)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_few_people")
    await fact(city, 60, metric=Metric.VOLUNTEER_MINUTES)
    assert (await signed(city, metric="volunteer_minutes"))["value"] == 300


async def test_a_figure_waits_for_whoever_writes_since_before_its_moment(city: TestCity):
    """Their entry has an earlier moment and can be seen later: signed in between, the number would change."""
    analyst = await city.as_(Role.ANALYST)
    async with city.database.transaction() as writing:
        writing.add(entry(city, 7))
        await writing.flush()
        draft = await drafted(city)
        refused = await analyst.post(f"/figures/{draft['id']}/sign", json={"value": 0})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_settled")
    assert (await sign(analyst, draft["id"], 0)).json()["code"] == "other_value"
    assert (await sign(analyst, draft["id"], 7)).status_code == 200
    await fact(city, 5)
    check = (await analyst.get(f"/figures/{draft['id']}/check")).json()
    assert (check["outcome"], check["recomputed"]["value"], check["value_now"]) == ("differs", 7, 12)


async def test_two_who_sign_at_once_sign_once(city: TestCity):
    draft = await drafted(city)
    signers = [await city.as_(Role.ANALYST), await city.as_(Role.ADMIN)]
    answers = await asyncio.gather(*(sign(client, draft["id"], 0) for client in signers))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE figure SET value = value + 1, recorded = recorded + 1 WHERE city_id = $1",
        "UPDATE figure SET title_en = 'Other' WHERE city_id = $1",
        "DELETE FROM figure WHERE city_id = $1",
    ],
)
async def test_the_database_lets_nobody_change_a_signed_figure(app: FastAPI, city: TestCity, statement: str):
    await signed(city)
    connection = await asyncpg.connect(app.state.settings.database_url)
    try:
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(statement, city.id)
    finally:
        await connection.close()
    assert [row.value for row in await city.rows(Figure)] == [0]

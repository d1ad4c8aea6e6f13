"""A coordinator looks for somebody."""

from collections.abc import AsyncIterator
from datetime import date
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from app.core.clock import utc_now
from app.core.database import fetch_within
from app.core.ids import new_id
from app.core.ranges import half_open
from app.domain.names import KAZAKH_ALPHABET
from app.domain.permissions import Role
from app.models.accounts import Account
from app.models.volunteers import Volunteer, VolunteerTerm
from app.schemas.volunteers import VolunteerQuery
from app.services import volunteers
from tests.city import Client, TestCity, found_city


@pytest.fixture
async def coordinator(city: TestCity) -> Client:
    return await city.as_(Role.COORDINATOR)


async def person(city: TestCity, name: str, **particulars: Any) -> None:
    family_name, given_name = name.split(maxsplit=1)
    await city.volunteer(family_name=family_name, given_name=given_name, **particulars)


async def names(client: Client, **query: Any) -> list[str]:
    found = (await client.get("/volunteers", params=query)).json()["items"]
    return [f"{each['family_name']} {each['given_name']}" for each in found]


async def test_names_come_in_the_order_of_the_kazakh_alphabet(city: TestCity, coordinator: Client):
    expected = ["Абаев Ян", "Әбенов Али", "Есімов Б", "Ёлкин А", "Кимов А", "Қасен А", "Ығыс А", "Іңкәр А", "Smith A"]
    for name in reversed(expected):
        await person(city, name)
    assert await names(coordinator) == expected


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("сем", ["Семёнова Әсем", "Нұрғали Семён"]),
        ("Асем", ["Семёнова Әсем"]),
        ("сем асем", ["Семёнова Әсем"]),
        ("семён нур", ["Нұрғали Семён"]),
        ("CEMEHOB", []),
        ("Cемен", ["Семёнова Әсем", "Нұрғали Семён"]),
        ("ким", ["Петрова-Ким Анна"]),
        ("емён", []),
        ("анна ким петр", ["Петрова-Ким Анна"]),
        ("Smi", ["Smith Ann"]),
    ],
)
async def test_a_name_is_found_by_the_beginnings_of_its_words(city: TestCity, coordinator: Client, typed, found):
    for name in ("Семёнова Әсем", "Нұрғали Семён", "Петрова-Ким Анна", "Smith Ann"):
        await person(city, name)
    assert sorted(await names(coordinator, q=typed)) == sorted(found)


async def test_filters_hold_together(city: TestCity, coordinator: Client):
    saturday = half_open([(5 * 1440 + 600, 5 * 1440 + 1080)])
    fits = {"programmes": ["online", "street"], "districts": ["west"], "skills": ["driver"], "languages": ["kk"]}
    await person(city, "Алиев Fits", **fits, availability=saturday)
    for name, odd in fits.items():
        await person(city, f"Алиев {name}", **{**fits, name: ["other"] if odd else []}, availability=saturday)
    await person(city, "Алиев Busy", **fits)
    await person(city, "Алиев Left", **fits, availability=saturday, status="left")
    query = {"programme": "street", "district": "west", "skill": "driver", "language": "kk", "status": "active"}
    assert await names(coordinator, q="али", **query, available_at="2026-12-05T10:00:00+05:00") == ["Алиев Fits"]
    # Saturday 10:00 to 18:00 by the city's clock, the end not included.
    for moment, count in (("04:59:59Z", 0), ("05:00:00Z", 1), ("12:59:00Z", 1), ("13:00:00Z", 0)):
        assert len(await names(coordinator, **query, available_at=f"2026-12-05T{moment}")) == count, moment


@pytest.mark.parametrize("query", [{}, {"q": "ив"}, {"status": "active"}, {"q": "ив али", "programme": "street"}])
async def test_pages_through_equal_names_lose_and_repeat_nobody(city: TestCity, coordinator: Client, query):
    for _ in range(7):
        await person(city, "Иванов Али")
    await person(city, "Иванова Ивана-Алия")
    whole = [each["id"] for each in (await coordinator.get("/volunteers", params=query)).json()["items"]]
    assert len(set(whole)) == 8
    seen: list[str] = []
    following: dict[str, str] = {}
    while not seen or following:
        answer = await coordinator.get("/volunteers", params={**query, "limit": 3, **following})
        seen += [each["id"] for each in answer.json()["items"]]
        following = {"after": answer.json()["next"]} if answer.json()["next"] else {}
        assert bool(following) == ("Link" in answer.headers)
    assert seen == whole


async def test_a_page_ends_with_an_id_and_not_with_a_name(city: TestCity, coordinator: Client):
    for name in ("Алиев А", "Алиев Б"):
        await person(city, name)
    page = (await coordinator.get("/volunteers", params={"limit": 1})).json()
    assert page["next"] == page["items"][0]["id"]
    assert not page["items"][0].keys() & {"sort_name", "name_words", "birth_on", "coordinator_note", "availability"}


@pytest.mark.parametrize(
    ("query", "code"),
    [({"q": "—"}, "no_letters"), ({"q": "а б в г д е"}, "too_many_words"), ({"q": "а" * 161}, "too_long")],
)
async def test_a_search_that_cannot_be_made_is_refused(city: TestCity, coordinator: Client, query, code: str):
    refused = await coordinator.get("/volunteers", params=query)
    assert [(each["code"], each["pointer"]) for each in refused.json()["errors"]] == [(code, "/query/q")]


async def test_who_is_renamed_is_found_by_the_new_name_alone(city: TestCity, coordinator: Client):
    volunteer, _ = await city.volunteer(family_name="Иванова", given_name="Алия")
    changed = {"family_name": "Қасенова"}
    await coordinator.patch(f"/volunteers/{volunteer.id}", json=changed, headers={"If-Match": '"1"'})
    assert [await names(coordinator, q=q) for q in ("иван", "кас", "кас али")] == [[], *[["Қасенова Алия"]] * 2]
    assert sorted(row.term for row in await city.rows(VolunteerTerm)) == ["а", "ал", "алия", "к", "ка", "касенова"]


async def test_another_citys_volunteers_are_not_found(city: TestCity, coordinator: Client):
    async with found_city(city.app) as other:
        await person(other, "Иванов Али")
        theirs = (await (await other.as_(Role.COORDINATOR)).get("/volunteers")).json()["items"][0]["id"]
        await person(city, "Иванов Али")
        assert len(await names(coordinator, q="иванов")) == 1
        assert await names(coordinator, after=theirs) == []


QUERIES: list[dict[str, Any]] = [
    {},
    {"q": "а"},
    {"q": "и а"},
    {"q": "иванов"},
    {"q": "иванов алия"},
    {"q": "иванов", "status": "active", "programme": "street"},
    {"district": "west"},
    {"skill": "driver", "district": "east"},
    {"status": "suspended"},
]


@pytest.fixture
async def crowded(app: FastAPI) -> AsyncIterator[TestCity]:
    """6,000 volunteers: enough for PostgreSQL to prefer an index, and for its statistics to say so."""
    async with found_city(app) as city:
        given, families = ("Әли", "Әлия", "Бекзат", "Илья"), [f"{name}ов" for name in ("Иван", "Қасен", "Яр", "Есім")]
        families += [f"{a}{b}тай" for a, b in product(*[KAZAKH_ALPHABET[:12]] * 2)]
        chosen = product(range(10), given, families)
        async with city.database.transaction() as session:
            rows = [_row(city, number, *names) for number, (_, *names) in enumerate(chosen)]
            await session.exec(insert(Volunteer), params=rows)
        async with city.database.transaction() as session:
            await fetch_within(session, "ANALYZE volunteer, volunteer_term")
        yield city


def _row(city: TestCity, number: int, given_name: str, family_name: str) -> dict[str, Any]:
    return {
        "city_id": city.id,
        "id": new_id(),
        "created_at": utc_now(),
        "version": 1,
        "birth_on": date(2000, 1, 1),
        "given_name": given_name,
        "family_name": family_name,
        "phone": f"+7{number:010}",
        "language": "kk",
        "languages": ["kk"],
        "programmes": ["street"],
        "districts": [("west", "east")[number % 2]],
        "skills": [["driver", "it"][number % 2]],
        "availability": [],
        # Half of them: of the few that statistics expect, PostgreSQL would sort the rows, and rightly.
        "status": ["active", "suspended"][number // 2 % 2],
    }


async def test_no_search_reads_a_table_from_end_to_end(crowded: TestCity):
    """All in one: each process that had a part of them would need its own 6,000, which take 3 s."""
    account, last = await crowded.account(Role.COORDINATOR), await middle(crowded)
    for query, after in product(QUERIES, (None, last)):
        plan = await plan_of(crowded, account, VolunteerQuery(**query, after=after))
        told = f"{query} after {after}:\n{plan}"
        assert "Seq Scan" not in plan, told
        by_terms = query.keys() & {"q", "district", "skill"}
        assert ("ix_volunteer_term_" in plan) == bool(by_terms), told
        assert by_terms or "Sort" not in plan, told


async def plan_of(city: TestCity, account: Account, asked: VolunteerQuery) -> str:
    values = {name: value for name, value in volunteers.values(asked).items() if value is not None}
    values |= {"limit": 51, "actor_city_id": city.id, "actor_account_id": account.id}
    compiled = volunteers.lines(Role.COORDINATOR, frozenset(values)).compile(dialect=dialect.dialect())
    arguments = [{**compiled.params, **values}[name] for name in compiled.positiontup]
    async with city.database.transaction() as session:
        # As on a disk that does not turn. By a page's usual price, 6,000 rows are read whole or by an index as what a
        # sample says of names will have it.
        await fetch_within(session, "SET LOCAL random_page_cost = 1.1")
        return "\n".join(row["QUERY PLAN"] for row in await fetch_within(session, f"EXPLAIN {compiled}", *arguments))


async def middle(city: TestCity) -> UUID:
    page = await (await city.as_(Role.COORDINATOR)).get("/volunteers", params={"limit": 200})
    return UUID(page.json()["next"])

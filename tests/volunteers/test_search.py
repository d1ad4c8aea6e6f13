"""A coordinator looks for somebody."""

from typing import Any

import pytest
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from app.core.database import fetch_within
from app.core.ranges import half_open
from app.domain.names import end_of_prefix
from app.domain.permissions import Role
from app.models.volunteers import VolunteerNameWord
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
    assert sorted(row.word for row in await city.rows(VolunteerNameWord)) == ["алия", "касенова"]


async def test_another_citys_volunteers_are_not_found(city: TestCity, coordinator: Client):
    async with found_city(city.app) as other:
        await person(other, "Иванов Али")
        theirs = (await (await other.as_(Role.COORDINATOR)).get("/volunteers")).json()["items"][0]["id"]
        await person(city, "Иванов Али")
        assert len(await names(coordinator, q="иванов")) == 1
        assert await names(coordinator, after=theirs) == []


@pytest.mark.parametrize(
    "given", [{}, {"word_0": "ив"}, {"word_0": "ив", "word_1": "ал"}, {"word_0": "ив", "status": "active"}]
)
@pytest.mark.parametrize("is_first", [True, False])
async def test_no_search_reads_a_table_from_end_to_end(city: TestCity, given: dict[str, str], *, is_first: bool):
    """With few rows PostgreSQL would rather: so that is forbidden here, and has to be found possible without."""
    volunteer, _ = await city.volunteer()
    coordinator = await city.account(Role.COORDINATOR)
    values = {**given, "limit": 50, "actor_city_id": city.id, "actor_account_id": coordinator.id}
    values |= {f"{name}_end": end_of_prefix(word) for name, word in given.items() if name.startswith("word")}
    values |= {} if is_first else {"after": volunteer.id}
    query = volunteers.lines(Role.COORDINATOR, frozenset(values))
    compiled = query.compile(dialect=dialect.dialect())
    arguments = [{**compiled.params, **values}[name] for name in compiled.positiontup]
    async with city.database.transaction() as session:
        await fetch_within(session, "SET LOCAL enable_seqscan = off")
        await fetch_within(session, "SET LOCAL enable_sort = off" if "word_0" not in given else "SELECT 1")
        plan = "\n".join(row[0] for row in await fetch_within(session, f"EXPLAIN {compiled}", *arguments))
    assert "Seq Scan" not in plan
    assert ("ix_volunteer_name_word_city_id_word_sort_name_id" in plan) == ("word_0" in given)
    assert "word_0" in given or "Sort" not in plan

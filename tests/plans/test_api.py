"""A plan from draft to its end, and what may be changed of it when."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from app.domain.permissions import Role
from app.models.plans import Plan, PlanItem, PlanItemChange
from tests.city import TestCity, plan_draft, plan_item

WALLS = {"metric": "graffiti_painted", "amount": 100}


async def drafted(city: TestCity) -> tuple[str, str]:
    """The path of a plan and the id of its only direction."""
    coordinator = await city.as_(Role.COORDINATOR)
    path = f"/plans/{(await coordinator.post('/plans', json=plan_draft())).json()['id']}"
    return path, (await coordinator.post(f"{path}/directions", json={"number": 1, "title": "Walls"})).json()["id"]


async def in_force(city: TestCity, **item: Any) -> tuple[str, str]:
    """The paths of a plan in force and of its only item."""
    ids = await city.plan_in_force(**item)
    return f"/plans/{ids['plan_id']}", f"/plans/{ids['plan_id']}/items/{ids['item_id']}"


async def patched(city: TestCity, path: str, version: int, **changes: Any) -> Response:
    coordinator = await city.as_(Role.COORDINATOR)
    return await coordinator.patch(path, json=changes, headers={"If-Match": f'"{version}"'})


def faults(response: Response) -> set[tuple[str, str]]:
    return {(error["pointer"], error["code"]) for error in response.json()["errors"]}


async def test_a_plan_is_drafted_adopted_and_closed(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    path, direction = await drafted(city)
    empty = await coordinator.post(f"{path}/adopt")
    assert (empty.status_code, empty.json()["code"]) == (409, "plan_empty")
    item = (await coordinator.post(f"{path}/items", json=plan_item(direction, target=WALLS, owner="Akimat"))).json()
    assert (item["metric"], item["amount"], item["status"], item["owner"]) == ("graffiti_painted", 100, None, "Akimat")

    adopted = (await coordinator.post(f"{path}/adopt")).json()
    assert (adopted["status"], adopted["closed_on"]) == ("in_force", None)
    assert adopted["adopted_on"]
    late = await coordinator.post(f"{path}/items", json=plan_item(direction, number="1.2"))
    assert (late.status_code, late.json()["code"]) == (409, "wrong_status")

    closed = (await coordinator.post(f"{path}/close")).json()
    assert (closed["status"], closed["closed_on"]) == ("closed", adopted["adopted_on"])
    assert (await coordinator.post(f"{path}/adopt")).status_code == 409
    assert (await patched(city, f"{path}/items/{item['id']}", 1, owner="Police", reason="Late")).status_code == 409
    listed = (await coordinator.get("/plans", params={"status": "closed"})).json()["items"]
    assert [plan["id"] for plan in listed] == [closed["id"]]


async def test_everything_of_a_draft_may_change_and_its_version_rises_with_its_items(city: TestCity):
    path, direction = await drafted(city)
    coordinator = await city.as_(Role.COORDINATOR)
    item = (await coordinator.post(f"{path}/items", json=plan_item(direction, target=WALLS))).json()
    before = (await coordinator.get(path)).json()["version"]

    changed = await patched(
        city, f"{path}/items/{item['id']}", 1, number="1.7", title="Scrape", due_on="2026-05-01", target=None
    )
    renamed = await patched(city, f"{path}/directions/{direction}", 1, title="Fences", number=3)

    assert (changed.json()["number"], changed.json()["due_on"], changed.json()["amount"]) == ("1.7", "2026-05-01", None)
    assert changed.json()["status"] == "not_started"
    assert (renamed.json()["title"], renamed.json()["number"]) == ("Fences", 3)
    after = (await coordinator.get(path)).json()["version"]
    assert after == before + 2
    assert (await patched(city, path, before, title="Other")).status_code == 412
    assert (await patched(city, path, after, title="Other", ends_on="2027-01-31")).json()["ends_on"] == "2027-01-31"
    assert await city.count(PlanItemChange) == 0


async def test_in_force_an_item_changes_owner_due_day_and_target_with_a_reason_that_is_kept(city: TestCity):
    _, item = await in_force(city, target=WALLS, owner="Akimat")
    fixed = await patched(city, item, 1, title="Less", number="9", reason="Easier")
    assert (fixed.status_code, fixed.json()["code"]) == (409, "fixed_in_force")
    assert faults(fixed) == {("/body/title", "fixed_in_force"), ("/body/number", "fixed_in_force")}
    assert faults(await patched(city, item, 1, due_on="2026-05-01")) == {("/body/reason", "missing")}

    target = {**WALLS, "amount": 80, "district": "west"}
    changed = await patched(city, item, 1, due_on="2026-05-01", owner=None, target=target, reason="The paint came late")
    assert (changed.json()["version"], changed.json()["amount"], changed.json()["owner"]) == (2, 80, None)

    (kept,) = (await (await city.as_(Role.ANALYST)).get(f"{item}/history")).json()["items"]
    assert kept["reason"] == "The paint came late"
    assert {change["field"]: (change["before"], change["after"]) for change in kept["changes"]} == {
        "owner": ("Akimat", None),
        "due_on": ("2026-04-10", "2026-05-01"),
        "amount": ("100", "80"),
        "district_id": (None, "west"),
    }


async def test_a_coordinator_says_how_far_an_item_without_a_target_is(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    path, item = await in_force(city)
    await coordinator.post(f"{item}/status", json={"status": "under_way", "note": "Letters are out"})
    said = await coordinator.post(f"{item}/status", json={"status": "done", "note": "Signed"})

    assert said.json()["status"] == "done"
    history = (await coordinator.get(f"{item}/history")).json()["items"]
    assert [(kept["reason"], kept["changes"][0]["after"]) for kept in history] == [
        ("Signed", "done"),
        ("Letters are out", "under_way"),
    ]
    (direction,) = (await coordinator.get(f"{path}/progress")).json()["directions"]
    assert [(found["standing"], found["done"], found["status"]) for found in direction["items"]] == [
        ("reached", None, "done")
    ]


async def test_a_status_is_refused_where_the_ledger_counts_and_in_a_draft(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    _, counted = await in_force(city, target=WALLS)
    refused = await coordinator.post(f"{counted}/status", json={"status": "done", "note": "Done"})
    assert (refused.status_code, refused.json()["code"]) == (409, "has_target")

    plan = (await coordinator.post("/plans", json=plan_draft(title="Another"))).json()["id"]
    direction = (await coordinator.post(f"/plans/{plan}/directions", json={"number": 1, "title": "Walls"})).json()["id"]
    item = (await coordinator.post(f"/plans/{plan}/items", json=plan_item(direction))).json()["id"]
    early = await coordinator.post(f"/plans/{plan}/items/{item}/status", json={"status": "done", "note": "Done"})
    assert (early.status_code, early.json()["code"]) == (409, "wrong_status")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"target": {**WALLS, "metric": "walls"}}, ("/body/target/metric", "not_listed")),
        ({"target": {**WALLS, "district": "north"}}, ("/body/target/district", "no_such_district")),
        ({"target": {**WALLS, "amount": 0}}, ("/body/target/amount", "too_small")),
        ({"target": {**WALLS, "amount": 2**53}}, ("/body/target/amount", "too_big")),
        ({"target": {**WALLS, "from": "2026-05-01"}}, ("/body/target/to", "ends_before_start")),
        ({"target": {"metric": "raids_held"}}, ("/body/target/amount", "missing")),
        ({"due_on": "2025-12-31"}, ("/body/due_on", "before_plan")),
        ({"number": "1.0"}, ("/body/number", "wrong_pattern")),
        ({"owner": "aliya@example.org"}, ("/body/owner", "contact")),
        ({"direction_id": str(uuid4())}, ("/body/direction_id", "no_such_direction")),
    ],
)
async def test_an_item_that_cannot_be_is_refused_by_its_name(
    city: TestCity, item: dict[str, Any], expected: tuple[str, str]
):
    path, direction = await drafted(city)
    coordinator = await city.as_(Role.COORDINATOR)
    refused = await coordinator.post(f"{path}/items", json=plan_item(direction, **item))

    assert (refused.status_code, faults(refused)) == (422, {expected})
    assert await city.count(PlanItem) == 0


async def test_titles_and_numbers_are_taken_once(city: TestCity):
    path, direction = await drafted(city)
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"{path}/items", json=plan_item(direction))
    answers = [
        await coordinator.post("/plans", json=plan_draft()),
        await coordinator.post(f"{path}/directions", json={"number": 1, "title": "Other"}),
        await coordinator.post(f"{path}/items", json=plan_item(direction)),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "title_taken"),
        (409, "number_taken"),
        (409, "number_taken"),
    ]
    backwards = await coordinator.post("/plans", json=plan_draft(title="B", ends_on="2025-12-31"))
    assert faults(backwards) == {("/body/ends_on", "ends_before_start")}


async def test_no_item_slips_into_a_plan_while_it_is_adopted(city: TestCity):
    path, direction = await drafted(city)
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"{path}/items", json=plan_item(direction))

    adding = (coordinator.post(f"{path}/items", json=plan_item(direction, number=f"1.{n}")) for n in range(2, 7))
    adopted, *added = await asyncio.gather(coordinator.post(f"{path}/adopt"), *adding)

    assert adopted.status_code == 200
    assert {answer.status_code for answer in added} <= {201, 409}
    assert await city.count(PlanItem) == 1 + sum(answer.status_code == 201 for answer in added)
    (plan,) = await city.rows(Plan)
    assert plan.status == "in_force"


async def test_of_two_who_change_an_item_at_once_one_is_told(city: TestCity):
    _, item = await in_force(city)
    answers = await asyncio.gather(*(patched(city, item, 1, due_on=f"2026-05-0{day}", reason="Late") for day in (1, 2)))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert await city.count(PlanItemChange) == 1


async def test_items_are_listed_by_direction_page_by_page(city: TestCity):
    path, direction = await drafted(city)
    coordinator = await city.as_(Role.COORDINATOR)
    other = (await coordinator.post(f"{path}/directions", json={"number": 2, "title": "Online"})).json()["id"]
    for number, where in (("1.1", direction), ("1.2", direction), ("2.1", other)):
        await coordinator.post(f"{path}/items", json=plan_item(where, number=number))

    async def numbers(**query: Any) -> list[str]:
        return [item["number"] for item in (await coordinator.get(f"{path}/items", params=query)).json()["items"]]

    assert await numbers(direction=direction) == ["1.2", "1.1"]
    first = (await coordinator.get(f"{path}/items", params={"limit": 2})).json()
    assert await numbers(after=first["next"]) == ["1.1"]
    listed = (await coordinator.get(f"{path}/directions")).json()["items"]
    assert [found["title"] for found in listed] == ["Online", "Walls"]

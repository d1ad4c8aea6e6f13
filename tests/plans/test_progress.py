"""What the ledger counts, beside what was promised: for staff, and for everybody."""

from datetime import date
from typing import Any
from uuid import uuid4

from app.domain.metrics import Metric, Origin
from app.domain.permissions import Role
from app.models.ledger import LedgerEntry
from tests.city import TestCity, plan_draft, plan_item

PAINTED, STREET, ACTIVE = Metric.GRAFFITI_PAINTED, Metric.VOLUNTEERS_STREET, Metric.VOLUNTEERS_STREET_ACTIVE


async def count(  # noqa: PLR0913, PLR0917 one for each column that matters
    city: TestCity, metric: Metric, amount: int, day: str, district: str | None = None, origin: Origin = Origin.RECORDED
) -> None:
    entry = LedgerEntry(
        city_id=city.id,
        metric=metric,
        origin=origin,
        amount=amount,
        occurred_on=date.fromisoformat(day),
        district_id=district,
        subject_id=uuid4(),
    )
    await city.add(entry)


async def adopted(city: TestCity, *targets: dict[str, Any] | None, due_on: str = "2026-04-10") -> str:
    """The path of a plan with an item for each target."""
    coordinator = await city.as_(Role.COORDINATOR)
    path = f"/plans/{(await coordinator.post('/plans', json=plan_draft())).json()['id']}"
    direction = (await coordinator.post(f"{path}/directions", json={"number": 1, "title": "Walls"})).json()["id"]
    for number, target in enumerate(targets, start=1):
        item = plan_item(direction, number=f"1.{number}", target=target, due_on=due_on, owner="Akimat")
        assert (await coordinator.post(f"{path}/items", json=item)).status_code == 201
    await coordinator.post(f"{path}/adopt")
    return path


async def progress(city: TestCity, path: str) -> list[dict[str, Any]]:
    found = (await (await city.as_(Role.ANALYST)).get(f"{path}/progress")).json()
    return [item for direction in found["directions"] for item in direction["items"]]


async def public(city: TestCity, path: str) -> dict[str, Any]:
    return (await city.anonymous.get(f"/public/{city.id}{path}")).json()


async def test_each_target_counts_its_own_metric_days_and_district(city: TestCity):
    for day, amount, district in (
        ("2025-12-31", 1, "west"),
        ("2026-01-01", 2, "west"),
        ("2026-02-15", 4, "east"),
        ("2026-03-01", 8, None),
        ("2026-04-10", 16, "west"),
        ("2026-04-11", 32, "west"),
    ):
        await count(city, PAINTED, amount, day, district)
    await count(city, Metric.RAIDS_HELD, 64, "2026-02-01", "west")
    target = {"metric": PAINTED, "amount": 100}

    path = await adopted(
        city,
        target,
        {**target, "district": "west"},
        {**target, "from": "2026-02-01", "to": "2026-03-31"},
        {**target, "from": "2025-12-01", "to": "2026-12-31", "district": "west"},
        {"metric": "raids_held", "amount": 64},
        None,
    )

    items = await progress(city, path)
    assert [item["done"] for item in items] == [30, 18, 12, 51, 64, None]
    assert [item["done_percent"] for item in items] == [30, 18, 12, 51, 100, None]
    assert [item["standing"] for item in items] == ["overdue"] * 4 + ["reached", "overdue"]
    assert items[0]["target"] == {
        "metric": "graffiti_painted",
        "kind": "flow",
        "amount": 100,
        "district_id": None,
        "from": "2026-01-01",
        "to": "2026-04-10",
    }
    totals = (await (await city.as_(Role.ANALYST)).get(f"{path}/progress")).json()["standings"]
    assert totals == {"on_track": 0, "behind": 0, "overdue": 5, "reached": 1}


async def test_what_was_declared_is_shown_apart_and_a_reversal_takes_progress_back(city: TestCity):
    await count(city, PAINTED, 40, "2026-02-01")
    await count(city, PAINTED, -30, "2026-02-01")
    await count(city, PAINTED, 50, "2026-02-28", origin=Origin.DECLARED)
    path = await adopted(city, {"metric": PAINTED, "amount": 100})

    (item,) = await progress(city, path)
    assert (item["done"], item["recorded"], item["declared"], item["done_percent"]) == (60, 10, 50, 60)


async def test_a_level_is_what_there_is_at_the_end_of_the_last_day(city: TestCity):
    await count(city, ACTIVE, 30, "2025-06-01")
    await count(city, ACTIVE, 5, "2026-04-10")
    await count(city, ACTIVE, 7, "2026-04-11")
    path = await adopted(city, {"metric": ACTIVE, "amount": 40})

    (item,) = await progress(city, path)
    assert (item["done"], item["target"]["kind"]) == (35, "level")


async def test_progress_has_a_tag_of_the_plan_and_the_ledger(city: TestCity):
    path = await adopted(city, {"metric": PAINTED, "amount": 100})
    analyst = await city.as_(Role.ANALYST)
    tag = (await analyst.get(f"{path}/progress")).headers["etag"]
    assert (await analyst.get(f"{path}/progress", headers={"If-None-Match": tag})).status_code == 304

    await count(city, PAINTED, 1, "2026-02-01")

    counted = await analyst.get(f"{path}/progress", headers={"If-None-Match": tag})
    assert counted.status_code == 200
    await (await city.as_(Role.COORDINATOR)).post(f"{path}/close")
    closed = await analyst.get(f"{path}/progress", headers={"If-None-Match": counted.headers["etag"]})
    assert (closed.status_code, closed.json()["judged_on"]) == (200, closed.json()["closed_on"])


async def test_everybody_sees_a_plan_in_force_without_owners_and_notes(city: TestCity):
    await count(city, PAINTED, 30, "2026-02-01")
    path = await adopted(city, {"metric": PAINTED, "amount": 100}, None)

    found = await public(city, path)
    (listed,) = (await public(city, "/plans"))["items"]
    items = found["directions"][0]["items"]
    assert (found["id"], [item["done"] for item in items]) == (listed["id"], [30, None])
    assert all(not {"owner", "id", "status"} & item.keys() for item in items)
    assert "Akimat" not in str(found)
    address = f"/public/{city.id}{path}"
    answer = await city.anonymous.get(address)
    known = await city.anonymous.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (known.status_code, answer.headers["cache-control"]) == (304, "public, max-age=1")


async def test_a_draft_is_not_there_for_everybody(city: TestCity):
    coordinator = await city.as_(Role.COORDINATOR)
    plan = (await coordinator.post("/plans", json=plan_draft())).json()["id"]

    hidden = await city.anonymous.get(f"/public/{city.id}/plans/{plan}")
    missing = await city.anonymous.get(f"/public/{city.id}/plans/{uuid4()}")
    assert (hidden.status_code, hidden.json()["code"]) == (404, missing.json()["code"])
    assert (await public(city, "/plans"))["items"] == []
    assert (await coordinator.get(f"/plans/{plan}/progress")).json()["directions"] == []


async def test_of_people_everybody_learns_the_target_and_not_how_far_it_is(city: TestCity):
    await count(city, STREET, 3, "2026-02-01", "west")
    await count(city, STREET, 97, "2026-02-01", "east")
    path = await adopted(
        city,
        {"metric": STREET, "amount": 4, "district": "west"},
        {"metric": STREET, "amount": 100},
        due_on="2099-12-01",
    )
    assert [item["done"] for item in await progress(city, path)] == [3, 100]

    items = (await public(city, path))["directions"][0]["items"]
    kept_back = (
        "done",
        "judged_by",
        "recorded",
        "declared",
        "done_percent",
        "expected_percent",
        "standing",
        "days_late",
    )
    for item in items:
        assert {item[name] for name in kept_back} == {None}
    assert not any((await public(city, path))["standings"].values())

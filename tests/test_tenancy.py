"""Another city's row does not exist: whatever is asked of it, the answer is that of an id made up a moment ago."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.domain.permissions import Role
from app.domain.records import RecordsKind
from app.models.records import RecordsImport
from tests.auth.devices import refusal
from tests.city import IN_WEST, Client, TestCity, declared_total, found_city, raid_plan, removal
from tests.figures.published import signed
from tests.seals.sealing import fact, sealed
from tests.test_permissions import POLICY

# A calendar's address is itself the secret; it has tests of its own. A metric is the same in every city.
BY_SECRET = {"GET /v1/public/{city_id}/calendars/{token}/raids.ics"}
OF_NO_CITY = {"GET /v1/metrics/{metric}/series", "GET /v1/public/{city_id}/metrics/{metric}/series"}
# A plan in force is for everybody; a draft's absence is tested with plans.
FOR_EVERYBODY = {"GET /v1/public/{city_id}/plans/{plan_id}"}
OPERATIONS = [
    operation
    for operation in POLICY
    if re.search(r"{(?!city_id)\w+}", operation) and operation not in BY_SECRET | OF_NO_CITY | FOR_EVERYBODY
]
SEEN = {"observed_at": "2026-01-02T00:00:00Z", "asn": 64500, "state": "up", "control_reachable": True}
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /v1/raids/{raid_id}": {"title": "Ours now"},
    "POST /v1/raids/{raid_id}/cancel": {"reason": "Ours now"},
    "POST /v1/raids/{raid_id}/removals": removal(),
    "POST /v1/raids/{raid_id}/offers": {"volunteer_id": str(uuid4())},
    "PUT /v1/raids/{raid_id}/lead": {"volunteer_id": str(uuid4())},
    "PUT /v1/raids/{raid_id}/stops": {"spot_ids": []},
    "POST /v1/raids/{raid_id}/stops/{spot_id}/answer": {"outcome": "not_found"},
    "POST /v1/raids/{raid_id}/roll-call": {"present": []},
    "POST /v1/raids/{raid_id}/check-in": {"code": "123456", "point": IN_WEST},
    "POST /v1/raids/{raid_id}/check-out": {"code": "123456", "point": IN_WEST},
    "POST /v1/checks/{removal_id}/dispute": {"reason": "Ours now"},
    "POST /v1/spots/{spot_id}/dismiss": {"reason": "Ours now"},
    "POST /v1/spots/{spot_id}/merge": {"spot_id": str(uuid4())},
    "POST /v1/spots/{spot_id}/split": {"sighting_ids": [str(uuid4())]},
    "POST /v1/volunteers/{volunteer_id}/reject": {"reason": "Ours now"},
    "POST /v1/volunteers/{volunteer_id}/suspend": {"reason": "Ours now"},
    "PATCH /v1/volunteers/{volunteer_id}": {"given_name": "Ours now"},
    "POST /v1/volunteers/{volunteer_id}/consents": {
        "purpose": "photos",
        "text_version": "1",
        "language": "kk",
        "given_by": "self",
        "is_given": False,
    },
    "POST /v1/resources/{resource_id}/reject": {"reason": "not_drugs"},
    "POST /v1/referrals/{referral_id}/send": {
        "outgoing_number": "1",
        "sent_on": "2026-01-01",
        "due_on": "2026-02-01",
    },
    "POST /v1/referrals/{referral_id}/items/{resource_id}/answer": {
        "answer": "blocked",
        "answered_on": "2026-01-02",
    },
    "POST /v1/referrals/{referral_id}/acknowledge": {"acknowledged_on": "2026-01-02"},
    "POST /v1/referrals/{referral_id}/items/{resource_id}/restore": {
        "restored_on": "2026-01-02",
        "reason": "Ours now",
    },
    "POST /v1/resources/{resource_id}/observations": SEEN,
    "POST /v1/payment-cards/{card_id}/refer": {
        "authority": "Bank",
        "outgoing_number": "1",
        "referred_on": "2026-01-01",
    },
    "POST /v1/payment-cards/{card_id}/freeze": {"frozen_on": "2026-01-02", "amount_kzt": None},
    "POST /v1/payment-cards/{card_id}/refuse": {"refused_on": "2026-01-02"},
    "POST /v1/figures/{figure_id}/sign": {"value": 7},
    "POST /v1/figures/{figure_id}/withdraw": {"reason": "Ours now"},
    "POST /v1/declared-counts/{declared_id}/withdraw": {"reason": "Ours now"},
    "PATCH /v1/plans/{plan_id}": {"title": "Ours now"},
    "POST /v1/plans/{plan_id}/directions": {"number": 2, "title": "Ours now"},
    "PATCH /v1/plans/{plan_id}/directions/{direction_id}": {"title": "Ours now"},
    "POST /v1/plans/{plan_id}/items": {
        "direction_id": str(uuid4()),
        "number": "1.2",
        "title": "Ours now",
        "due_on": "2026-11-30",
    },
    "PATCH /v1/plans/{plan_id}/items/{item_id}": {"owner": "Ours now"},
    "POST /v1/plans/{plan_id}/items/{item_id}/status": {"status": "done", "note": "Ours now"},
    "PUT /v1/accounts/{account_id}/access": {"role": "volunteer", "is_active": False},
}


@pytest.fixture(scope="module")
async def ours(app: FastAPI) -> AsyncIterator[TestCity]:
    async with found_city(app) as city:
        await city.volunteer()
        yield city


@pytest.fixture(scope="module")
async def theirs(app: FastAPI) -> AsyncIterator[dict[str, str]]:
    """One of everything, by the name of the path parameter."""
    async with found_city(app) as city:
        coordinator, moderator = await city.as_(Role.COORDINATOR), await city.as_(Role.MODERATOR)
        volunteer, client = await city.volunteer()
        raid = (await coordinator.post("/raids", json=raid_plan())).json()
        seen = {"point": IN_WEST, "kind": "stencil", "seen_at": datetime.now(UTC).isoformat()}
        sighting = (await client.post("/sightings", json=seen)).json()
        finding = (await client.post("/findings", json={"address": f"https://{city.id}.example"})).json()
        for step in ("review", "confirm"):
            await moderator.post(f"/resources/{finding['resource_id']}/{step}")
        now = {**SEEN, "observed_at": datetime.now(UTC).isoformat()}
        observation = (await moderator.post(f"/resources/{finding['resource_id']}/observations", json=now)).json()
        referred = {"authority": "Ministry", "resource_ids": [finding["resource_id"]]}
        referral = (await coordinator.post("/referrals", json=referred)).json()
        card = (await moderator.post("/payment-cards", json={"number": "4111111111111111"})).json()
        under_way = await city.raid_under_way()
        painted = (await coordinator.post(f"/raids/{under_way['id']}/removals", json=removal())).json()
        taken_over = imported()
        await city.add(RecordsImport(city_id=city.id, **taken_over))
        counted = await fact(city)
        await sealed(city)
        plan = await city.plan_in_force()
        said = await (await city.as_(Role.ADMIN)).post("/declared-counts", json=declared_total())
        yield {
            "entry_id": str(counted),
            "seal_id": (await coordinator.get("/seals")).json()["items"][0]["id"],
            "figure_id": (await signed(city))["id"],
            "declared_id": said.json()["id"],
            **plan,
            "import_id": str(taken_over["id"]),
            "raid_id": raid["id"],
            "removal_id": painted["id"],
            "spot_id": sighting["spot_id"],
            "volunteer_id": str(volunteer.id),
            "account_id": str(volunteer.account_id),
            "finding_id": finding["id"],
            "resource_id": finding["resource_id"],
            "observation_id": observation["id"],
            "referral_id": referral["id"],
            "card_id": card["id"],
        }


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_another_citys_row_is_like_one_that_does_not_exist(
    ours: TestCity, theirs: dict[str, str], operation: str
):
    method, path = operation.split()
    body, headers = BODIES.get(operation), {"If-Match": '"1"'} if method == "PATCH" else {}
    for role in POLICY[operation]:
        client = await client_of(ours, role)
        answers = [
            await client.request(method, f"http://test{path.format_map(ids)}", json=body, headers=headers)
            for ids in (Missing(theirs, city_id=ours.id), Missing(city_id=ours.id))
        ]
        assert answers[0].status_code == 404
        assert refusal(answers[0]) == refusal(answers[1])


async def client_of(city: TestCity, role: Role | None) -> Client:
    if role is None:
        return city.anonymous
    return await city.as_(role) if role is not Role.VOLUNTEER else (await city.volunteer())[1]


def imported() -> dict[str, Any]:
    counts = dict.fromkeys(("rows", "imported", "already_there", "without_point", "refused", "left_out"), 0)
    told = {"kind": RecordsKind.GRAFFITI, "source": "test", "file_digest": b"", "finished_at": datetime.now(UTC)}
    return {"id": uuid4(), **told, **counts}


class Missing(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return str(uuid4())

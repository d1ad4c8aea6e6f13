"""What the tests of spots report."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from app.domain.permissions import Actor, Role
from app.domain.spots import SpotAction
from app.services import spots
from tests.city import IN_WEST, TestCity

METRE = 1 / 111_195
"""Of latitude, in degrees."""


def north_of(point: dict[str, float], metres: float) -> dict[str, float]:
    return {**point, "latitude": point["latitude"] + metres * METRE}


def sighting(**changes: Any) -> dict[str, Any]:
    return {"point": IN_WEST, "kind": "stencil", "seen_at": ago(), **changes}


def of_batch(**changes: Any) -> dict[str, Any]:
    return sighting(id=str(uuid4()), **changes)


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


async def report(city: TestCity, **changes: Any) -> dict[str, Any]:
    answer = await (await city.as_(Role.COORDINATOR)).post("/sightings", json=sighting(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def spot_of(city: TestCity, **changes: Any) -> str:
    return (await report(city, **changes))["spot_id"]


async def spot(city: TestCity, spot_id: str) -> dict[str, Any]:
    return (await (await city.as_(Role.COORDINATOR)).get(f"/spots/{spot_id}")).json()


async def step(city: TestCity, spot_id: str, action: SpotAction, **time: float) -> None:
    """What raids and checks do."""
    account = await city.account(Role.COORDINATOR)
    actor = Actor(account.id, city.id, account.role, account.authz_version, None)
    async with city.database.transaction() as session:
        await spots.advance(session, actor, spot_id, action, at=datetime.now(UTC) - timedelta(**time))

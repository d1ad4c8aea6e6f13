"""A city of a test's own, its people and what they send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
from fastapi import FastAPI
from sqlmodel import SQLModel, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.authentication import Identity
from app.core.database import Database
from app.domain.permissions import Role
from app.domain.volunteers import VolunteerStatus
from app.models.accounts import Account
from app.models.cities import City, District
from app.models.volunteers import Volunteer
from app.services import sign_in
from tests.client import Client

Row = TypeVar("Row", bound=SQLModel)

# One degree square each, side by side: latitude 43-44, longitude 76-77 and 77-78.
DISTRICTS = {"west": 76.0, "east": 77.0}
IN_WEST = {"latitude": 43.5, "longitude": 76.5}
IN_EAST = {"latitude": 43.5, "longitude": 77.5}
OUTSIDE = {"latitude": 45.0, "longitude": 70.0}


class TestCity:
    """The city's rows and people. `as_(role)` is a client signed in as the city's account of that role."""

    __test__ = False

    def __init__(self, app: FastAPI, city_id: str) -> None:
        self.app = app
        self.id = city_id
        self.database: Database = app.state.database
        self.identity: Identity = app.state.identity
        self._clients: dict[Role | None, Client] = {}

    async def as_(self, role: Role) -> Client:
        if role not in self._clients:
            account = new_account(self.id, role)
            self._clients[role] = await self.client_of(account, account)
        return self._clients[role]

    @property
    def anonymous(self) -> Client:
        return self._clients.setdefault(None, Client(self.app))

    async def account(self, role: Role, city_id: str | None = "") -> Account:
        account = new_account(self.id if city_id == "" else city_id, role)
        await self.add(account)
        return account

    async def client_of(self, account: Account, *new: SQLModel) -> Client:
        """Signed in; what is `new` is stored first, one after the other."""
        async with self.database.transaction() as session:
            await store(session, *new)
            signed_in = await sign_in.begin(session, account)
        client = Client(self.app, {"Authorization": f"Bearer {self.identity.access_token(signed_in)}"})
        self._clients[uuid4()] = client
        return client

    async def volunteer(self, **particulars: Any) -> tuple[Volunteer, Client]:
        """An active adult street volunteer with an account, unless told otherwise."""
        account = new_account(self.id, Role.VOLUNTEER)
        volunteer = Volunteer(
            **{
                "city_id": self.id,
                "account_id": account.id,
                "status": VolunteerStatus.ACTIVE,
                "given_name": "Test",
                "family_name": "Volunteer",
                "birth_on": date(2000, 1, 1),
                "phone": f"+7{uuid4().int % 10**10:010}",
                "language": "kk",
                "programmes": ["street"],
                **particulars,
            }
        )
        return volunteer, await self.client_of(account, account, volunteer)

    async def connect(self) -> "asyncpg.Connection[Any]":
        """Past the application, to see and do what it does not."""
        return await asyncpg.connect(self.app.state.settings.database_url)

    @asynccontextmanager
    async def beside(self) -> "AsyncIterator[asyncpg.Connection[Any]]":
        """As `connect`, for as long as the block."""
        connection = await self.connect()
        try:
            yield connection
        finally:
            await connection.close()

    async def add(self, *rows: SQLModel) -> None:
        async with self.database.transaction() as session:
            session.add_all(rows)

    async def count(self, model: type[SQLModel]) -> int:
        async with self.database.transaction() as session:
            query = select(func.count()).select_from(model).where(model.city_id == self.id)
            return (await session.exec(query)).one()

    async def rows(self, model: type[Row]) -> list[Row]:
        async with self.database.transaction() as session:
            return list(await session.exec(select(model).where(model.city_id == self.id)))

    async def one(self, model: type[Row], row_id: UUID | str) -> Row:
        async with self.database.transaction() as session:
            return (await session.exec(select(model).where(model.city_id == self.id, model.id == row_id))).one()

    async def open_raid(self, **changes: Any) -> dict[str, Any]:
        """Planned and published, and about to begin."""
        coordinator = await self.as_(Role.COORDINATOR)
        raid = (await coordinator.post("/raids", json=raid_plan(**changes))).json()
        return (await coordinator.post(f"/raids/{raid['id']}/publish")).json()

    async def raid_under_way(self, **changes: Any) -> dict[str, Any]:
        raid = await self.open_raid(**changes)
        return (await (await self.as_(Role.COORDINATOR)).post(f"/raids/{raid['id']}/start")).json()

    async def plan_in_force(self, **target: Any) -> dict[str, str]:
        """With one direction and one item, which has a target if one is given. The ids, as paths name them."""
        coordinator = await self.as_(Role.COORDINATOR)
        plan = (await coordinator.post("/plans", json=plan_draft())).json()
        path = f"/plans/{plan['id']}"
        direction = (await coordinator.post(f"{path}/directions", json={"number": 1, "title": "Walls"})).json()
        item = (await coordinator.post(f"{path}/items", json=plan_item(direction["id"], **target))).json()
        await coordinator.post(f"{path}/adopt")
        return {"plan_id": plan["id"], "direction_id": direction["id"], "item_id": item["id"]}

    async def totals(self, **query: Any) -> dict[str, dict[str, Any]]:
        """`GET /v1/metrics` by the name of the metric; a query, even of nothing, is answered as of this moment."""
        analyst = await self.as_(Role.ANALYST)
        answer = await analyst.get("/metrics", params={"days": 0, **query})
        return {item["metric"]: item for item in answer.json()["metrics"]}

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()


async def settled(city: TestCity) -> None:
    """Tests that run at the same time have open transactions, and every horizon waits for them."""
    newest = "SELECT max(transaction_id) < ledger_horizon($1) AS is_past FROM ledger_entry WHERE city_id = $1"
    while not (await city.database.fetch(newest, city.id))[0]["is_past"]:  # noqa: ASYNC110 it is another process that ends
        await asyncio.sleep(0.05)


def raid_plan(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "title": "Saturday",
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=2)).isoformat(),
        "meeting_point": "Abay metro",
        "point": IN_WEST,
        "capacity": 5,
        **changes,
    }


def declared_total(**changes: Any) -> dict[str, Any]:
    return {
        "metric": "graffiti_painted",
        "period_from": "2025-01-01",
        "period_to": "2025-12-31",
        "amount": 18_000,
        "precision": "at_least",
        "source": "Youth Policy",
        "published_on": "2026-01-20",
        **changes,
    }


def plan_draft(**changes: Any) -> dict[str, Any]:
    return {"title": "Plan", "language": "en", "starts_on": "2026-01-01", "ends_on": "2026-12-31", **changes}


def plan_item(direction_id: str, /, **changes: Any) -> dict[str, Any]:
    return {"direction_id": direction_id, "number": "1.1", "title": "Paint", "due_on": "2026-04-10", **changes}


def removal(**changes: Any) -> dict[str, Any]:
    return {
        "point": IN_WEST,
        "kind": "stencil",
        "inscriptions": 7,
        "removed_at": datetime.now(UTC).isoformat(),
        **changes,
    }


def application(**changes: Any) -> dict[str, Any]:
    consents = [
        {"purpose": purpose, "text_version": "1", "language": "kk"} for purpose in ("personal_data", "participation")
    ]
    return {
        "given_name": "Әсем",
        "family_name": "Тест",
        "birth_on": "2000-01-01",
        "phone": f"+7701{uuid4().int % 10**7:07}",
        "language": "kk",
        "programmes": ["street"],
        "consents": consents,
        **changes,
    }


@asynccontextmanager
async def found_city(app: FastAPI, time_zone: str = "Asia/Almaty") -> AsyncIterator[TestCity]:
    city = TestCity(app, f"t-{uuid4().hex[:16]}")
    async with city.database.transaction() as session:
        await store(session, City(id=city.id, name_kk="Қала", name_ru="Город", name_en="City", time_zone=time_zone))
        session.add_all(district(city.id, slug, west) for slug, west in DISTRICTS.items())
    try:
        yield city
    finally:
        await city.close()


async def store(session: AsyncSession, *rows: SQLModel) -> None:
    for row in rows:
        session.add(row)
        await session.flush()


def new_account(city_id: str | None, role: Role) -> Account:
    return Account(city_id=city_id, login=f"{uuid4().hex}@test", role=role)


def district(city_id: str, slug: str, west: float) -> District:
    ring = [[west, 43], [west + 1, 43], [west + 1, 44], [west, 44], [west, 43]]
    names = {"name_kk": slug, "name_ru": slug, "name_en": slug}
    outline = {"type": "Polygon", "coordinates": [ring]}
    return District(city_id=city_id, id=slug, outline=outline, source="made up", **names)

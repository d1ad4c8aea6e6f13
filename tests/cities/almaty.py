"""Almaty as it comes with the service, for tests."""

from uuid import uuid4

from app.core.database import Database
from app.models.cities import City
from app.schemas.cities import NewCity
from app.services import cities


def slug() -> str:
    return f"t-{uuid4().hex[:16]}"


def almaty() -> NewCity:
    """As it comes with the service, under a name of the test's own."""
    bundled = cities.bundled("almaty")
    assert bundled
    return bundled.model_copy(update={"id": slug()})


async def found(database: Database, new: NewCity) -> City:
    async with database.transaction() as session:
        return await cities.found(session, new)


async def district_at(database: Database, city_id: str, latitude: float, longitude: float) -> str | None:
    async with database.transaction() as session:
        city = await cities.get(session, city_id)
        return (await cities.districts(session, city)).at(latitude, longitude)

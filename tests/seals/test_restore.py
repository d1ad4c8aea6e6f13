"""A dump that is restored has other transaction numbers. Its seals hold, and go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from fastapi import FastAPI

from app.core.database import Database, DatabaseOptions
from app.jobs import sealing
from app.models.cities import City
from app.models.seals import SealedEntry
from tests.city import TestCity
from tests.conftest import TEMPLATE, copy_of, database_url, execute
from tests.dumps import copied
from tests.seals.sealing import fact, sealed, settled, verified


@asynccontextmanager
async def city_in(app: FastAPI, server: str, template: str) -> AsyncIterator[tuple[TestCity, str]]:
    """A city in a database that other tests have not tampered with, and the database's URL."""
    name = f"seals_{uuid4().hex}"
    url = database_url(server, name)
    await execute(server, copy_of(template, name))
    async with Database.opened(DatabaseOptions(url)) as database:
        city = TestCity(app, "almaty")
        city.database = database
        yield city, url
    await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def test_seals_survive_a_dump_and_go_on(app: FastAPI, server: str):
    async with (
        city_in(app, server, TEMPLATE) as (here, url),
        city_in(app, server, "template0") as (there, other),
    ):
        await here.add(City(id=here.id, name_kk="Қала", name_ru="Город", name_en="City", time_zone="Asia/Almaty"))
        await fact(here)
        await sealed(here)
        unsealed = await fact(here)
        marked = await sealing.mark(here.database)
        await asyncio.to_thread(copied, url, other)
        assert (await verified(there)).misfit is None
        assert await settled(there, marked)
        assert await sealed(there) == 1
        (new,) = [row for row in await there.rows(SealedEntry) if row.id == unsealed]
        assert new.position == 0
        verdict = await verified(there)
        assert (verdict.seals, verdict.entries, verdict.misfit) == (2, 2, None)

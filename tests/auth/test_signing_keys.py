import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import pytest
import time_machine
from fastapi import FastAPI
from jose import jwt
from sqlmodel import select

from app.core.cipher import Cipher, WrongSecretError
from app.core.clock import utc_now
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.core.tokens import LIFETIME
from app.domain.permissions import Role
from app.jobs import housekeeping
from app.main import create_app
from app.models.accounts import SigningKey
from app.services.signing_keys import PUBLISHED_BEFORE, SIGNS_FOR
from tests.auth.devices import Device, device, part, person
from tests.auth.test_refresh import tables_with
from tests.city import Client, TestCity, found_city
from tests.conftest import SECRET_KEY

A_MINUTE = timedelta(minutes=1)


async def a_minute_passes(app: FastAPI) -> None:
    state = app.state
    await housekeeping.once(state.database, Cipher(SECRET_KEY), state.identity, state.settings)


async def published(client: Client) -> dict[str, dict[str, str]]:
    return {key["kid"]: key for key in (await client.get("http://test/.well-known/jwks.json")).json()["keys"]}


async def signs(city: TestCity) -> tuple[str, Device]:
    """The key that signs now, and a device with a token signed by it."""
    phone = await device(city, await person(city))
    return part(phone.tokens["access_token"], 0)["kid"], phone


async def test_the_published_key_verifies_a_token_and_is_only_the_public_half(city: TestCity):
    kid, phone = await signs(city)
    key = (await published(city.anonymous))[kid]
    claims = jwt.decode(phone.tokens["access_token"], key, algorithms=["ES256"], audience="narkostop")
    assert claims["iss"] == "http://127.0.0.1:8000"
    assert key.keys() == {"kid", "kty", "alg", "crv", "x", "y", "use"}


async def test_a_rotation_surprises_nobody(own_app: FastAPI):
    born: datetime = utc_now()
    async with found_city(own_app) as city:
        old, _ = await signs(city)

        with time_machine.travel(born + SIGNS_FOR + A_MINUTE):
            await a_minute_passes(own_app)
            new = ((await published(city.anonymous)).keys() - {old}).pop()
            assert (await signs(city))[0] == old, "the new key is published before it signs"

        with time_machine.travel(born + SIGNS_FOR + PUBLISHED_BEFORE):
            await a_minute_passes(own_app)
            kid, last_of_the_old = await signs(city)
            assert kid == old

        with time_machine.travel(born + SIGNS_FOR + PUBLISHED_BEFORE + 2 * A_MINUTE):
            await a_minute_passes(own_app)
            assert (await signs(city))[0] == new
            assert (await last_of_the_old.read()).status_code == 200

        with time_machine.travel(born + SIGNS_FOR + PUBLISHED_BEFORE + LIFETIME - A_MINUTE):
            await a_minute_passes(own_app)
            assert (await last_of_the_old.read()).status_code == 200, "until it expires"

        with time_machine.travel(born + SIGNS_FOR + timedelta(days=2)):
            await a_minute_passes(own_app)
            assert (await published(city.anonymous)).keys() == {new}


async def test_a_service_that_slept_for_a_year_starts_with_one_new_key(own_settings: Settings):
    async with running(own_settings) as city:
        old = await published(city.anonymous)
    with time_machine.travel(utc_now() + timedelta(days=365)):
        async with running(own_settings) as city:
            kid, phone = await signs(city)
            assert (await published(city.anonymous)).keys() == {kid}
            assert kid not in old
            assert (await phone.read()).status_code == 200


async def test_a_token_outlives_a_restart(own_settings: Settings):
    async with running(own_settings) as city:
        phone = await device(city, await person(city, Role.ADMIN))
    async with running(own_settings) as city:
        assert (await city.anonymous.get("/accounts/me", headers=phone.bearer)).status_code == 200


async def test_processes_that_start_together_make_one_key(own_settings: Settings):
    async with AsyncExitStack() as stack:
        options = DatabaseOptions(own_settings.database_url or "")
        databases = [await stack.enter_async_context(Database.opened(options)) for _ in range(4)]
        cipher = Cipher(SECRET_KEY)
        made = await asyncio.gather(*(housekeeping.signing_keys(database, cipher) for database in databases))
    assert len({key.kid for keys in made for key in keys}) == 1


async def test_private_keys_are_encrypted_in_the_database(city: TestCity):
    (row, *_) = await keys_of(city.database)
    assert b"PRIVATE KEY" in Cipher(SECRET_KEY).decrypt(row.private_pem_encrypted)
    assert await tables_with(city.database, "PRIVATE KEY") == set()


async def test_with_another_secret_the_service_does_not_start(settings: Settings, app: FastAPI):
    other = create_app(settings.model_copy(update={"secret_key": type(settings.secret_key)("x" * 32)}))
    with pytest.raises(WrongSecretError, match="encrypted with another secret key"):
        async with other.router.lifespan_context(other):
            pass


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="fewer than 32 characters"):
        Cipher("x" * 31)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[TestCity]:
    app = create_app(settings)
    async with app.router.lifespan_context(app), found_city(app) as city:
        yield city


async def keys_of(database: Database) -> list[SigningKey]:
    async with database.transaction() as session:
        return list(await session.exec(select(SigningKey)))

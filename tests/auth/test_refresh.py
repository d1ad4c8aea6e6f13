import asyncio
from datetime import timedelta

import time_machine
from sqlalchemy import text

from app.core.clock import utc_now
from app.core.database import Database
from app.core.tokens import LIFETIME
from app.domain.permissions import Role
from app.services.sign_in import SIGNED_IN_FOR
from tests.auth.devices import Device, device, person, refresh, refusal
from tests.city import TestCity

A_SECOND = timedelta(seconds=1)


async def test_a_refresh_token_gives_the_next_pair(city: TestCity):
    phone = await device(city, await person(city))
    first = phone.tokens
    assert (await phone.refresh()).status_code == 200
    assert phone.tokens["refresh_token"] != first["refresh_token"]
    assert (await phone.read()).status_code == 200
    assert (await phone.refresh()).status_code == 200


async def test_a_copied_refresh_token_ends_the_sign_in_of_thief_and_owner(city: TestCity):
    account = await person(city)
    phone, laptop = await device(city, account), await device(city, account)
    thief = Device(city.anonymous, phone.tokens)
    await phone.refresh()

    stolen = await thief.refresh()

    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_refused")
    assert (await phone.refresh()).status_code == 401
    assert [(await each.read()).status_code for each in (phone, thief, laptop)] == [401, 401, 200]


async def test_of_many_uses_at_once_one_wins_and_the_sign_in_ends(city: TestCity):
    phone = await device(city, await person(city))
    token = phone.tokens["refresh_token"]
    answers = await asyncio.gather(*(refresh(city.anonymous, token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    phone.tokens = next(answer.json() for answer in answers if answer.is_success)
    assert (await phone.read()).status_code == 401
    assert (await phone.refresh()).status_code == 401


async def test_a_made_up_token_is_refused_like_a_used_one(city: TestCity):
    phone = await device(city, await person(city))
    used = phone.tokens["refresh_token"]
    await phone.refresh()
    made_up = await refresh(city.anonymous, "A" * 43)
    assert refusal(made_up) == refusal(await refresh(city.anonymous, used))


async def test_a_suspended_account_is_not_refreshed(city: TestCity):
    account = await person(city)
    phone = await device(city, account)
    admin = await city.as_(Role.ADMIN)
    await admin.put(f"/accounts/{account.id}/access", json={"role": "coordinator", "is_active": False})
    assert (await phone.refresh()).status_code == 401


async def test_an_access_token_lives_fifteen_minutes(city: TestCity):
    phone = await device(city, await person(city))
    with time_machine.travel(utc_now() + LIFETIME - 10 * A_SECOND):
        assert (await phone.read()).status_code == 200
    with time_machine.travel(utc_now() + LIFETIME + A_SECOND):
        assert (await phone.read()).status_code == 401
        assert (await phone.refresh()).status_code == 200
        assert (await phone.read()).status_code == 200


async def test_thirty_days_after_signing_in_the_password_is_asked_for_again(city: TestCity):
    phone = await device(city, await person(city))
    with time_machine.travel(utc_now() + SIGNED_IN_FOR - timedelta(minutes=1)):
        assert (await phone.refresh()).status_code == 200
    with time_machine.travel(utc_now() + SIGNED_IN_FOR + A_SECOND):
        assert (await phone.refresh()).status_code == 401


async def test_the_database_holds_no_token_that_could_be_used(city: TestCity):
    account = await person(city)
    phone = await device(city, account)
    await phone.refresh()
    assert await tables_with(city.database, account.login) == {"account"}
    for token in phone.tokens["refresh_token"], phone.tokens["access_token"]:
        assert await tables_with(city.database, token) == set()


async def tables_with(database: Database, secret: str) -> set[str]:
    """Every table in which the text stands, as text or as bytes."""
    found = set()
    async with database.transaction() as session:
        connection = await session.connection()
        names = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for name in names.scalars().all():
            query = text(f'SELECT count(*) FROM "{name}" AS row WHERE row::text LIKE ANY (:forms)')
            forms = [f"%{secret}%", f"%{secret.encode().hex()}%"]
            if (await connection.execute(query, {"forms": forms})).scalar_one():
                found.add(name)
    return found

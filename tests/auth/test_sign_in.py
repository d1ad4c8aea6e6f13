import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pwdlib import PasswordHash

from app.core.config import Settings
from app.domain.permissions import AccountKind, Role
from app.main import create_app
from app.services.accounts import canonical
from tests.auth.devices import PASSWORD, device, hashed, part, person, refusal, sign_in, sign_in_service
from tests.city import TestCity, found_city, raid_plan
from tests.fixtures import RECOMMENDED

HASH_CPU_S = 0.02
"""Far less than one argon2id of 64 MiB, far more than a request without one."""


def phone() -> str:
    return f"701{uuid4().int % 10**7:07}"


async def test_a_password_gives_a_pair_of_tokens_that_no_cache_keeps(city: TestCity):
    answer = await sign_in(city.anonymous, (await person(city)).login)
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert answer.headers["cache-control"] == "no-store"
    assert {"access_token", "refresh_token"} <= tokens.keys()


async def test_an_e_mail_address_is_the_same_in_capitals(city: TestCity):
    account = await person(city)
    assert (await sign_in(city.anonymous, f" {account.login.upper()} ")).status_code == 200


async def test_a_volunteer_types_the_phone_number_as_people_do(city: TestCity):
    digits = phone()
    await person(city, Role.VOLUNTEER, login=f"+7{digits}")
    assert (await sign_in(city.anonymous, f"8 ({digits[:3]}) {digits[3:6]}-{digits[6:]}")).status_code == 200


@pytest.mark.parametrize(
    "typed", ["87011234567", "+77011234567", "77011234567", "7011234567", "8\u00a0701\u2013123 4567"]
)
def test_a_phone_number_is_one_login_however_it_is_typed(typed: str):
    assert canonical(typed) == "+77011234567"


@pytest.mark.parametrize("login", ["aisulu87011234567", "87011234567@mail.kz", "8701flowers", "112", "dashboard-87011"])
def test_a_login_with_digits_in_it_is_not_a_phone_number(login: str):
    assert canonical(login) == login


async def test_a_letter_of_two_characters_is_the_same_letter_in_a_password(city: TestCity):
    admin, account = await city.as_(Role.ADMIN), await person(city)
    code = (await admin.post(f"/accounts/{account.id}/invite")).json()["code"]
    chosen = {"login": account.login, "code": code, "password": "\u0438\u0306ошкар-ола ё"}
    assert (await city.anonymous.post("/auth/password", json=chosen)).status_code == 204
    assert (await sign_in(city.anonymous, account.login, "\u0439ошкар-ола ё")).status_code == 200


@pytest.fixture
async def costly(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestCity]:
    """A city where a password takes as long as it does in earnest."""
    monkeypatch.setattr(PasswordHash, "recommended", RECOMMENDED)
    hashed.cache_clear()
    app = create_app(settings.model_copy(update={"write_connections": 2}))
    async with app.router.lifespan_context(app), found_city(app) as city:
        yield city
    hashed.cache_clear()


@pytest.fixture
async def strangers(costly: TestCity) -> dict[str, dict[str, str]]:
    """Everybody who must not get in, with what they send."""
    known = await person(costly)
    suspended = await person(costly, is_active=False)
    invited = await person(costly, secret_hash=None)
    service = await person(costly, kind=AccountKind.SERVICE)

    def password(login: str, secret: str = PASSWORD) -> dict[str, str]:
        return {"grant_type": "password", "username": login, "password": secret}

    def secret(login: str) -> dict[str, str]:
        return {"grant_type": "client_credentials", "client_id": login, "client_secret": PASSWORD}

    return {
        "wrong password": password(known.login, "not this one"),
        "empty password": password(known.login, ""),
        "unknown login": password(f"{uuid4().hex}@example.kz"),
        "suspended": password(suspended.login),
        "has not chosen a password yet": password(invited.login),
        "service with a person's grant": password(service.login),
        "person with a service's grant": secret(known.login),
        "no login": {"grant_type": "password"},
    }


async def test_nobody_can_tell_from_a_refusal_or_its_time_whether_a_login_exists(
    costly: TestCity, strangers: dict[str, dict[str, str]]
):
    answers = {}
    for name, asked in strangers.items():
        before = time.process_time()  # of all threads: what argon2 takes cannot be hidden from it
        answers[name] = refusal(await costly.anonymous.post("/auth/token", data=asked))
        assert time.process_time() - before > HASH_CPU_S, f"{name}: no password was hashed"
    assert answers["unknown login"]["status"] == 401
    assert answers["unknown login"]["code"] == "wrong_credentials"
    assert all(answer == answers["unknown login"] for answer in answers.values()), answers


async def test_a_request_without_a_hash_takes_far_less_time(city: TestCity):
    """The control of the measurement above."""
    before = time.process_time()
    await city.anonymous.get("/auth/nothing")
    assert time.process_time() - before < HASH_CPU_S


async def test_a_service_signs_in_with_its_secret_and_gets_no_refresh_token(city: TestCity):
    service = await person(city, Role.ANALYST, kind=AccountKind.SERVICE)
    tokens = (await sign_in_service(city.anonymous, service.login, PASSWORD)).json()
    assert "refresh_token" not in tokens
    metrics = await city.anonymous.get("/metrics", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert metrics.status_code == 200


async def test_an_access_token_says_nothing_personal(city: TestCity):
    account = await person(city, login=f"+7{phone()}")
    claims = part((await device(city, account)).tokens["access_token"], 1)
    assert claims.keys() == {"iss", "aud", "sub", "jti", "iat", "exp", "role", "city", "ver", "sid"}
    assert claims["sub"] == str(account.id)
    assert (claims["role"], claims["city"], claims["ver"]) == ("coordinator", city.id, 1)


async def test_others_are_served_while_many_sign_in(costly: TestCity):
    """argon2 runs beside the event loop, and whoever waits for it holds no connection."""
    account, coordinator = await person(costly), await costly.as_(Role.COORDINATOR)
    await coordinator.get("/raids")
    sign_ins = [asyncio.create_task(sign_in(costly.anonymous, account.login)) for _ in range(12)]
    await asyncio.sleep(0.05)

    lags = []
    for _ in range(5):
        begun = time.monotonic()
        assert (await coordinator.post("/raids", json=raid_plan())).status_code == 201
        lags.append(time.monotonic() - begun)

    assert sum(task.done() for task in sign_ins) < len(sign_ins) / 2, "nothing was measured"
    assert max(lags) < 0.4
    assert {answer.status_code for answer in await asyncio.gather(*sign_ins)} == {200}

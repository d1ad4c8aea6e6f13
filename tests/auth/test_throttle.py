import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from app.core.config import Settings
from app.core.throttle import Allowance, ThrottledError
from app.domain.permissions import AccountKind
from app.main import create_app
from tests.auth.devices import PASSWORD, person, sign_in, sign_in_service
from tests.city import TestCity, application, found_city

LIMIT = 3
WRONG = "not this one"


@pytest.fixture
async def strict(settings: Settings) -> AsyncIterator[TestCity]:
    """A city of an app that counts to three, and of one address to thirty."""
    limits = {"sign_ins_per_minute": LIMIT, "applications_per_hour": LIMIT}
    app = create_app(settings.model_copy(update=limits))
    async with app.router.lifespan_context(app), found_city(app) as city:
        yield city


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def from_address(city: TestCity, address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(city.app, client=(address, 1)), base_url="http://test/v1")


async def guess_code(client: httpx.AsyncClient, login: str) -> int:
    """Counted like a sign-in, and refused before anything is hashed."""
    return (await client.post("/auth/password", json={"login": login, "code": "0", "password": "short"})).status_code


def test_ten_failed_sign_ins_a_minute_are_allowed_unless_set_otherwise():
    assert Settings.model_fields["sign_ins_per_minute"].default == 10


async def test_failures_add_up_for_one_account_and_for_no_other(strict: TestCity):
    account, colleague = await person(strict), await person(strict)
    for _ in range(LIMIT):
        assert (await sign_in(strict.anonymous, account.login, WRONG)).status_code == 401

    refused = await sign_in(strict.anonymous, account.login)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await sign_in(strict.anonymous, colleague.login)).status_code == 200


@pytest.mark.parametrize(("proxy", "refused"), [("127.0.0.1", 0), ("192.0.2.9", 1)])
async def test_a_proxy_of_ours_says_who_asks(strict: TestCity, proxy: str, refused: int):
    account = await person(strict)
    async with from_address(strict, proxy) as client:
        said = []
        for number in range(LIMIT + 1):
            client.headers["X-Forwarded-For"] = f"198.51.100.{number}"
            said.append(await guess_code(client, account.login))
    assert said.count(429) == refused


async def test_nobody_locks_anothers_account_for_everybody(strict: TestCity):
    account = await person(strict)
    async with from_address(strict, "192.0.2.7") as guesser, from_address(strict, "192.0.2.8") as owner:
        for _ in range(10 * LIMIT):
            await guess_code(guesser, account.login)
        assert (await sign_in(guesser, account.login)).status_code == 429
        assert (await sign_in(owner, account.login)).status_code == 200


async def test_guesses_from_many_addresses_add_up_too(strict: TestCity):
    login = f"{uuid4().hex}@example.kz"
    for n in range(20 * LIMIT):
        async with from_address(strict, f"198.51.100.{n}") as client:
            assert await guess_code(client, login) == 422
    async with from_address(strict, "198.51.100.250") as client:
        assert await guess_code(client, login) == 429
        assert await guess_code(client, f"another-{login}") == 422


async def test_the_right_password_clears_the_count(strict: TestCity):
    account = await person(strict)
    for password in (WRONG, WRONG, PASSWORD, WRONG, WRONG):
        answer = await sign_in(strict.anonymous, account.login, password)
        assert answer.status_code == (200 if password == PASSWORD else 401)


async def test_many_guesses_at_once_do_not_slip_through(strict: TestCity):
    account = await person(strict)
    guesses = await asyncio.gather(*(sign_in(strict.anonymous, account.login, f"{WRONG} {n}") for n in range(50)))
    assert sorted(guess.status_code for guess in guesses) == [401] * LIMIT + [429] * (50 - LIMIT)


async def test_each_way_of_typing_a_login_counts_as_the_same(strict: TestCity):
    phone = f"701{uuid4().int % 10**7:07}"
    for typed in (f"+7{phone}", f"8{phone}", f"8 {phone[:3]} {phone[3:]}"):
        assert await guess_code(strict.anonymous, typed) == 422
    assert await guess_code(strict.anonymous, f"8-{phone}") == 429
    for typed in ("Asel@Example.kz", "asel@example.kz", " ASEL@EXAMPLE.KZ"):
        assert await guess_code(strict.anonymous, typed) == 422
    assert await guess_code(strict.anonymous, "aSEL@example.kz") == 429


async def test_passwords_codes_and_service_secrets_are_guessed_at_from_one_count(strict: TestCity):
    service = await person(strict, kind=AccountKind.SERVICE)
    await guess_code(strict.anonymous, service.login)
    await sign_in(strict.anonymous, service.login, WRONG)
    await sign_in_service(strict.anonymous, service.login, WRONG)
    assert (await sign_in_service(strict.anonymous, service.login, PASSWORD)).status_code == 429
    assert await guess_code(strict.anonymous, service.login) == 429


@pytest.mark.parametrize(
    ("address", "neighbour", "stranger"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:2::1"),
        ("::ffff:192.0.2.3", "192.0.2.3", "::ffff:192.0.2.4"),
    ],
)
async def test_one_address_tries_ten_times_as_often_whatever_it_makes_up(
    strict: TestCity, address, neighbour, stranger
):
    async with from_address(strict, address) as client:
        for n in range(10 * LIMIT):
            assert await guess_code(client, f"{n}@example.kz") == 422
        assert await guess_code(client, "another@example.kz") == 429
    async with from_address(strict, neighbour) as client:
        assert await guess_code(client, "another@example.kz") == 429
    async with from_address(strict, stranger) as client:
        assert await guess_code(client, "another@example.kz") == 422


async def test_applications_are_counted_by_address(strict: TestCity):
    where = f"/public/{strict.id}/volunteers"
    for _ in range(LIMIT):
        assert (await strict.anonymous.post(where, json=application())).status_code == 202
    refused = await strict.anonymous.post(where, json=application())
    assert (refused.status_code, int(refused.headers["retry-after"])) == (429, 1200)


def test_made_up_logins_do_not_fill_the_memory():
    clock = Clock()
    attempts = Allowance(10, 60, clock)
    for n in range(20_000):
        clock.now += 0.06
        attempts.take(str(n))
    assert len(attempts) <= 2_000


def test_retry_after_says_when_the_next_attempt_is_allowed():
    clock = Clock()
    attempts = Allowance(10, 60, clock)
    for _ in range(10):
        attempts.take("guessed at")
    with pytest.raises(ThrottledError) as refused:
        attempts.take("guessed at")
    assert refused.value.retry_after_s == 6
    clock.now += 6
    attempts.take("guessed at")
    with pytest.raises(ThrottledError):
        attempts.take("guessed at")


def test_sweeping_forgets_nobody_who_still_counts():
    attempts = Allowance(2, 60)
    for _ in range(2):
        attempts.take("guessed at")
    for n in range(5_000):
        attempts.take(str(n))
    with pytest.raises(ThrottledError):
        attempts.take("guessed at")

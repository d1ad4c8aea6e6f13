"""Tokens of an identity provider that the city already has. It says who; our account says what they may do."""

import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jose import jws
from pydantic import HttpUrl

from app.core.clock import utc_now
from app.core.config import Settings
from app.core.tokens import Issuer, SigningKey
from app.domain.permissions import Role
from app.main import create_app
from app.models.accounts import Account
from tests.auth.devices import device, person, refusal
from tests.auth.test_signing_keys import a_minute_passes
from tests.city import TestCity, found_city

NAME = "https://id.example.kz/realms/city"
AUDIENCE = "narkostop-almaty"


class OutsideIssuer:
    """Serves a key set on loopback and signs with its first key."""

    def __init__(self) -> None:
        self.keys = [SigningKey.generate()]
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": [key.public_jwk() for key in issuer.keys]}).encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name it has there
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"

    def token(self, subject: str, *, issuer: str = NAME, audience: str = AUDIENCE, **claims: Any) -> str:
        return Issuer(self.keys[0], issuer=issuer, audience=audience).issue(
            subject=subject, claims=claims, now=utc_now()
        )


@pytest.fixture
def outside() -> Iterator[OutsideIssuer]:
    issuer = OutsideIssuer()
    # It looks that often whether it should end.
    thread = threading.Thread(target=issuer.server.serve_forever, args=[0.01])
    thread.start()
    yield issuer
    issuer.server.shutdown()
    thread.join()
    issuer.server.server_close()


def naming(settings: Settings, url: str) -> Settings:
    outside = {"external_issuer": NAME, "external_audience": AUDIENCE, "external_jwks_url": HttpUrl(url)}
    return settings.model_copy(update=outside)


@pytest.fixture
async def trusting(settings: Settings, outside: OutsideIssuer) -> AsyncIterator[TestCity]:
    """A city of an app that accepts the outside issuer's tokens."""
    app = create_app(naming(settings, outside.url))
    async with app.router.lifespan_context(app), found_city(app) as city:
        yield city


async def known(city: TestCity, **particulars: Any) -> Account:
    return await person(city, external_issuer=NAME, external_subject=uuid4().hex, **particulars)


async def read(city: TestCity, token: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return await city.anonymous.get("/accounts/me", headers={"Authorization": f"Bearer {token}", **(headers or {})})


async def test_a_known_subject_acts_as_our_account_says_and_not_as_the_token_does(
    trusting: TestCity, outside: OutsideIssuer
):
    account = await known(trusting, role=Role.ANALYST)
    token = outside.token(account.external_subject, role="admin", city="astana", ver=1, sid=str(uuid4()))
    assert (await read(trusting, token)).json()["role"] == "analyst"
    refused = await trusting.anonymous.get("/accounts", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 403


async def test_a_change_of_role_takes_effect_on_the_next_request(trusting: TestCity, outside: OutsideIssuer):
    account, admin = await known(trusting), await trusting.as_(Role.ADMIN)
    token = outside.token(account.external_subject)
    await admin.put(f"/accounts/{account.id}/access", json={"role": "moderator", "is_active": True})
    assert (await read(trusting, token)).json()["role"] == "moderator"
    await admin.put(f"/accounts/{account.id}/access", json={"role": "moderator", "is_active": False})
    assert (await read(trusting, token)).status_code == 401


async def test_whoever_we_do_not_know_stays_out(trusting: TestCity, outside: OutsideIssuer):
    account, suspended = await known(trusting), await known(trusting, is_active=False)
    ours = await person(trusting, external_issuer="https://elsewhere.example", external_subject=uuid4().hex)
    subject = account.external_subject
    genuine = outside.token(subject)
    stranger = OutsideIssuer()
    stranger.server.server_close()
    refused = {
        "unknown subject": outside.token("nobody"),
        "suspended account": outside.token(suspended.external_subject),
        "subject of another issuer": outside.token(ours.external_subject),
        "the id of our account": outside.token(str(account.id)),
        "wrong audience": outside.token(subject, audience="another service"),
        "our audience": outside.token(subject, audience="narkostop"),
        "wrong issuer": outside.token(subject, issuer="https://id.example.kz"),
        "our name": outside.token(subject, issuer="http://127.0.0.1:8000"),
        "another key": stranger.token(subject),
        "our kid, another key": signed_by_a_namesake(outside, subject),
        "no signature": genuine.rpartition(".")[0] + ".",
        "alg none": tampered(genuine, alg="none"),
        "HMAC with the public key": signed_with_public_key(outside, genuine),
    }
    answers = {name: refusal(await read(trusting, token)) for name, token in refused.items()}
    assert answers["unknown subject"]["status"] == 401
    assert all(answer == answers["unknown subject"] for answer in answers.values()), answers
    assert (await read(trusting, genuine)).status_code == 200


async def test_the_issuer_may_change_its_keys(trusting: TestCity, outside: OutsideIssuer):
    account = await known(trusting)
    old = outside.token(account.external_subject)
    outside.keys = [SigningKey.generate()]
    new = outside.token(account.external_subject)
    assert (await read(trusting, new)).status_code == 401

    await a_minute_passes(trusting.app)

    assert (await read(trusting, new)).status_code == 200
    assert (await read(trusting, old)).status_code == 401


async def test_the_keys_known_before_serve_while_the_issuer_is_down(trusting: TestCity, outside: OutsideIssuer):
    account = await known(trusting)
    outside.keys, key = [], outside.keys[0]
    await a_minute_passes(trusting.app)
    outside.keys = [key]
    assert (await read(trusting, outside.token(account.external_subject))).status_code == 200


async def test_an_issuer_that_is_down_at_the_start_keeps_only_its_own_people_out(
    settings: Settings, outside: OutsideIssuer
):
    app = create_app(naming(settings, "http://127.0.0.1:9/jwks.json"))
    async with app.router.lifespan_context(app), found_city(app) as city:
        account = await known(city)
        assert (await (await device(city, account)).read()).status_code == 200
        assert (await read(city, outside.token(account.external_subject))).status_code == 401


async def test_no_outside_issuer_is_believed_unless_one_is_configured(city: TestCity, outside: OutsideIssuer):
    account = await known(city)
    assert (await read(city, outside.token(account.external_subject))).status_code == 401


def signed_by_a_namesake(outside: OutsideIssuer, subject: str) -> str:
    namesake = replace(SigningKey.generate(), kid=outside.keys[0].kid)
    return Issuer(namesake, issuer=NAME, audience=AUDIENCE).issue(subject=subject, claims={}, now=utc_now())


def tampered(token: str, **header: str) -> str:
    head = jws.get_unverified_header(token) | header
    encoded = jws.base64url_encode(json.dumps(head).encode()).decode()
    return f"{encoded}.{token.split('.')[1]}.AA"


def signed_with_public_key(outside: OutsideIssuer, token: str) -> str:
    secret = outside.keys[0].public_jwk()["x"]
    header = {"typ": "at+jwt", "kid": outside.keys[0].kid}
    return jws.sign(json.loads(jws.get_unverified_claims(token)), secret, header, "HS256")

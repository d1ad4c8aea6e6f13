"""People with passwords, and the devices they sign in on."""

import base64
import json
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
from pwdlib import PasswordHash

from app.domain.permissions import Role
from app.models.accounts import Account
from app.services.sign_in import begin
from tests.city import Client, TestCity

PASSWORD = "жаңа көше 2026"


@cache
def hashed() -> str:
    """Once for all people in these tests: it takes a tenth of a second."""
    return PasswordHash.recommended().hash(PASSWORD)


async def person(city: TestCity, role: Role = Role.COORDINATOR, **particulars: Any) -> Account:
    account = Account(
        **{
            "city_id": city.id,
            "login": f"{uuid4().hex}@example.kz",
            "role": role,
            "secret_hash": hashed(),
            **particulars,
        }
    )
    await city.add(account)
    return account


async def sign_in(client: Client, login: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/auth/token", data={"grant_type": "password", "username": login, "password": password})


async def sign_in_service(client: Client, client_id: str, secret: str) -> httpx.Response:
    asked = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return await client.post("/auth/token", data=asked)


async def refresh(client: Client, token: str) -> httpx.Response:
    return await client.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})


class Device:
    """Holds one pair of tokens, as a phone does."""

    def __init__(self, client: Client, tokens: dict[str, Any]) -> None:
        self._client = client
        self.tokens = tokens

    async def read(self) -> httpx.Response:
        return await self._client.get("/accounts/me", headers=self.bearer)

    async def post(self, path: str, **kwargs: Any) -> httpx.Response:
        return await self._client.post(path, headers=self.bearer, **kwargs)

    async def refresh(self) -> httpx.Response:
        answer = await refresh(self._client, self.tokens["refresh_token"])
        if answer.is_success:
            self.tokens = answer.json()
        return answer

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


async def device(city: TestCity, account: Account) -> Device:
    """Signed in without the tenth of a second that a password takes."""
    async with city.database.transaction() as session:
        begun = await begin(session, account)
    tokens = {"access_token": city.identity.access_token(begun), "refresh_token": begun.refresh_token}
    return Device(city.anonymous, tokens)


def part(token: str, index: int) -> dict[str, Any]:
    """Header (0) or claims (1), unverified."""
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def refusal(answer: httpx.Response) -> dict[str, Any]:
    """All that a refusal says, but for the request's own number."""
    return {"status": answer.status_code, **answer.json(), "instance": None}

"""A card's number is in the body of its report and nowhere after it."""

import asyncio
import json
import logging
import subprocess
from hashlib import sha256
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from app.core.embedded import PROGRAMS
from app.domain.payment_cards import digits_of
from app.domain.permissions import Role
from tests.city import TestCity


def new_number() -> str:
    """Of no other test."""
    body = f"400000{uuid4().int % 10**9:09}"
    return next(f"{body}{check}" for check in range(10) if digits_of(f"{body}{check}"))


async def test_a_number_is_neither_told_nor_logged_nor_kept(city: TestCity, caplog: pytest.LogCaptureFixture):
    moderator, number = await city.as_(Role.MODERATOR), new_number()
    mistyped = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    body = json.dumps({"number": number}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        answers = [await moderator.post("/payment-cards", content=body, headers=headers) for _ in range(2)]
        answers += [
            await moderator.post("/payment-cards", json={"number": int(number)}),
            await moderator.post("/payment-cards", json={"number": number, "bank": number}),
            await moderator.post("/payment-cards", json={"number": mistyped}),
            await moderator.post("/payment-cards", params={"number": number}, json={"number": number}),
            await moderator.get("/payment-cards", params={"after": number}),
            await moderator.get(f"/payment-cards/{number}"),
        ]
    assert [answer.status_code for answer in answers] == [201, 201, 422, 422, 422, 422, 422, 422]
    dump = await asyncio.to_thread(
        subprocess.run, [PROGRAMS / "pg_dump", city.app.state.settings.database_url], check=True, capture_output=True
    )

    told = "".join(answer.text for answer in answers) + str(logs) + caplog.text
    request = f"POST /v1/payment-cards? in {city.id}".encode() + b"\0" + body
    # With six digits unknown, whoever has a plain digest has the number.
    digests = (sha256(text).hexdigest() for text in (number.encode(), request))
    searched = [number, mistyped, number.encode().hex(), *digests]
    assert [found for found in searched if found in told + dump.stdout.decode()] == []
    assert headers["Idempotency-Key"] in dump.stdout.decode()
    assert len(logs) >= len(answers)

"""A figure, signed by a second person."""

import asyncio
from typing import Any

import httpx

from app.domain.permissions import Role
from tests.city import Client, TestCity

TITLES = {"kk": "Боялған жазбалар", "ru": "Закрашено надписей", "en": "Inscriptions <painted> & gone"}


async def drafted(city: TestCity, **changes: Any) -> dict[str, Any]:
    body = {"metric": "graffiti_painted", "titles": TITLES, **changes}
    return (await (await city.as_(Role.COORDINATOR)).post("/figures", json=body)).json()


async def sign(client: Client, figure_id: str, value: int) -> httpx.Response:
    """Other tests may be writing to the same server: then the moment is not over."""
    while True:
        answer = await client.post(f"/figures/{figure_id}/sign", json={"value": value})
        if answer.is_success or answer.json()["code"] != "not_settled":
            return answer
        await asyncio.sleep(0.01)


async def signed(city: TestCity, **changes: Any) -> dict[str, Any]:
    """Whatever the ledger gives."""
    figure = await drafted(city, **changes)
    analyst = await city.as_(Role.ANALYST)
    seen = (await analyst.get(f"/figures/{figure['id']}/check")).json()["recomputed"]["value"]
    answer = await sign(analyst, figure["id"], seen)
    assert answer.status_code == 200, answer.text
    return answer.json()

"""`narkostop account create` and a wrong secret."""

import re

from tests.city import TestCity
from tests.commands import Narkostop, said_by, started


async def test_the_first_admin_comes_from_the_command_line(city: TestCity, narkostop: Narkostop):
    login = f"{city.id}@example.kz"
    made = await narkostop("account", "create", login.upper(), "--city", city.id)
    assert made.status == 0, made.error
    code = re.search(r"([0-9a-f]{4}-){3}[0-9a-f]{4}", made.out)[0]
    chosen = {"login": login, "code": code, "password": "first of the city"}
    assert (await city.anonymous.post("/auth/password", json=chosen)).status_code == 204
    asked = {"grant_type": "password", "username": login, "password": "first of the city"}
    token = (await city.anonymous.post("/auth/token", data=asked)).json()["access_token"]
    listed = await city.anonymous.get("/accounts", headers={"Authorization": f"Bearer {token}"})
    assert [(account["login"], account["role"]) for account in listed.json()["items"]] == [(login, "admin")]

    again = await narkostop("account", "create", login, "--city", city.id)
    assert (again.status, again.error) == (
        1,
        "narkostop: An account with this login exists already, perhaps in another city.\n",
    )


async def test_an_account_needs_a_city_that_is_there(city: TestCity, narkostop: Narkostop):
    refused = await narkostop("account", "create", "someone@example.kz", "--city", "nowhere")
    assert (refused.status, refused.error) == (1, "narkostop: Not found: city.\n")


async def test_a_wrong_secret_is_one_line_and_no_server(city: TestCity, environment: dict[str, str]):
    refused = await said_by(await started(environment | {"NARKOSTOP_SECRET_KEY": "x" * 32}, "serve"))
    reason = "NARKOSTOP_SECRET_KEY is not right: the database was encrypted with another secret key"
    assert (refused.status, refused.error) == (1, f"narkostop: {reason}\n")

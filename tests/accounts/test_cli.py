"""`narkostop account create` and a wrong secret, in processes of their own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.config import Settings
from tests.city import TestCity
from tests.conftest import SECRET_KEY


@pytest.fixture
def narkostop(settings: Settings, tmp_path: Path):
    program = Path(sys.executable).with_name("narkostop")

    def run(*arguments: str, secret: str = SECRET_KEY) -> subprocess.CompletedProcess[str]:
        environment = {
            "DATABASE_URL": settings.database_url or "",
            "NARKOSTOP_SECRET_KEY": secret,
            "NARKOSTOP_DATA_DIR": str(tmp_path),
        }
        return subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False
        )

    return run


async def test_the_first_admin_comes_from_the_command_line(city: TestCity, narkostop):
    login = f"{city.id}@example.kz"
    made = narkostop("account", "create", login.upper(), "--city", city.id)
    assert made.returncode == 0, made.stderr
    code = re.search(r"([0-9a-f]{4}-){3}[0-9a-f]{4}", made.stdout)[0]
    chosen = {"login": login, "code": code, "password": "first of the city"}
    assert (await city.anonymous.post("/auth/password", json=chosen)).status_code == 204
    asked = {"grant_type": "password", "username": login, "password": "first of the city"}
    token = (await city.anonymous.post("/auth/token", data=asked)).json()["access_token"]
    listed = await city.anonymous.get("/accounts", headers={"Authorization": f"Bearer {token}"})
    assert [(account["login"], account["role"]) for account in listed.json()["items"]] == [(login, "admin")]

    again = narkostop("account", "create", login, "--city", city.id)
    assert (again.returncode, again.stderr) == (
        1,
        "narkostop: An account with this login exists already, perhaps in another city.\n",
    )


async def test_an_account_needs_a_city_that_is_there(city: TestCity, narkostop):
    refused = narkostop("account", "create", "someone@example.kz", "--city", "nowhere")
    assert (refused.returncode, refused.stderr) == (1, "narkostop: Not found: city.\n")


async def test_a_wrong_secret_is_one_line_and_no_server(city: TestCity, narkostop):
    refused = narkostop("serve", secret="x" * 32)
    reason = "NARKOSTOP_SECRET_KEY is not right: the database was encrypted with another secret key"
    assert (refused.returncode, refused.stderr) == (1, f"narkostop: {reason}\n")

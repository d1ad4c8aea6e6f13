"""Runs Alembic from the program, so that a deployment needs no second tool and no second address."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic import command

PROJECT = Path(__file__).parents[2]
# ALTER TABLE waits for the longest reader and makes everyone after it wait too: rather give up and try again.
LOCK_TIMEOUT_MS = 5_000
ONE_AT_A_TIME = 0x6E61726C
"""The advisory lock of whoever migrates."""


class NewerDatabaseError(Exception):
    """The database was migrated by a newer version of this program."""


def config(url: str | None = None) -> Config:
    """Alembic's own configuration, [tool.alembic] in pyproject.toml."""
    settings = Config(toml_file=PROJECT / "pyproject.toml")
    settings.attributes["url"] = url
    return settings


@cache
def head() -> str:
    """The revision this version of the program was written for."""
    revision = _scripts().get_current_head()
    if revision is None:
        raise LookupError("no migrations found: the alembic folder is missing from this installation")
    return revision


def upgrade(url: str, current: str | None) -> None:
    """Bring the database from revision `current` (None: empty) to `head`. Not to be called from a running loop."""
    if current is not None and current not in {script.revision for script in _scripts().walk_revisions()}:
        raise NewerDatabaseError(current)
    if current != head():
        command.upgrade(config(url), "head")


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config())

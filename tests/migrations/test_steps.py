"""Every migration goes up, down and up again, and gives up rather than make everyone wait."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from app.core import migrations
from app.core.migrations import NewerDatabaseError, head, upgrade
from sqlalchemy.exc import DBAPIError

from alembic import command
from tests.conftest import execute
from tests.migrations.catalogue import everything, rows

VERSION = "SELECT version_num FROM alembic_version"
UPGRADE = "import sys; from app.core.migrations import upgrade; upgrade(sys.argv[1], None)"


def revisions() -> list[str]:
    """The oldest first."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(migrations.config())


@contextmanager
def long_reader(url: str, table: str) -> Iterator[None]:
    """Somebody who has read from the table and not finished."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(url))
        runner.run(connection.execute(f"BEGIN; SELECT FROM {table} LIMIT 1"))
        try:
            yield
        finally:
            runner.run(connection.close())


def test_there_is_one_line_of_migrations():
    assert len(_scripts().get_heads()) == 1


def test_a_migration_is_named_by_its_day_and_its_words():
    names = [Path(script.path).name for script in _scripts().walk_revisions()]
    assert [name for name in names if not re.fullmatch(r"20\d{6}_[a-z0-9_]+\.py", name)] == []
    assert names == sorted(names, reverse=True)


def test_each_step_can_be_taken_back_and_again(empty: str):
    config = migrations.config(empty)
    states = [everything(empty)]
    for revision in revisions():
        command.upgrade(config, revision)
        states.append(everything(empty))
        command.downgrade(config, "-1")
        assert everything(empty) == states[-2], f"{revision} leaves something behind"
        command.upgrade(config, revision)
        assert everything(empty) == states[-1], f"{revision} is not the same the second time"
    assert states[0] == {}


def test_a_newer_database_is_refused_and_left_alone(migrated: str):
    asyncio.run(execute(migrated, "UPDATE alembic_version SET version_num = 'from the future'"))
    before = everything(migrated)

    with pytest.raises(NewerDatabaseError, match="from the future"):
        upgrade(migrated, "from the future")

    assert everything(migrated) == before
    assert rows(migrated, VERSION) == [("from the future",)]


def test_a_long_reader_makes_a_migration_give_up(migrated: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_MS", 200)
    before = everything(migrated)

    with long_reader(migrated, "ledger_entry"), pytest.raises(DBAPIError, match="lock timeout"):
        command.downgrade(migrations.config(migrated), "base")

    assert everything(migrated) == before
    command.downgrade(migrations.config(migrated), "base")
    assert everything(migrated) == {}


def test_giving_up_takes_seconds():
    assert 1_000 <= migrations.LOCK_TIMEOUT_MS <= 10_000


def test_two_processes_may_migrate_at_once(empty: str):
    processes = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, empty], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0], errors
    assert rows(empty, VERSION) == [(head(),)]

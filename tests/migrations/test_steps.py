"""Every migration goes up, down and up again, and gives up rather than make everyone wait."""

import asyncio
import re
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from alembic import command
from app.core import migrations
from app.core.migrations import NewerDatabaseError, head, upgrade
from tests.conftest import execute
from tests.migrations.catalogue import everything, rows, unfinished

VERSION = "SELECT version_num FROM alembic_version"
UPGRADE_WHEN_TOLD = """
import sys
from app.core.migrations import upgrade

print("ready", flush=True)
sys.stdin.readline()
upgrade(sys.argv[1], None)
"""


def revisions() -> list[str]:
    """The oldest first."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(migrations.config())


def test_there_is_one_line_of_migrations():
    assert len(_scripts().get_heads()) == 1


def test_a_migration_is_named_by_its_day_and_its_words():
    names = [Path(script.path).name for script in _scripts().walk_revisions()]
    assert [name for name in names if not re.fullmatch(r"20\d{6}_[a-z0-9_]+\.py", name)] == []
    days = [name[:8] for name in names]
    assert days == sorted(days, reverse=True)


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
    config = migrations.config(migrated)
    command.downgrade(config, revisions()[0])
    before = everything(migrated)

    with (
        unfinished(migrated, "BEGIN; SELECT FROM ledger_entry LIMIT 1"),
        pytest.raises(DBAPIError, match="lock timeout"),
    ):
        command.downgrade(config, "base")

    assert everything(migrated) == before
    command.downgrade(config, "base")
    assert everything(migrated) == {}


def test_giving_up_takes_seconds():
    assert 1_000 <= migrations.LOCK_TIMEOUT_MS <= 10_000


def test_processes_may_migrate_at_once(empty: str):
    command = [sys.executable, "-c", UPGRADE_WHEN_TOLD, empty]
    processes = [Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        assert process.stdin
        print(file=process.stdin, flush=True)
    errors = [process.communicate(timeout=60)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert rows(empty, VERSION) == [(head(),)]


async def test_whoever_waits_for_their_turn_is_not_waited_for(migrated: str):
    """A large table gets its index by CREATE INDEX CONCURRENTLY, which waits for every statement under way."""
    migrating = await asyncpg.connect(migrated)
    await migrating.execute(f"SELECT pg_advisory_lock({migrations.ONE_AT_A_TIME})")
    waiting = await asyncio.create_subprocess_exec(
        sys.executable, "-c", UPGRADE_WHEN_TOLD, migrated, stdin=PIPE, stderr=PIPE
    )
    assert waiting.stdin
    assert waiting.stderr
    waiting.stdin.write(b"now\n")
    assert b"waiting" in await waiting.stderr.readline()

    await asyncio.wait_for(migrating.execute("CREATE INDEX CONCURRENTLY another ON raid (title)"), 5)

    assert waiting.returncode is None
    await migrating.close()
    assert await asyncio.wait_for(waiting.wait(), 30) == 0

"""What PostgreSQL itself says a database consists of."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

COLUMNS = """
SELECT attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod)
    || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND relnamespace = 'public'::regnamespace
"""
# From 18 on NOT NULL is a constraint with a name of its own, too.
CONSTRAINTS = """
SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype NOT IN ('n', 't')
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
TRIGGERS = "SELECT tgrelid::regclass || ' ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
FUNCTIONS = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
TYPES = "SELECT typname, typtype::text FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype <> 'c'"


def rows(url: str, *queries: str) -> list[asyncpg.Record]:
    async def asked() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return [row for query in queries for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(asked())


def tables(url: str) -> dict[str, str]:
    """Columns, constraints and indexes: all that a model can say of its table."""
    return _without_alembic(rows(url, COLUMNS, CONSTRAINTS, INDEXES))


def everything(url: str) -> dict[str, str]:
    return _without_alembic(rows(url, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, FUNCTIONS, TYPES))


def _without_alembic(found: list[asyncpg.Record]) -> dict[str, str]:
    return {name: definition for name, definition in found if "alembic_version" not in name}


@contextmanager
def unfinished(url: str, statement: str) -> Iterator[None]:
    """Somebody who ran the statement and is still connected."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(url))
        runner.run(connection.execute(statement))
        try:
            yield
        finally:
            runner.run(connection.close())

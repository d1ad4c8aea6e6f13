"""What the role may do that the service connects as, where it is another than the one that owns the tables."""

import asyncpg

# The triggers refuse changes to these to everybody; a role that may not even try cannot be led to.
_GRANTS = """
SELECT format('GRANT %s ON TABLE %I TO %I',
    CASE
        WHEN relname = 'alembic_version' THEN 'SELECT'
        WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'append_only')
        THEN 'SELECT, INSERT'
        ELSE 'SELECT, INSERT, UPDATE, DELETE'
    END, relname, $1::text)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""
_FUNCTIONS = "SELECT format('GRANT EXECUTE ON FUNCTION analyse_records() TO %I', $1::text)"
_WITHDRAWN = "SELECT format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', $1::text)"


async def grant(url: str, role: str) -> None:
    """To be repeated after each migration. Raises LookupError for a role that is not there or owns the tables."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regrole(quote_ident($1)) IS NULL OR $1 = current_user", role):
            raise LookupError(role)
        async with connection.transaction():
            for query in (_WITHDRAWN, _GRANTS, _FUNCTIONS):
                for (statement,) in await connection.fetch(query, role):
                    await connection.execute(statement)
    finally:
        await connection.close()

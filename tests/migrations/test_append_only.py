"""What was counted or consented to is never changed or deleted, whoever tries (rules 4 and 11)."""

import asyncio

import asyncpg
import pytest

from tests.conftest import execute

TABLES = (
    "ledger_entry",
    "consent",
    "declared_count",
    "declared_withdrawal",
    "observation",
    "plan_item_change",
    "resource_event",
    "volunteer_event",
    "seal",
    "sealed_entry",
)
CHANGES = ("UPDATE {} SET city_id = city_id", "DELETE FROM {}", "TRUNCATE {} CASCADE")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses(unchanged: str, table: str, change: str):
    with pytest.raises(asyncpg.RestrictViolationError, match=f"{table} is append-only"):
        asyncio.run(execute(unchanged, change.format(table)))


def test_a_city_does_not_take_its_ledger_with_it(unchanged: str):
    with pytest.raises(asyncpg.RestrictViolationError, match="is append-only"):
        asyncio.run(execute(unchanged, "TRUNCATE city CASCADE"))


@pytest.mark.parametrize("change", CHANGES)
def test_other_tables_may_be_changed(unchanged: str, change: str):
    asyncio.run(execute(unchanged, change.format("assignment")))

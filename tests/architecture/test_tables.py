"""Every table of a city is keyed by the city, so that the schema itself forbids a link across cities."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlmodel import SQLModel

import app.models  # noqa: F401 makes the tables known

EXEMPT = {"account": "one login for the whole service; the republic's accounts have no city"}
SUMS = {"ledger_page", "tally", "tally_state"}
"""Nothing in them has an identity of its own: they are found by what they are the sums of."""


def keyless(tables: sa.MetaData) -> Iterator[str]:
    """What is wrong with tables that have a city_id."""
    of_city = {table for table in tables.tables.values() if "city_id" in table.c and table.name not in EXEMPT}
    for table in sorted(of_city, key=lambda table: table.name):
        key = table.primary_key.columns.keys()
        if key[:2] != ["city_id", "id"] and not (table.name in SUMS and key[0] == "city_id"):
            yield f"{table.name}: primary key {key}"
        yield from (
            f"{table.name}: foreign key {key.column_keys} -> {key.referred_table.name}"
            for key in table.foreign_key_constraints
            if key.referred_table in of_city and key.column_keys[0] != "city_id"
        )
        yield from (
            f"{table.name}: unique or index {columns}" for columns in _ordered(table) if columns[0] != "city_id"
        )


def _ordered(table: sa.Table) -> Iterator[list[str]]:
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            yield constraint.columns.keys()
    for index in table.indexes:
        yield [getattr(expression, "name", str(expression)) for expression in index.expressions]


def test_the_city_leads_every_key():
    assert list(keyless(SQLModel.metadata)) == []


def test_an_exempt_table_still_exists():
    assert EXEMPT.keys() | SUMS <= SQLModel.metadata.tables.keys()


def city_table(tables: sa.MetaData, name: str, *items: sa.schema.SchemaItem, key: bool = True) -> None:
    city_id = sa.Column("city_id", sa.Text, primary_key=key)
    sa.Table(name, tables, city_id, sa.Column("id", sa.Uuid, primary_key=True), *items)


def test_a_key_without_the_city_is_found():
    tables = sa.MetaData()
    city_table(tables, "good")
    city_table(tables, "a", key=False)
    city_table(tables, "b", sa.Column("good_id", sa.Uuid), sa.ForeignKeyConstraint(["good_id"], ["good.id"]))
    city_table(tables, "c", sa.Column("phone", sa.Text, unique=True))
    city_table(tables, "d", sa.Column("phone", sa.Text, index=True))

    assert list(keyless(tables)) == [
        "a: primary key ['id']",
        "b: foreign key ['good_id'] -> good",
        "c: unique or index ['phone']",
        "d: unique or index ['phone']",
    ]

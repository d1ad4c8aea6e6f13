"""Mappings from one office's columns to ours: those that we ship, and files of the same form."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from app.domain.errors import Fault, Invalid
from app.schemas.records import RemovalColumns, RemovalMapping
from app.services.records.table import Table

_SHIPPED = {file.stem: file for file in (Path(__file__).parents[2] / "data" / "mappings").glob("*.toml")}
FIELDS = frozenset(RemovalColumns.model_fields)
_REQUIRED = frozenset(name for name, field in RemovalColumns.model_fields.items() if field.is_required())


def shipped(name: str) -> RemovalMapping:
    """Raises Invalid `not_listed` for a name that we do not ship."""
    if name not in _SHIPPED:
        raise Invalid(Fault("not_listed", "/query/mapping", {"expected": ", ".join(sorted(_SHIPPED))}))
    return read(_SHIPPED[name].read_bytes())


def read(toml: bytes) -> RemovalMapping:
    """Raises tomllib.TOMLDecodeError, UnicodeDecodeError or pydantic.ValidationError for a file of another form."""
    return RemovalMapping.model_validate(tomllib.loads(toml.decode()))


def expected(mapping: RemovalMapping | None) -> frozenset[str]:
    """Headings by which a table is recognised; without a mapping they are our own names."""
    return frozenset(_columns(mapping).values()) if mapping else FIELDS


def places(mapping: RemovalMapping | None, table: Table) -> dict[str, int]:
    """Where each field stands. Raises Invalid `column_missing` for a column that is named and not there.

    Without a mapping nobody named a column, so only those that are required must be there.
    """
    if mapping:
        columns = _columns(mapping)
    else:
        columns = {name: name for name in FIELDS if name in _REQUIRED or name in table.header}
    return {field: table.place(column) for field, column in columns.items()}


def _columns(mapping: RemovalMapping) -> Mapping[str, str]:
    columns = mapping.columns.model_dump(exclude_none=True)
    return {**columns, "only": mapping.only.column} if mapping.only else columns

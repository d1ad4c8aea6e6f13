import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from app.core.clock import utc_now
from app.core.ids import new_id

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLModel types `sa_type` as a class where it takes an instance as well: hence Any here, once.
TIMESTAMP: Any = sa.DateTime(timezone=True)


def text_enum(enum: type[StrEnum], name: str) -> Any:
    """A text column with a CHECK on the enum's values: a new value is one migration, without a table lock."""

    def values(members: type[StrEnum]) -> list[str]:
        return [member.value for member in members]

    return sa.Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=values,
    )


def of_city(column: str, target: str) -> sa.ForeignKeyConstraint:
    """A foreign key that carries the city, so that no row can point into another city."""
    return sa.ForeignKeyConstraint(["city_id", column], [f"{target}.city_id", f"{target}.id"])


class Table(SQLModel):
    # Rows are not validated: to build what would do it is a twentieth of a command's start.
    model_config = {"defer_build": True}

    def __init__(self, **values: Any) -> None:
        """All columns at once. SQLModel sets one after the other, each with an event, and takes six times as long.

        In one flush no row may be deleted and another of its key be added: without events that is no change.
        """
        # Its rows cannot be hashed; the class can.
        columns, constants, factories = _columns(type(self))  # pyright: ignore[reportArgumentType]
        if not values.keys() <= columns:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(values.keys() - columns))}")
        made = {name: make() for name, make in factories.items() if name not in values}
        vars(self).update(constants, **made, **values)

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 # pyright: ignore[reportIncompatibleVariableOverride] both ask for the class
        """`LedgerEntry` is kept in `ledger_entry`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


@cache
def _columns(table: type[SQLModel]) -> tuple[frozenset[str], dict[str, Any], dict[str, Callable[[], Any]]]:
    """All; by name, what is the same in each new row; by name, what is made for each."""
    fields = table.model_fields
    factories = {name: cast("Any", field.default_factory) for name, field in fields.items() if field.default_factory}
    optional = {name: field.default for name, field in fields.items() if not field.is_required()}
    return frozenset(fields), {name: same for name, same in optional.items() if name not in factories}, factories


class CityEntity(Table):
    """A row of one city, found by `(city_id, id)`."""

    city_id: str = Field(primary_key=True, foreign_key="city.id", max_length=32)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP)


class Versioned(CityEntity):
    """A row that people change: the version is its ETag and is raised by each change.

    A change made from an older version than the row has is refused by the database layer (StaleDataError).
    """

    version: int = Field(default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 SQLAlchemy calls it with the class
        return {"version_id_col": SQLModel.metadata.tables[str(cls.__tablename__)].c.version}

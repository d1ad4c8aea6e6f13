"""The fast way through the house: one SELECT, answered by PostgreSQL as JSON and sent on as bytes.

A read is a function that composes a Core SELECT from `visible_to(role)`. It is compiled once for each role and
set of filters, then run on asyncpg with the values of the moment. It may depend on the role alone; whatever
differs between two people of one role comes in as a bound parameter (CITY, ACCOUNT, …), so that a cached
statement cannot remember who it was first compiled for. See docs/adr/0003-two-ways-through-the-house.md.

The last column asks whether the token still stands (role unchanged, not signed out): revocation takes effect
on the next request without a second trip to the database.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.database import Database, Row, fetch_within
from app.domain.errors import NotFound, Unauthenticated
from app.domain.permissions import Actor, Role
from app.models.accounts import Account, SignIn
from app.models.cities import City
from app.schemas.base import Out

CITY = sa.bindparam("actor_city_id", type_=sa.Text)
ACCOUNT = sa.bindparam("actor_account_id", type_=sa.Uuid)
ID = sa.bindparam("id", type_=sa.Uuid)
_AFTER = sa.bindparam("after", type_=sa.Uuid)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_VERSION = sa.bindparam("actor_authz_version", type_=sa.Integer)
_SIGN_IN = sa.bindparam("actor_sign_in_id", type_=sa.Uuid)

Query = sa.Select[*tuple[Any, ...]]
Fetch = Callable[..., Awaitable[Sequence[Row]]]
Compose = Callable[[Role | None, frozenset[str]], Query]
"""(role, names of the filters that were given) -> SELECT of labelled columns; None is the public."""

STANDS = sa.and_(
    sa.exists().where(
        col(Account.id) == ACCOUNT, col(Account.authz_version) == _VERSION, col(Account.is_active).is_(True)
    ),
    sa.or_(
        _SIGN_IN.is_(None),
        sa.exists().where(col(SignIn.id) == _SIGN_IN, col(SignIn.ended_at).is_(None)),
    ),
)


@dataclass(frozen=True, slots=True)
class Item:
    etag: str
    json: bytes


@dataclass(frozen=True, slots=True)
class Page:
    json: bytes
    next: str | None


@dataclass(frozen=True, slots=True)
class Compiled:
    sql: str
    names: tuple[str, ...]
    constants: dict[str, object]

    async def run(self, fetch: Fetch, values: dict[str, object]) -> Sequence[Row]:
        known = {**self.constants, **values}
        return await fetch(self.sql, *(known[name] for name in self.names))


async def one(database: Database, actor: Actor | None, compose: Compose, noun: str, **values: object) -> Item:
    """The item as `{...}` with its ETag. Raises NotFound, and Unauthenticated if the token no longer stands."""
    return _item(await _run(database.fetch, actor, compose, values), noun)


async def written(session: AsyncSession, actor: Actor | None, compose: Compose, noun: str, **values: object) -> Item:
    """The item as it stands in the session's own transaction: what a write answers with."""
    await session.flush()
    return _item(await _run(partial(fetch_within, session), actor, compose, values), noun)


async def confirm(session: AsyncSession, actor: Actor) -> None:
    """Raise Unauthenticated unless the actor's token still stands; asked once, when a write begins."""
    if not await _stands(partial(fetch_within, session), values_of(actor)):
        raise Unauthenticated("token_superseded")


async def check_stands(database: Database, actor: Actor) -> None:
    """As `confirm`, outside of a write: before somebody is told that their role is not enough."""
    if not await _stands(database.fetch, values_of(actor)):
        raise Unauthenticated("token_superseded")


async def check_city(database: Database, actor: Actor) -> None:
    """Raises NotFound unless the city is there that an account of none has named."""
    if not await _CITY_IS_THERE.run(database.fetch, values_of(actor)):
        raise NotFound("city")


async def page(database: Database, actor: Actor | None, compose: Compose, limit: int, **values: object) -> Page:
    """At most `limit` items as `{"items": [...], "next": ...}`; the SELECT is told one more, to see if there is one.

    A filter that is None was not given.
    """
    items, following = await _page(database, actor, compose, limit, values)
    return Page(f'{{"items":[{items}],"next":{_quoted(following)}}}'.encode(), following)


async def features(database: Database, actor: Actor | None, compose: Compose, limit: int, **values: object) -> Page:
    """As `page`, as a GeoJSON FeatureCollection."""
    items, following = await _page(database, actor, compose, limit, values)
    whole = f'{{"type":"FeatureCollection","features":[{items}],"next":{_quoted(following)}}}'
    return Page(whole.encode(), following)


async def _page(
    database: Database, actor: Actor | None, compose: Compose, limit: int, values: dict[str, object]
) -> tuple[str, str | None]:
    given = {name: value for name, value in values.items() if value is not None}
    rows = await _run(database.fetch, actor, compose, {**given, "limit": limit + 1})
    following = str(rows[limit - 1]["id"]) if len(rows) > limit else None
    return ",".join(row["json"] for row in rows[:limit]), following


def _quoted(following: str | None) -> str:
    return f'"{following}"' if following else "null"


async def document(database: Database, actor: Actor | None, compose: Compose, noun: str, **values: object) -> bytes:
    """The JSON of one row that has no version, such as a set of totals. Raises NotFound without a row."""
    given = {name: value for name, value in values.items() if value is not None}
    rows = await _run(database.fetch, actor, compose, given)
    if not rows:
        raise NotFound(noun)
    return rows[0]["json"].encode()


async def document_written(session: AsyncSession, actor: Actor, compose: Compose, noun: str, **values: object) -> bytes:
    """As `document`, as it stands in the session's own transaction."""
    await session.flush()
    rows = await _run(partial(fetch_within, session), actor, compose, values)
    if not rows:
        raise NotFound(noun)
    return rows[0]["json"].encode()


async def rows_within(session: AsyncSession, compose: Compose, **values: object) -> list[str]:
    """The JSON of each row, for a step that judges by them: compiled once, and without SQLAlchemy's share."""
    await session.flush()
    return [row["json"] for row in await _run(partial(fetch_within, session), None, compose, values)]


def fields(table: type[SQLModel], schema: type[Out], **computed: Any) -> list[Any]:
    """The columns that a schema names, so that what is declared and what is selected cannot part.

    A field that is no column of the table's own is given as `computed`.
    """
    known: dict[str, Any] = {name: getattr(table, name, None) for name in schema.model_fields} | computed
    return [known[name].label(name) for name in schema.model_fields]


def newest_first(query: Query, identifier: Any, given: frozenset[str]) -> Query:
    """One page in the order of creation: ids are UUIDv7, so the last one seen says where the next page starts."""
    if "after" in given:
        query = query.where(identifier < _AFTER)
    return query.order_by(identifier.desc()).limit(_LIMIT)


async def _run(fetch: Fetch, actor: Actor | None, compose: Compose, values: dict[str, object]) -> Sequence[Row]:
    read = _composed(compose, actor.role if actor else None, frozenset(values))
    if actor is None:
        return await read.run(fetch, values)
    identity = values_of(actor)
    rows = await read.run(fetch, values | identity)
    if not (rows[0]["stands"] if rows else await _stands(fetch, identity)):
        raise Unauthenticated("token_superseded")
    return rows


async def _stands(fetch: Fetch, identity: dict[str, object]) -> bool:
    return bool((await _GUARD.run(fetch, identity))[0]["stands"])


def _item(rows: Sequence[Row], noun: str) -> Item:
    if not rows:
        raise NotFound(noun)
    return Item(f'"{rows[0]["version"]}"', rows[0]["json"].encode())


def values_of(actor: Actor) -> dict[str, object]:
    """What CITY, ACCOUNT and the rest stand for when this actor asks."""
    return {
        "actor_city_id": actor.city_id,
        "actor_account_id": actor.account_id,
        "actor_authz_version": actor.authz_version,
        "actor_sign_in_id": actor.sign_in_id,
    }


@lru_cache(maxsize=1_000)
def _composed(compose: Compose, role: Role | None, given: frozenset[str]) -> Compiled:
    item = compose(role, given).subquery("item")
    columns: list[Any] = [item.c[name] for name in ("id", "version") if name in item.c]
    columns.append(sa.cast(sa.func.row_to_json(item.table_valued()), sa.Text).label("json"))
    if role is not None:
        columns.append(sa.select(STANDS).scalar_subquery().label("stands"))
    return compiled(sa.select(*columns))


def compiled(statement: Query | Insert) -> Compiled:
    """For asyncpg, once: parameters by their names in `run`."""
    text = statement.compile(dialect=dialect.dialect())
    if "POSTCOMPILE" in str(text):
        raise TypeError("a read is compiled once: compare with `= ANY(:list)`, not with IN")
    names = tuple(text.positiontup or ())
    constants = {name: value for name, value in text.params.items() if value is not None}
    return Compiled(str(text), names, constants)


_CITY_IS_THERE = compiled(sa.select(col(City.id)).where(col(City.id) == CITY))
_GUARD = compiled(sa.select(STANDS.label("stands")))

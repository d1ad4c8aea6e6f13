"""No read leaves the city out (rule 12).

What is answered as JSON is composed by functions of one shape. They are called here and the SELECT itself is
judged: equalities that always hold must tie each table in it to the city.
"""

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

import pytest
import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlmodel import col

import app.services
from app.domain.permissions import Role
from app.models.cities import City
from app.models.raids import Raid
from app.models.spots import Spot
from app.services.reads import CITY, Compose, Query

THE_CITY = frozenset({"actor_city_id", "city_id"})
EXEMPT_READS = {
    "calendars.feed": "found by a secret of the city; the account that it is for may be of no city",
    "programme.city_ids": "which cities there are; each is then asked for its own",
    "accounts.own_card": "an account is its owner's wherever it belongs; the republic's have no city",
}

Froms = dict[str, sa.FromClause]
Operand = tuple[str, str] | None


class Everything(frozenset[str]):
    """As if every filter were given."""

    def __contains__(self, _: object) -> bool:
        return True


@cache
def composers() -> dict[str, Compose]:
    """Every function in the services that takes what a read is composed from."""
    return {
        f"{module.name.removeprefix('app.services.')}.{name}": function
        for module in pkgutil.walk_packages(app.services.__path__, "app.services.")
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction)
        if [*inspect.signature(function).parameters] == ["role", "given"] and function.__module__ == module.name
    }


@dataclass(frozen=True)
class Around:
    """The tables of the SELECTs that one is part of: what it sees of itself, and what it must name to see."""

    seen: Froms = field(default_factory=Froms)
    further: Froms = field(default_factory=Froms)

    def of(self, select: Query) -> Froms:
        names_them = select._correlate or select._correlate_except is not None
        return self.seen | self.further if names_them else self.seen


def loose(select: Query, around: Around = Around()) -> Iterator[str]:
    """The tables that rows of another city could come from."""
    froms = select.get_final_froms()
    named = {name: table for item in froms for name, table in _tables(item)}
    here = {name: table for name, table in named.items() if name not in around.of(select)}
    if str(select.whereclause) == "false":
        return
    ties, tied, reach = [*_ties(select, froms)], set[Operand](), -1
    while reach != len(tied):
        reach = len(tied)
        tied |= {left for left, right in ties if right in tied or _is_the_city(right, here)}
    yield from (name for name, table in here.items() if _key(name, table) not in tied)
    further = around.seen | around.further
    for inner, is_beside in _inner(select):
        # What stands in FROM does not see the tables beside it.
        yield from loose(inner, Around({}, further) if is_beside else Around(here, further))


def _tables(item: sa.FromClause) -> Iterator[tuple[str, sa.FromClause]]:
    if isinstance(item, sa.Join):
        yield from (*_tables(item.left), *_tables(item.right))
    elif isinstance(item, sa.Table | sa.Alias) and not isinstance(item, sa.TableValuedAlias):
        yield str(item.name), item


def _key(name: str, item: sa.FromClause) -> Operand:
    return name, "id" if "time_zone" in item.c else "city_id"


def _is_the_city(operand: Operand, here: Froms) -> bool:
    """A parameter, or a column of an enclosing SELECT, which is judged there."""
    return operand is not None and (operand[0] == "" or operand[0] not in here)


def _ties(select: Query, froms: Sequence[sa.FromClause]) -> Iterator[tuple[Operand, Operand]]:
    joins = [join for item in froms for join in _joins(item)]
    for condition in _conjuncts(select.whereclause):
        yield from _equal(condition)
    for join in joins:
        kept = dict(_tables(join.right)) if join.isouter else None
        for left, right in (pair for condition in _conjuncts(join.onclause) for pair in _equal(condition)):
            if not join.full and (kept is None or (left and left[0] in kept)):
                yield left, right


def _joins(item: sa.FromClause) -> Iterator[sa.Join]:
    if isinstance(item, sa.Join):
        yield from (item, *_joins(item.left), *_joins(item.right))


def _conjuncts(condition: sa.ColumnElement[bool] | None) -> Iterator[sa.ColumnElement[bool]]:
    if isinstance(condition, sa.BooleanClauseList) and condition.operator is operators.and_:
        for part in condition.clauses:
            yield from _conjuncts(part)
    elif condition is not None:
        yield condition


def _equal(condition: sa.ColumnElement[bool]) -> Iterator[tuple[Operand, Operand]]:
    if isinstance(condition, sa.BinaryExpression) and condition.operator is operators.eq:
        left, right = _operand(condition.left), _operand(condition.right)
        yield from ((left, right), (right, left))


def _operand(side: sa.ColumnElement[object]) -> Operand:
    if isinstance(side, sa.BindParameter):
        return ("", side.key) if side.key in THE_CITY else None
    return (str(side.table.name), side.name) if isinstance(side, sa.Column) else None


def _inner(element: sa.ClauseElement, *, is_beside: bool = False) -> Iterator[tuple[Query, bool]]:
    """The SELECTs within, and whether each stands in FROM."""
    for child in element.get_children():
        within = is_beside or isinstance(child, sa.Subquery | sa.CTE)
        if isinstance(child, sa.Select):
            yield child, within
        else:
            yield from _inner(child, is_beside=within)


@pytest.fixture(scope="module")
def is_loose() -> Callable[[Query], bool]:
    """Most reads are the same SELECT for every role, and SQLAlchemy writes one out to say what is in its FROM."""
    judged: dict[object, bool] = {}

    def is_loose(select: Query) -> bool:
        key = select._generate_cache_key().key
        if key not in judged:
            judged[key] = any(loose(select))
        return judged[key]

    return is_loose


@pytest.mark.parametrize("given", [frozenset[str](), Everything()], ids=["no filter", "every filter"])
@pytest.mark.parametrize("role", [None, *Role])
def test_every_read_is_tied_to_the_city(role: Role | None, given: frozenset[str], is_loose: Callable[[Query], bool]):
    assert {name for name, compose in composers().items() if is_loose(compose(role, given))} == EXEMPT_READS.keys()


def test_the_reads_of_every_noun_are_found():
    assert {"raids.card", "raids.cards", "cities.public_city", "sums.sums", "referrals.items"} <= set(composers())


RAIDS = sa.select(col(Raid.id))
IN_CITY = col(Raid.city_id) == CITY
SAME_CITY = col(Spot.city_id) == col(Raid.city_id)
TIED_FURTHER = sa.select(col(Spot.id)).where(SAME_CITY)
LOOSE: dict[str, tuple[Query, set[str]]] = {
    "tied": (RAIDS.where(IN_CITY), set()),
    "tied through a join": (RAIDS.join(Spot, SAME_CITY).where(IN_CITY), set()),
    "tied to the city around it": (
        sa.select(sa.select(col(Spot.id)).where(col(Spot.city_id) == col(City.id)).scalar_subquery()).where(
            col(City.id) == CITY
        ),
        set(),
    ),
    "no condition": (RAIDS, {"raid"}),
    "another column": (RAIDS.where(col(Raid.title) == CITY), {"raid"}),
    "another parameter": (RAIDS.where(col(Raid.city_id) == sa.bindparam("x", type_=sa.Text)), {"raid"}),
    "not equal": (RAIDS.where(col(Raid.city_id) != CITY), {"raid"}),
    "never": (RAIDS.where(sa.false()), set()),
    "one of two": (RAIDS.where(sa.or_(IN_CITY, col(Raid.capacity) > 1)), {"raid"}),
    "joined by id alone": (RAIDS.join(Spot, col(Spot.id) == col(Raid.id)).where(IN_CITY), {"spot"}),
    "an outer join's own side": (RAIDS.outerjoin(Spot, sa.and_(SAME_CITY, IN_CITY)), {"raid", "spot"}),
    "an outer join's other side": (RAIDS.outerjoin(Spot, SAME_CITY).where(IN_CITY), set()),
    "tied to what it names further out": (
        RAIDS.where(IN_CITY, sa.exists(sa.select(TIED_FURTHER.correlate(Raid).subquery().c.id))),
        set(),
    ),
    "further out and not named": (
        RAIDS.where(IN_CITY, sa.exists(sa.select(TIED_FURTHER.subquery().c.id))),
        {"raid", "spot"},
    ),
    "within": (sa.select(RAIDS.where(IN_CITY).add_columns(col(Raid.title)).subquery(), RAIDS.subquery()), {"raid"}),
}


@pytest.mark.parametrize("kind", LOOSE)
def test_a_loose_table_is_found(kind: str):
    select, tables = LOOSE[kind]
    assert set(loose(select)) == tables

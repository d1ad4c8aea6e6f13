"""Facts of the ledger on the map, by hexagon."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col

from app.core.database import Database
from app.core.points import ring_of, wider_cell
from app.domain.errors import Fault, Invalid
from app.domain.permissions import Role
from app.domain.reports import MOST_CELLS, SMALLEST_SHOWN
from app.models.ledger import LedgerEntry
from app.models.spots import Removal, Sighting, Spot
from app.schemas.reports import CellCount, CountCell, CountMap, Mapped, MapQuery
from app.schemas.spots import CellPolygon
from app.services import reads
from app.services.cities import CITY_ID
from app.services.reads import Query
from app.services.reports.questions import Asked
from app.services.sums import Standing

_FROM, _TO = sa.bindparam("from", type_=sa.Date), sa.bindparam("to", type_=sa.Date)
_AS_OF = sa.bindparam("as_of", type_=sa.DateTime(timezone=True))


async def count_map(database: Database, asked: Asked[MapQuery], standing: Standing) -> CountMap:
    """Each fact stands where its spot does. Raises Invalid `too_many_cells`.

    The public sees no cell with fewer than 5: a single fresh report would show where an advertisement is today.
    """
    query = asked.query
    compose = {Mapped.GRAFFITI_PAINTED: painted_cells, Mapped.SIGHTINGS: sighted_cells}[query.metric]
    values = {"city_id": asked.city_id, "from": query.from_, "to": query.to, "as_of": query.as_of}
    found = await reads.document(database, asked.actor, compose, "city", **values)
    # In a thread: the corners of 20,000 hexagons take more than half a second.
    return await asyncio.to_thread(_map, asked, standing, json.loads(found)["cells"])


def _map(asked: Asked[MapQuery], standing: Standing, cells: list[tuple[str | None, int]]) -> CountMap:
    query = asked.query
    counts, without_point = _by_cell(cells, query.resolution)
    shown = {cell: count for cell, count in counts.items() if asked.actor or count >= SMALLEST_SHOWN}
    if len(shown) > MOST_CELLS:
        raise Invalid(Fault("too_many_cells", "/query/resolution", {"limit": MOST_CELLS}))
    on_map = sum(counts.values())
    return CountMap(
        **asked.heading(standing),
        type="FeatureCollection",
        metric=query.metric,
        resolution=query.resolution,
        total=on_map + without_point,
        without_point=without_point,
        not_shown=on_map - sum(shown.values()),
        features=[_feature(cell, shown[cell]) for cell in sorted(shown)],
    )


def _by_cell(found: list[tuple[str | None, int]], resolution: int) -> tuple[Mapping[str, int], int]:
    """The wider cells with something in them, and what has no cell."""
    counts, without_point = Counter[str](), 0
    for cell, amount in found:
        if cell is None:
            without_point = amount
        else:
            counts[wider_cell(cell, resolution)] += amount
    return {cell: count for cell, count in counts.items() if count}, without_point


def _feature(cell: str, count: int) -> CountCell:
    return CountCell(
        type="Feature",
        id=cell,
        geometry=CellPolygon(type="Polygon", coordinates=[ring_of(cell)]),
        properties=CellCount(total=count),
    )


def painted_cells(role: Role | None, given: frozenset[str]) -> Query:
    return _cells(Mapped.GRAFFITI_PAINTED, Removal, given)


def sighted_cells(role: Role | None, given: frozenset[str]) -> Query:
    return _cells(Mapped.SIGHTINGS, Sighting, given)


def _cells(metric: Mapped, fact: type[Removal | Sighting], given: frozenset[str]) -> Query:
    """`[[cell, amount], ...]` of the finest cells, null for facts without a point; reversals are taken off."""
    amount = sa.cast(sa.func.sum(col(LedgerEntry.amount)), sa.BigInteger)
    of_fact = sa.and_(col(fact.city_id) == col(LedgerEntry.city_id), col(fact.id) == col(LedgerEntry.subject_id))
    of_spot = sa.and_(col(Spot.city_id) == col(fact.city_id), col(Spot.id) == col(fact.spot_id))
    each = (
        sa.select(sa.func.json_build_array(col(Spot.h3), amount).label("cell"))
        .select_from(LedgerEntry)
        .join(fact, of_fact)
        .join(Spot, of_spot)
        .where(col(LedgerEntry.city_id) == CITY_ID, col(LedgerEntry.metric) == metric.value, *_within(given))
        .group_by(col(Spot.h3))
        .subquery("counted")
    )
    listed = sa.func.json_agg(aggregate_order_by(each.c.cell, sa.text("1")))
    return sa.select(sa.func.coalesce(listed, sa.text("'[]'::json")).label("cells"))


def _within(given: frozenset[str]) -> list[sa.ColumnElement[bool]]:
    occurred_on, recorded_at = col(LedgerEntry.occurred_on), col(LedgerEntry.recorded_at)
    conditions: dict[str, Any] = {
        "from": occurred_on >= _FROM,
        "to": occurred_on <= _TO,
        "as_of": sa.and_(recorded_at.is_not(None), recorded_at <= _AS_OF),
    }
    return [condition for name, condition in conditions.items() if name in given]

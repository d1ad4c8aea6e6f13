"""What is asked about spots and sightings."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.domain.permissions import Role
from app.domain.spots import SpotStatus
from app.models.spots import Sighting, Spot, SpotCycle, SpotEvent
from app.schemas.sightings import SightingRead
from app.schemas.spots import CycleRead, SpotEventRead, SpotLine, SpotProperties, SpotRead
from app.services import reads
from app.services.reads import Query
from app.services.spots.area import in_box, metres_from

_SPOT_ID = sa.bindparam("spot_id", type_=sa.Uuid)
_EQUAL: dict[str, Any] = {"status": Spot.status, "kind": Spot.kind, "district": Spot.district_id}


def visible_to(role: Role | None) -> SelectOfScalar[Spot]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    return select(Spot).where(col(Spot.city_id) == reads.CITY)


def card(role: Role | None, given: frozenset[str]) -> Query:
    cycles = sa.select(_array(_object(SpotCycle, [*CycleRead.model_fields]), SpotCycle.cycle)).where(
        col(SpotCycle.city_id) == col(Spot.city_id), col(SpotCycle.spot_id) == col(Spot.id)
    )
    columns = reads.fields(Spot, SpotRead, cycles=cycles.correlate(Spot).scalar_subquery())
    return visible_to(role).with_only_columns(*columns).where(col(Spot.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = filtered(visible_to(role).with_only_columns(*reads.fields(Spot, SpotLine)), given)
    return reads.newest_first(query, Spot.id, given)


def features(role: Role | None, given: frozenset[str]) -> Query:
    """As `cards`, each as a GeoJSON Feature."""
    point = sa.func.json_build_object(
        "type", "Point", "coordinates", sa.func.json_build_array(col(Spot.longitude), col(Spot.latitude))
    )
    columns: list[Any] = [
        sa.literal("Feature").label("type"),
        col(Spot.id).label("id"),
        sa.case((col(Spot.latitude).is_not(None), point)).label("geometry"),
        _object(Spot, [*SpotProperties.model_fields]).label("properties"),
    ]
    return reads.newest_first(filtered(visible_to(role).with_only_columns(*columns), given), Spot.id, given)


def cells(role: Role | None, given: frozenset[str]) -> Query:
    """`[[cell, spots, sightings], ...]` of the finest cells, from which wider ones are added up."""
    counted = sa.func.json_build_array(col(Spot.h3), sa.func.count(), sa.func.sum(col(Spot.sightings)))
    query = visible_to(role).with_only_columns(counted.label("cell")).where(col(Spot.h3).is_not(None))
    each: Any = filtered(query, given).group_by(col(Spot.h3)).subquery()
    return sa.select(_array(each.c.cell, sa.text("1")).label("cells"))


def filtered(query: Query, given: frozenset[str]) -> Query:
    """Of what was merged nothing is listed unless it is asked for."""
    for name in _EQUAL.keys() & given:
        query = query.where(col(_EQUAL[name]) == sa.bindparam(name, type_=sa.Text))
    if "status" not in given:
        query = query.where(col(Spot.status) != SpotStatus.MERGED)
    if "west" in given:
        query = query.where(in_box(*map(_degrees, ("west", "south", "east", "north"))))
    if "radius" in given:
        metres = metres_from(_degrees("latitude"), _degrees("longitude"))
        query = query.where(metres <= sa.bindparam("radius", type_=sa.Integer))
    if "text" in given:
        query = query.where(sa.or_(_contains(Spot.address), _contains(Spot.surface)))
    return _seen(query, given)


def _seen(query: Query, given: frozenset[str]) -> Query:
    moment = sa.DateTime(timezone=True)
    if "seen_since" in given:
        query = query.where(col(Spot.last_seen_at) >= sa.bindparam("seen_since", type_=moment))
    if "seen_before" in given:
        query = query.where(col(Spot.last_seen_at) < sa.bindparam("seen_before", type_=moment))
    return query


def _degrees(name: str) -> sa.BindParameter[float]:
    return sa.bindparam(name, type_=sa.Double)


def _contains(column: Any) -> sa.ColumnElement[bool]:
    return sa.func.strpos(sa.func.lower(column), sa.func.lower(sa.bindparam("text", type_=sa.Text))) > 0


def sighting_card(role: Role | None, given: frozenset[str]) -> Query:
    return _sightings().where(col(Sighting.id) == reads.ID)


def sighting_cards(role: Role | None, given: frozenset[str]) -> Query:
    return reads.newest_first(_sightings().where(col(Sighting.spot_id) == _SPOT_ID), Sighting.id, given)


def _sightings() -> Query:
    columns = reads.fields(Sighting, SightingRead, version=sa.literal(1))
    return sa.select(*columns).where(col(Sighting.city_id) == reads.CITY)


def events(role: Role | None, given: frozenset[str]) -> Query:
    """Of a merger or a split both spots tell."""
    query = sa.select(*reads.fields(SpotEvent, SpotEventRead)).where(
        col(SpotEvent.city_id) == reads.CITY,
        sa.or_(col(SpotEvent.spot_id) == _SPOT_ID, col(SpotEvent.other_spot_id) == _SPOT_ID),
    )
    return reads.newest_first(query, SpotEvent.id, given)


def _object(table: Any, names: list[str]) -> sa.Function[Any]:
    return sa.func.json_build_object(*(part for name in names for part in (name, getattr(table, name))))


def _array(item: Any, order: Any) -> sa.Function[Any]:
    return sa.func.coalesce(sa.func.json_agg(aggregate_order_by(item, order)), sa.text("'[]'::json"))

"""Where spots are, in SQL: an index finds those in a box, and what is left is measured."""

import sqlalchemy as sa
from sqlmodel import col

from app.core.points import EARTH_RADIUS_M
from app.models.spots import Spot

Number = float | sa.ColumnElement[float]


def in_box(west: Number, south: Number, east: Number, north: Number) -> sa.ColumnElement[bool]:
    return sa.and_(col(Spot.latitude).between(south, north), col(Spot.longitude).between(west, east))


def metres_from(latitude: Number, longitude: Number) -> sa.ColumnElement[float]:
    """The haversine, as app.core.points.metres_between."""
    here, there = sa.func.radians(latitude), sa.func.radians(col(Spot.latitude))
    north = sa.func.sin((there - here) / 2)
    east = sa.func.sin(sa.func.radians(col(Spot.longitude) - longitude) / 2)
    chord = north * north + sa.func.cos(here) * sa.func.cos(there) * east * east
    return 2 * EARTH_RADIUS_M * sa.func.asin(sa.func.least(1.0, sa.func.sqrt(chord)))

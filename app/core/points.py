"""Points on the ground: how far apart they are, what is near one, and the H3 cell that it is in."""

import math
from typing import NamedTuple

import h3

EARTH_RADIUS_M = 6_371_008.8
"""The mean radius R1 (IUGG). A haversine on it is within 0.5 % of the ellipsoid: 8 cm in 15 m."""
CELL_RESOLUTION = 10
"""H3 hexagons of about 15,000 m², the finest that a map of counts is drawn with."""
_METRES_PER_DEGREE = math.radians(EARTH_RADIUS_M)
_TILE_DEGREES = 0.002
"""About 220 m to the north: what is near one point lies in one tile or two, seldom in four."""


class Box(NamedTuple):
    """Degrees; it does not cross the 180th meridian."""

    west: float
    south: float
    east: float
    north: float


EARTH = Box(-180, -90, 180, 90)


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Of two (latitude, longitude)."""
    south, north = math.radians(one[0]), math.radians(other[0])
    east = math.radians(other[1] - one[1])
    chord = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1, math.sqrt(chord)))


def box_around(latitude: float, longitude: float, metres: float) -> Box:
    """The box that everything within `metres` lies in, and a little more."""
    north = metres / _METRES_PER_DEGREE
    # At the edge nearer to the pole a degree of longitude is shortest; at the pole itself it is nothing.
    widest = math.cos(math.radians(min(abs(latitude) + north, 89.9)))
    east = north / widest
    return Box(longitude - east, latitude - north, longitude + east, latitude + north)


def tiles_near(latitude: float, longitude: float, metres: float) -> list[str]:
    """The tiles of a grid that what is within `metres` lies in: two points that near share one at least."""
    box = box_around(latitude, longitude, metres)
    rows = range(math.floor(box.south / _TILE_DEGREES), math.floor(box.north / _TILE_DEGREES) + 1)
    columns = range(math.floor(box.west / _TILE_DEGREES), math.floor(box.east / _TILE_DEGREES) + 1)
    return [f"{row}:{column}" for row in rows for column in columns]


def cell_at(latitude: float, longitude: float) -> str:
    return h3.latlng_to_cell(latitude, longitude, CELL_RESOLUTION)


def wider_cell(cell: str, resolution: int) -> str:
    """The hexagon of a coarser resolution that the cell is counted in."""
    return h3.cell_to_parent(cell, resolution)


def ring_of(cell: str) -> list[tuple[float, float]]:
    """The hexagon's corners, longitude first, counter-clockwise and closed, as RFC 7946 has a ring."""
    corners = [(round(longitude, 6), round(latitude, 6)) for latitude, longitude in h3.cell_to_boundary(cell)]
    return [*corners, corners[0]]

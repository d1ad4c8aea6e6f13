"""Counts on the map, by hexagon."""

import json
from collections import Counter

from app.core.database import Database
from app.core.points import ring_of, wider_cell
from app.domain.permissions import Actor
from app.schemas.spots import CellCounts, CellPolygon, HeatCell, HeatMap, HeatQuery
from app.services import reads
from app.services.spots import queries


async def heat_map(database: Database, actor: Actor, query: HeatQuery) -> HeatMap:
    """Hexagons of the resolution with something in them, in the order of their names."""
    values = query.values()
    resolution: int = values.pop("resolution")
    found = await reads.document(database, actor, queries.cells, "spot", **values)
    spots, sightings = Counter[str](), Counter[str]()
    for cell, spots_there, sightings_there in json.loads(found)["cells"]:
        wider = wider_cell(cell, resolution)
        spots[wider] += spots_there
        sightings[wider] += sightings_there
    features = [_feature(cell, CellCounts(spots=spots[cell], sightings=sightings[cell])) for cell in sorted(spots)]
    return HeatMap(type="FeatureCollection", features=features)


def _feature(cell: str, counts: CellCounts) -> HeatCell:
    return HeatCell(
        type="Feature",
        id=cell,
        geometry=CellPolygon(type="Polygon", coordinates=[ring_of(cell)]),
        properties=counts,
    )

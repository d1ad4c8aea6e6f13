"""Points in the districts, placed by the same outlines that place a volunteer's."""

import json
from dataclasses import dataclass
from random import Random

from shapely import from_geojson

from app.schemas.cities import NewCity
from app.services.cities import Districts

_BUILT_UP_NORTH_OF = 43.17
"""Degrees; Almaty's southern districts reach far up into the mountains, where nobody writes on walls."""
_WALK_DEGREES = 0.006
"""About 600 m: how far the stops of one raid lie from its meeting point."""


@dataclass(frozen=True, slots=True)
class Place:
    latitude: float
    longitude: float
    district_id: str


class Places:
    def __init__(self, city: NewCity) -> None:
        outlines = {district.id: from_geojson(json.dumps(district.outline)) for district in city.districts}
        self._boxes = {district_id: outline.bounds for district_id, outline in outlines.items()}
        self._districts = Districts(list(outlines), list(outlines.values()))

    def somewhere(self, dice: Random) -> Place:
        """Each district as often as any other."""
        wanted = dice.choice(list(self._boxes))
        west, south, east, north = self._boxes[wanted]
        while True:
            latitude = dice.uniform(max(south, _BUILT_UP_NORTH_OF), north)
            place = self._place(latitude, dice.uniform(west, east))
            if place and place.district_id == wanted:
                return place

    def near(self, dice: Random, centre: Place) -> Place:
        """Within a walk, in whichever district that is."""
        while True:
            latitude = dice.gauss(centre.latitude, _WALK_DEGREES)
            if place := self._place(latitude, dice.gauss(centre.longitude, _WALK_DEGREES)):
                return place

    def _place(self, latitude: float, longitude: float) -> Place | None:
        # Six decimals are about 10 cm (RFC 7946, section 11.2).
        latitude, longitude = round(latitude, 6), round(longitude, 6)
        district_id = self._districts.at(latitude, longitude)
        return Place(latitude, longitude, district_id) if district_id else None

"""Rows of a table of removals, checked one by one and given their district many at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from app.core.ids import new_id
from app.core.points import cell_at
from app.domain.errors import Fault
from app.domain.records import Cells, DateForm, Refusal, Refusals, RefusedCell
from app.domain.spots import SpotKind
from app.schemas.records import RemovalMapping
from app.services.cities import Districts
from app.services.records.table import Table

MOST_INSCRIPTIONS = 1000
_KINDS: dict[str, str] = {kind.value: kind.value for kind in SpotKind}
_BATCH = 2_000


class OldRemoval(NamedTuple):
    """A row as it is staged. A spot, its removal and its ledger entry that come of one row share its id."""

    row: int
    id: UUID
    external_id: str
    removed_at: datetime
    occurred_on: date
    latitude: float | None
    longitude: float | None
    address: str | None
    surface: str | None
    kind: str | None
    inscriptions: int
    h3: str | None
    district_id: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How this file is written."""

    places: Mapping[str, int]
    written: DateForm
    kinds: Mapping[str, str]
    only: frozenset[str] | None

    @classmethod
    def of(cls, mapping: RemovalMapping | None, places: Mapping[str, int], written: DateForm) -> "Layout":
        kinds = {**_KINDS, **(mapping.kinds if mapping else {})}
        only = mapping.only.values if mapping and mapping.only else None
        return cls(places, written, kinds, only)


class Removals:
    """The good rows of a table, one after another; what became of the others is counted on the way."""

    def __init__(self, table: Table, layout: Layout, districts: Districts, refusals: Refusals) -> None:
        self.rows = self.left_out = 0
        self._layout = layout
        self._districts = districts
        self._refusals = refusals
        self._good = self._checked(table)

    async def __aiter__(self) -> AsyncIterator[OldRemoval]:
        """Read in a thread, in pieces: a file of a million rows leaves the server answering others."""
        while batch := await asyncio.to_thread(self._batch):
            for removal in batch:
                yield removal

    def _batch(self) -> list[OldRemoval]:
        """Empty only at the end."""
        while removals := list(islice(self._good, _BATCH)):
            if placed := self._placed(removals):
                return placed
        return []

    def _checked(self, table: Table) -> Iterator[OldRemoval]:
        for number, row in table.rows():
            self.rows += 1
            try:
                removal = self._removal(number, table.whole(row))
            except RefusedCell as refused:
                self._refusals.add(Refusal(number, refused.fault))
                continue
            if removal:
                yield removal

    def _removal(self, number: int, row: list[str]) -> OldRemoval | None:
        """None for a row that is left out. Raises RefusedCell."""
        layout = self._layout
        cells = Cells(layout.places, row)
        if layout.only is not None and cells.text("only", 200) not in layout.only:
            self.left_out += 1
            return None
        latitude, longitude = cells.point()
        address = cells.text("address", 300)
        if latitude is None and address is None:
            raise RefusedCell("address", "point_or_address")
        removed_at = cells.moment("removed_on", layout.written)
        return OldRemoval(
            row=number,
            id=new_id(),
            external_id=cells.required("external_id", 120),
            removed_at=removed_at,
            occurred_on=removed_at.astimezone(layout.written.zone).date(),
            latitude=latitude,
            longitude=longitude,
            address=address,
            surface=cells.text("surface", 120),
            kind=cells.choice("kind", layout.kinds),
            inscriptions=cells.whole("inscriptions", MOST_INSCRIPTIONS) or 1,
            h3=None if latitude is None or longitude is None else cell_at(latitude, longitude),
        )

    def _placed(self, removals: list[OldRemoval]) -> list[OldRemoval]:
        """With their districts. A point in no district that would be in one the other way round is refused."""
        pointed = [index for index, removal in enumerate(removals) if removal.latitude is not None]
        latitudes = [removals[index].latitude or 0.0 for index in pointed]
        longitudes = [removals[index].longitude or 0.0 for index in pointed]
        found = self._districts.at_each(latitudes, longitudes)
        turned = self._districts.at_each(longitudes, latitudes)
        swapped: set[int] = set()
        for index, district_id, turned_id in zip(pointed, found, turned, strict=True):
            if district_id is None and turned_id is not None:
                swapped.add(index)
            removals[index] = removals[index]._replace(district_id=district_id)
        self._refusals.add(*(Refusal(removals[index].row, Fault("point_swapped", "latitude")) for index in swapped))
        return [removal for index, removal in enumerate(removals) if index not in swapped]

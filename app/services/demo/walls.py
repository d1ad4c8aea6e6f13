"""What stood on the walls of the demonstration city: spots, who saw them, and what was painted over."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from random import Random

from app.core.points import cell_at
from app.domain.raids import RaidStatus
from app.domain.spots import SPOT_FLOW, SpotAction, SpotKind, SpotStatus
from app.domain.volunteers import Programme
from app.models.raids import Raid
from app.models.spots import Removal, Sighting, Spot, SpotCycle
from app.services.demo.almanac import Almanac, shares
from app.services.demo.people import COORDINATOR, Crowd, People
from app.services.demo.places import Place, Places
from app.services.demo.raids import Raids
from app.services.demo.words import WORDS

INSCRIPTIONS = 18_240
"""In the raids that were held: "more than 18,000", as the programme says of its year."""
STILL_THERE = {(): 160, (SpotAction.CONFIRM,): 220, (SpotAction.DISMISS,): 90}
_UNDER_WAY_INSCRIPTIONS = 30
_SEEN_BEFORE = 0.45
"""The share of spots that somebody had reported before a crew came; the others were found on the way."""
_INSCRIPTIONS = range(1, 13)
_INSCRIPTION_WEIGHTS = (14, 18, 18, 14, 10, 8, 6, 4, 3, 2, 2, 1)
_KINDS = (SpotKind.STENCIL, SpotKind.TAG, SpotKind.STICKER, SpotKind.QR)
_KIND_WEIGHTS = (60, 20, 12, 8)


@dataclass(slots=True)
class Walls:
    spots: list[Spot] = field(default_factory=list[Spot])
    cycles: list[SpotCycle] = field(default_factory=list[SpotCycle])
    sightings: list[Sighting] = field(default_factory=list[Sighting])
    removals: list[Removal] = field(default_factory=list[Removal])


@dataclass(frozen=True, slots=True)
class _Streets:
    """What is needed to put something on a wall."""

    almanac: Almanac
    dice: Random
    places: Places
    volunteers: Crowd

    def spot(self, place: Place, at: datetime, *actions: SpotAction) -> Spot:
        return Spot(
            **self.almanac.new(self.dice, at),
            version=1 + len(actions),
            status=reduce(SPOT_FLOW.after, actions, SpotStatus.REPORTED),
            kind=self.dice.choices(_KINDS, _KIND_WEIGHTS)[0],
            latitude=place.latitude,
            longitude=place.longitude,
            h3=cell_at(place.latitude, place.longitude),
            district_id=place.district_id,
        )

    def sighting(self, spot: Spot) -> Sighting:
        """The report that made the spot."""
        spot.surface = self.dice.choice(WORDS.surfaces)
        spot.sightings, spot.last_seen_at = 1, spot.created_at - timedelta(minutes=self.dice.randint(1, 30))
        reporter = self.dice.choice(self.volunteers.before(spot.created_at))
        assert reporter.account_id
        assert spot.kind
        return Sighting(
            **self.almanac.new(self.dice, spot.created_at),
            spot_id=spot.id,
            reported_by=reporter.account_id,
            seen_at=spot.last_seen_at,
            kind=spot.kind,
            latitude=spot.latitude,
            longitude=spot.longitude,
            surface=spot.surface,
            note=self.dice.choice(WORDS.sighting_notes),
        )

    def cycle(self, spot: Spot, painted_at: datetime | None) -> SpotCycle:
        opened_at = spot.last_seen_at or spot.created_at
        new = self.almanac.new(self.dice, spot.created_at)
        return SpotCycle(**new, spot_id=spot.id, cycle=spot.cycle, opened_at=opened_at, painted_at=painted_at)


def invent(almanac: Almanac, people: People, places: Places, raids: Raids) -> Walls:
    streets = _Streets(almanac, almanac.dice("walls"), places, people.active_in(Programme.STREET))
    walls = Walls()
    coordinator = people.staff(COORDINATOR)
    for raid, inscriptions in _shared_out(raids.raids):
        for count in _by_spot(streets.dice, inscriptions):
            removal = _paint(streets, walls, raid, count)
            removal.recorded_by = coordinator.id
            walls.removals.append(removal)
    for spot in _still_there(streets):
        walls.spots.append(spot)
        walls.sightings.append(streets.sighting(spot))
        walls.cycles.append(streets.cycle(spot, None))
    return walls


def _shared_out(raids: list[Raid]) -> Iterator[tuple[Raid, int]]:
    """How many inscriptions each raid painted over: the more, the larger its crew."""
    held = [raid for raid in raids if raid.status is RaidStatus.DONE]
    yield from zip(held, shares(INSCRIPTIONS, [raid.places_taken for raid in held]), strict=True)
    yield from ((raid, _UNDER_WAY_INSCRIPTIONS) for raid in raids if raid.status is RaidStatus.UNDER_WAY)


def _by_spot(dice: Random, inscriptions: int) -> Iterator[int]:
    while inscriptions:
        count = min(dice.choices(_INSCRIPTIONS, _INSCRIPTION_WEIGHTS)[0], inscriptions)
        yield count
        inscriptions -= count


def _paint(streets: _Streets, walls: Walls, raid: Raid, inscriptions: int) -> Removal:
    dice = streets.dice
    removed_at = raid.starts_at + dice.random() * (raid.ends_at - raid.starts_at)
    spot = _painted_spot(streets, raid, removed_at)
    walls.spots.append(spot)
    if spot.created_at < removed_at:
        walls.sightings.append(streets.sighting(spot))
    walls.cycles.append(streets.cycle(spot, removed_at))
    return Removal(
        **streets.almanac.new(dice, removed_at),
        spot_id=spot.id,
        raid_id=raid.id,
        inscriptions=inscriptions,
        removed_at=removed_at,
    )


def _painted_spot(streets: _Streets, raid: Raid, removed_at: datetime) -> Spot:
    assert raid.latitude
    assert raid.longitude
    assert raid.district_id
    place = streets.places.near(streets.dice, Place(raid.latitude, raid.longitude, raid.district_id))
    if streets.dice.random() > _SEEN_BEFORE:
        return streets.spot(place, removed_at, SpotAction.PAINT)
    seen_at = raid.starts_at - timedelta(days=streets.dice.randint(1, 20), minutes=streets.dice.randrange(90))
    return streets.spot(place, seen_at, SpotAction.CONFIRM, SpotAction.PAINT)


def _still_there(streets: _Streets) -> Iterator[Spot]:
    """Reported in the last two months and not painted over yet, or not to be."""
    for actions, count in STILL_THERE.items():
        for _ in range(count):
            day = streets.almanac.days[-1 - streets.dice.randrange(60)]
            place = streets.places.somewhere(streets.dice)
            yield streets.spot(place, streets.almanac.by_day(streets.dice, day), *actions)

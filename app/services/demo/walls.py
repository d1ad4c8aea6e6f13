"""What stood on the walls of the demonstration city: spots, who saw them, and what was painted over."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from random import Random
from uuid import UUID

from app.core.points import cell_at
from app.domain.raids import RaidStatus
from app.domain.spots import SPOT_FLOW, SpotAction, SpotKind, SpotStatus
from app.domain.volunteers import Programme
from app.models.raids import Raid
from app.models.spots import Removal, Sighting, Spot, SpotCycle, SpotEvent
from app.services.demo.almanac import Almanac, shares
from app.services.demo.people import COORDINATOR, Crowd, People
from app.services.demo.places import Place, Places
from app.services.demo.words import WORDS

INSCRIPTIONS = 18_240
"""In the raids that were held: "more than 18,000", as the programme says of its year."""
STILL_THERE = {(): 160, (SpotAction.CONFIRM,): 220, (SpotAction.DISMISS,): 90}
_UNDER_WAY_INSCRIPTIONS = 30
_SEEN_BEFORE = 0.45
"""The share of spots that somebody had reported before a crew came; the others were found on the way."""
_CAME_BACK = 0.12
"""The share of removals at walls that had been painted over before."""
_WRITTEN_ON_LATELY = 90
"""Walls that came back in the last weeks and wait for a crew."""
_CLEAN_AT_LEAST = timedelta(days=5)
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
    events: list[SpotEvent] = field(default_factory=list[SpotEvent])
    now: dict[UUID, SpotCycle] = field(default_factory=dict[UUID, SpotCycle])
    """The cycle that each spot is in."""

    def put(self, spot: Spot, cycle: SpotCycle, sighting: Sighting | None) -> None:
        if cycle.cycle == 1:
            self.spots.append(spot)
        self.cycles.append(cycle)
        self.now[spot.id] = cycle
        self.sightings += [sighting] if sighting else []


Clean = defaultdict[str, list[tuple[datetime, Spot]]]
"""By district, what was painted over and when; in the order of the raids."""


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

    def sighting(self, spot: Spot, seen_at: datetime | None = None) -> Sighting:
        """The report that made the spot or, seen later, that it has come back."""
        spot.surface = spot.surface or self.dice.choice(WORDS.surfaces)
        reported_at = seen_at or spot.created_at
        spot.last_seen_at = reported_at - timedelta(minutes=self.dice.randint(1, 30))
        spot.sightings += 1
        reporter = self.dice.choice(self.volunteers.before(reported_at))
        assert reporter.account_id
        assert spot.kind
        return Sighting(
            **self.almanac.new(self.dice, reported_at),
            spot_id=spot.id,
            reported_by=reporter.account_id,
            seen_at=spot.last_seen_at,
            kind=spot.kind,
            latitude=spot.latitude,
            longitude=spot.longitude,
            surface=spot.surface,
            note=self.dice.choice(WORDS.sighting_notes),
        )

    def cycle(self, spot: Spot, painted_at: datetime | None = None) -> SpotCycle:
        opened_at = spot.last_seen_at or spot.created_at
        new = self.almanac.new(self.dice, max(opened_at, spot.created_at))
        return SpotCycle(**new, spot_id=spot.id, cycle=spot.cycle, opened_at=opened_at, painted_at=painted_at)

    def come_back(self, walls: Walls, spot: Spot, seen_at: datetime) -> None:
        spot.status = SPOT_FLOW.after(spot.status, SpotAction.REAPPEAR)
        spot.cycle, spot.version = spot.cycle + 1, spot.version + 1
        sighting = self.sighting(spot, seen_at)
        walls.put(spot, self.cycle(spot), sighting)


def invent(almanac: Almanac, people: People, places: Places, raids: Sequence[Raid]) -> Walls:
    streets = _Streets(almanac, almanac.dice("walls"), places, people.active_in(Programme.STREET))
    walls = Walls()
    recorders = {volunteer.id: volunteer.account_id for volunteer in people.volunteers}
    clean: Clean = defaultdict(list)
    for raid, inscriptions in _shared_out(raids):
        for count in _by_spot(streets.dice, inscriptions):
            removal = _paint(streets, walls, clean, raid)
            removal.inscriptions, removal.recorded_by = count, raid.lead_id and recorders[raid.lead_id]
            walls.removals.append(removal)
    _write_again(streets, walls, clean)
    coordinator = people.staff(COORDINATOR)
    for spot in _still_there(streets):
        sighting = streets.sighting(spot)
        walls.put(spot, streets.cycle(spot), sighting)
        walls.events += _decision(streets, spot, coordinator.id)
    return walls


def _shared_out(raids: Sequence[Raid]) -> Iterator[tuple[Raid, int]]:
    """How many inscriptions each raid painted over: the more, the larger its crew."""
    held = [raid for raid in raids if raid.status is RaidStatus.DONE]
    yield from zip(held, shares(INSCRIPTIONS, [raid.places_taken for raid in held]), strict=True)
    yield from ((raid, _UNDER_WAY_INSCRIPTIONS) for raid in raids if raid.status is RaidStatus.UNDER_WAY)


def _by_spot(dice: Random, inscriptions: int) -> Iterator[int]:
    while inscriptions:
        count = min(dice.choices(_INSCRIPTIONS, _INSCRIPTION_WEIGHTS)[0], inscriptions)
        yield count
        inscriptions -= count


def _paint(streets: _Streets, walls: Walls, clean: Clean, raid: Raid) -> Removal:
    dice = streets.dice
    removed_at = raid.starts_at + dice.random() * (raid.ends_at - raid.starts_at)
    spot = _seen_again(streets, walls, clean, raid) if dice.random() < _CAME_BACK else None
    if spot:
        spot.status, spot.version = SPOT_FLOW.after(spot.status, SpotAction.PAINT), spot.version + 1
        walls.now[spot.id].painted_at = removed_at
    else:
        spot = _painted_spot(streets, raid, removed_at)
        sighting = streets.sighting(spot) if spot.created_at < removed_at else None
        walls.put(spot, streets.cycle(spot, removed_at), sighting)
    assert spot.district_id
    clean[spot.district_id].append((removed_at, spot))
    return Removal(**streets.almanac.new(dice, removed_at), spot_id=spot.id, raid_id=raid.id, removed_at=removed_at)


def _seen_again(streets: _Streets, walls: Walls, clean: Clean, raid: Raid) -> Spot | None:
    """A wall of the raid's district that was written on again some days before the raid."""
    assert raid.district_id
    there, dice = clean[raid.district_id], streets.dice
    long_ago = sum(painted_at < raid.starts_at - _CLEAN_AT_LEAST for painted_at, _ in there)
    if not long_ago:
        return None
    painted_at, spot = there.pop(dice.randrange(long_ago))
    streets.come_back(walls, spot, painted_at + dice.uniform(0.2, 0.9) * (raid.starts_at - painted_at))
    return spot


def _write_again(streets: _Streets, walls: Walls, clean: Clean) -> None:
    dice, end = streets.dice, streets.almanac.end
    before = sorted((painted for each in clean.values() for painted in each), key=lambda painted: painted[0])
    for painted_at, spot in dice.sample([one for one in before if one[0] < end - _CLEAN_AT_LEAST], _WRITTEN_ON_LATELY):
        streets.come_back(walls, spot, max(painted_at, end - timedelta(days=40)) + dice.random() * _CLEAN_AT_LEAST)


def _decision(streets: _Streets, spot: Spot, decided_by: UUID) -> Iterator[SpotEvent]:
    if spot.status is SpotStatus.REPORTED:
        return
    is_dismissed = spot.status is SpotStatus.DISMISSED
    spot.dismiss_reason = streets.dice.choice(WORDS.dismiss_reasons) if is_dismissed else None
    at = spot.created_at + timedelta(minutes=streets.dice.randint(10, 150))
    yield SpotEvent(
        **streets.almanac.new(streets.dice, at),
        spot_id=spot.id,
        action=SpotAction.DISMISS if is_dismissed else SpotAction.CONFIRM,
        decided_by=decided_by,
        reason=spot.dismiss_reason,
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

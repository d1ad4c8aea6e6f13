"""What was looked at again in the demonstration city, and the spots that turned out to be one."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import ceil
from random import Random
from uuid import UUID

from app.core.points import cell_at
from app.domain.checks import Verdict, percent_drawn
from app.domain.raids import RaidStatus
from app.domain.spots import SPOT_FLOW, SpotAction, SpotStatus
from app.models.raids import Raid
from app.models.spots import Removal, Sighting, Spot, SpotCycle, SpotEvent
from app.services.demo.almanac import Almanac
from app.services.demo.people import COORDINATOR, People
from app.services.demo.walls import Walls
from app.services.demo.words import WORDS

_PERCENT = 10
"""Of the removals of a raid; a city's default."""
_DISPUTED = 0.06
_DAYS_TO_CHECK = 9
_MERGED = 8
_STEP_DEGREES = 0.0002
"""About 20 m: just further than a sighting joins."""


def invent(almanac: Almanac, people: People, raids: Sequence[Raid], walls: Walls) -> None:
    dice, checker = almanac.dice("checks"), people.staff(COORDINATOR).id
    removals: dict[UUID | None, list[Removal]] = defaultdict(list)
    for removal in walls.removals:
        removals[removal.raid_id].append(removal)
    led = Counter[UUID | None]()
    spots = {spot.id: spot for spot in walls.spots}
    for raid in (raid for raid in raids if raid.status is RaidStatus.DONE):
        for removal in _drawn(dice, removals[raid.id], percent_drawn(_PERCENT, led[raid.lead_id])):
            removal.drawn_at = raid.ends_at
            if raid.ends_at < almanac.end - timedelta(days=_DAYS_TO_CHECK):
                _judge(dice, removal, checker)
                _pass_on(spots[removal.spot_id], walls.now[removal.spot_id], removal)
        led[raid.lead_id] += 1


def _drawn(dice: Random, removals: Sequence[Removal], percent: int) -> list[Removal]:
    return dice.sample(removals, ceil(len(removals) * percent / 100))


def _judge(dice: Random, removal: Removal, checker: UUID) -> None:
    assert removal.drawn_at
    is_disputed = dice.random() < _DISPUTED
    removal.verdict = Verdict.DISPUTED if is_disputed else Verdict.VERIFIED
    removal.verdict_reason = dice.choice(WORDS.dispute_reasons) if is_disputed else None
    removal.checked_by = checker
    removal.checked_at = removal.drawn_at + timedelta(hours=dice.randint(12, 24 * (_DAYS_TO_CHECK - 1)))


def _pass_on(spot: Spot, cycle: SpotCycle, removal: Removal) -> None:
    """To the wall, if nothing has come after that painting-over."""
    if spot.status is not SpotStatus.PAINTED or cycle.painted_at != removal.removed_at:
        return
    steps = [SpotAction.VERIFY] if removal.verdict is Verdict.VERIFIED else [SpotAction.DISPUTE, SpotAction.CONFIRM]
    for step in steps:
        spot.status, spot.version = SPOT_FLOW.after(spot.status, step), spot.version + 1
    if removal.verdict is Verdict.DISPUTED:
        cycle.painted_at = None


def merge(almanac: Almanac, people: People, walls: Walls) -> None:
    """Somebody saw the same wall from the other side of the street, and a coordinator put the two together."""
    dice, coordinator = almanac.dice("mergers"), people.staff(COORDINATOR).id
    seen = {sighting.spot_id: sighting for sighting in walls.sightings}
    for kept in dice.sample([spot for spot in walls.spots if spot.status is SpotStatus.REPORTED], _MERGED):
        other, sighting = _double(almanac, dice, kept, seen[kept.id])
        cycle = SpotCycle(**almanac.new(dice, other.created_at), spot_id=other.id, cycle=1, opened_at=sighting.seen_at)
        walls.put(other, cycle, sighting)
        walls.events += _told(almanac, dice, kept, other, coordinator)


def _double(almanac: Almanac, dice: Random, kept: Spot, first: Sighting) -> tuple[Spot, Sighting]:
    at = kept.created_at + timedelta(minutes=dice.randint(5, 60))
    new, latitude = almanac.new(dice, at), round((kept.latitude or 0) + _STEP_DEGREES, 6)
    same = kept.model_dump(include={"kind", "longitude", "surface", "district_id"})
    other = Spot(
        **new,
        **same,
        version=2,
        latitude=latitude,
        h3=cell_at(latitude, kept.longitude or 0),
        status=SPOT_FLOW.after(SpotStatus.REPORTED, SpotAction.MERGE),
        merged_into_id=kept.id,
        last_seen_at=at,
    )
    kept.sightings, kept.last_seen_at, kept.version = kept.sightings + 1, at, kept.version + 1
    told = first.model_dump(include={"kind", "longitude", "surface", "note", "reported_by"})
    return other, Sighting(**almanac.new(dice, at), **told, spot_id=kept.id, seen_at=at, latitude=latitude)


def _told(almanac: Almanac, dice: Random, kept: Spot, other: Spot, decided_by: UUID) -> Iterator[SpotEvent]:
    yield SpotEvent(
        **almanac.new(dice, other.created_at + timedelta(minutes=dice.randint(10, 120))),
        spot_id=kept.id,
        action=SpotAction.MERGE,
        decided_by=decided_by,
        reason=dice.choice(WORDS.merge_reasons),
        other_spot_id=other.id,
        sightings=1,
        removals=0,
    )

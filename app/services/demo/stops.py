"""The lists that the crews of the demonstration city went by, and those that the next ones will go by."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from app.domain.raids import RaidStatus, StopOutcome
from app.domain.spots import SPOT_FLOW, SpotAction, SpotStatus
from app.models.raids import Raid, RaidStop
from app.models.spots import Removal, Spot
from app.services.demo.almanac import Almanac
from app.services.demo.walls import Walls
from app.services.demo.words import WORDS

_AHEAD = {RaidStatus.UNDER_WAY: 3, RaidStatus.OPEN: 6, RaidStatus.DRAFT: 3}
"""Stops of each raid that nobody has been to yet."""
_IN_VAIN = {RaidStatus.DONE: 2, RaidStatus.CANCELLED: 2}
"""At most so many stops of each that was reached and not painted, or released."""
_OUTCOMES = (StopOutcome.NOT_FOUND, StopOutcome.REFUSED_BY_OWNER, StopOutcome.NOT_REACHED)


def invent(almanac: Almanac, raids: Sequence[Raid], walls: Walls) -> list[RaidStop]:
    lists = _Lists(almanac, walls)
    return [stop for raid in raids for stop in lists.of(raid)]


class _Lists:
    def __init__(self, almanac: Almanac, walls: Walls) -> None:
        self._almanac = almanac
        self._dice = almanac.dice("stops")
        self._spots = {spot.id: spot for spot in walls.spots}
        self._confirmed = [spot for spot in walls.spots if spot.status is SpotStatus.CONFIRMED]
        self._removals: dict[object, list[Removal]] = {}
        for removal in walls.removals:
            self._removals.setdefault(removal.raid_id, []).append(removal)

    def of(self, raid: Raid) -> Iterator[RaidStop]:
        stops = [*self._painted(raid), *self._in_vain(raid), *self._to_come(raid)]
        for position, stop in enumerate(stops, start=1):
            stop.position = position
            yield stop

    def _painted(self, raid: Raid) -> Iterator[RaidStop]:
        """What was known when the raid set out; the rest was found on the way."""
        for removal in sorted(self._removals.get(raid.id, ()), key=lambda removal: removal.removed_at):
            if self._spots[removal.spot_id].created_at < raid.starts_at:
                stop = self._stop(raid, self._spots[removal.spot_id])
                stop.outcome, stop.answered_at = StopOutcome.PAINTED, removal.removed_at
                yield stop

    def _in_vain(self, raid: Raid) -> Iterator[RaidStop]:
        painted = {removal.spot_id for removal in self._removals.get(raid.id, ())}
        known = [
            spot
            for spot in self._confirmed
            if spot.id not in painted and spot.last_seen_at and spot.last_seen_at < raid.created_at
        ]
        for spot in self._nearest(raid, known, self._dice.randint(0, _IN_VAIN.get(raid.status, 0))):
            stop = self._stop(raid, spot)
            if raid.status is RaidStatus.DONE:
                stop.outcome, stop.note = self._dice.choice(_OUTCOMES), self._dice.choice(WORDS.stop_notes)
                stop.answered_at = raid.ends_at - timedelta(minutes=self._dice.randint(1, 60))
            yield stop

    def _to_come(self, raid: Raid) -> Iterator[RaidStop]:
        for spot in self._nearest(raid, self._confirmed, _AHEAD.get(raid.status, 0)):
            self._confirmed.remove(spot)
            spot.status, spot.version = SPOT_FLOW.after(spot.status, SpotAction.SCHEDULE), spot.version + 1
            yield self._stop(raid, spot)

    def _nearest(self, raid: Raid, spots: Sequence[Spot], count: int) -> list[Spot]:
        def away(spot: Spot) -> float:
            return abs((spot.latitude or 0) - (raid.latitude or 0)) + abs((spot.longitude or 0) - (raid.longitude or 0))

        return sorted(spots, key=away)[:count] if count else []

    def _stop(self, raid: Raid, spot: Spot) -> RaidStop:
        at = max(raid.created_at, spot.created_at)
        return RaidStop(**self._almanac.new(self._dice, at), raid_id=raid.id, spot_id=spot.id)

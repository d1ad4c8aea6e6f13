"""A spot is one place where graffiti is; it keeps its identity when painted over and when it comes back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.flow import Flow


class SpotStatus(StrEnum):
    REPORTED = "reported"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    SCHEDULED = "scheduled"
    PAINTED = "painted"
    VERIFIED = "verified"
    DISPUTED = "disputed"
    MERGED = "merged"


class SpotAction(StrEnum):
    CONFIRM = "confirm"
    DISMISS = "dismiss"
    SCHEDULE = "schedule"
    RELEASE = "release"
    PAINT = "paint"
    VERIFY = "verify"
    DISPUTE = "dispute"
    REAPPEAR = "reappear"
    MERGE = "merge"
    SPLIT = "split"


# A crew that stands before a wall paints it, whether or not somebody had confirmed the report.
SPOT_FLOW = Flow(
    "spot",
    {
        (SpotStatus.REPORTED, SpotAction.CONFIRM): SpotStatus.CONFIRMED,
        (SpotStatus.REPORTED, SpotAction.DISMISS): SpotStatus.DISMISSED,
        (SpotStatus.REPORTED, SpotAction.PAINT): SpotStatus.PAINTED,
        (SpotStatus.REPORTED, SpotAction.MERGE): SpotStatus.MERGED,
        (SpotStatus.REPORTED, SpotAction.SPLIT): SpotStatus.REPORTED,
        (SpotStatus.CONFIRMED, SpotAction.SCHEDULE): SpotStatus.SCHEDULED,
        (SpotStatus.CONFIRMED, SpotAction.PAINT): SpotStatus.PAINTED,
        (SpotStatus.CONFIRMED, SpotAction.MERGE): SpotStatus.MERGED,
        (SpotStatus.CONFIRMED, SpotAction.SPLIT): SpotStatus.CONFIRMED,
        (SpotStatus.SCHEDULED, SpotAction.RELEASE): SpotStatus.CONFIRMED,
        (SpotStatus.SCHEDULED, SpotAction.PAINT): SpotStatus.PAINTED,
        (SpotStatus.SCHEDULED, SpotAction.MERGE): SpotStatus.MERGED,
        (SpotStatus.SCHEDULED, SpotAction.SPLIT): SpotStatus.SCHEDULED,
        (SpotStatus.PAINTED, SpotAction.VERIFY): SpotStatus.VERIFIED,
        (SpotStatus.PAINTED, SpotAction.DISPUTE): SpotStatus.DISPUTED,
        (SpotStatus.PAINTED, SpotAction.REAPPEAR): SpotStatus.CONFIRMED,
        (SpotStatus.PAINTED, SpotAction.MERGE): SpotStatus.MERGED,
        (SpotStatus.PAINTED, SpotAction.SPLIT): SpotStatus.PAINTED,
        (SpotStatus.VERIFIED, SpotAction.REAPPEAR): SpotStatus.CONFIRMED,
        (SpotStatus.VERIFIED, SpotAction.MERGE): SpotStatus.MERGED,
        (SpotStatus.VERIFIED, SpotAction.SPLIT): SpotStatus.VERIFIED,
        (SpotStatus.DISPUTED, SpotAction.CONFIRM): SpotStatus.CONFIRMED,
        (SpotStatus.DISPUTED, SpotAction.MERGE): SpotStatus.MERGED,
        (SpotStatus.DISPUTED, SpotAction.SPLIT): SpotStatus.DISPUTED,
    },
)
GONE = frozenset({SpotStatus.DISMISSED, SpotStatus.MERGED})
"""What a new sighting does not join: a dismissed place is looked at again, a merged one is another by now."""
CLEAN = frozenset({SpotStatus.PAINTED, SpotStatus.VERIFIED})
"""Painted over: what is seen there later has come back."""
SAME_SPOT_METRES = 15
"""How near a sighting must be to join a spot, where a city sets nothing else (docs/adr/0012)."""
NEAR_CITY_METRES = 20_000
"""How far outside its districts a city still takes a point: a suburb's wall, but not another city's."""
MAX_BATCH = 100


class SpotKind(StrEnum):
    STENCIL = "stencil"
    TAG = "tag"
    STICKER = "sticker"
    QR = "qr"


@dataclass(frozen=True, slots=True)
class Cycle:
    """From when it was seen to when it was painted over; None while it is there."""

    opened_at: datetime
    painted_at: datetime | None = None


def cycles_of(seen: Iterable[datetime], painted: Iterable[datetime]) -> list[Cycle]:
    """What a wall went through, told again in order: merging and splitting give walls another past.

    A clean wall that is painted over again was seen in between, or its painting took longer.
    """
    cycles: list[Cycle] = []
    for at, is_painting in sorted([*((at, False) for at in seen), *((at, True) for at in painted)]):
        if not cycles or (cycles[-1].painted_at and not is_painting):
            cycles.append(Cycle(at))
        if is_painting:
            cycles[-1] = Cycle(cycles[-1].opened_at, at)
    return cycles


def standing(cycles: Sequence[Cycle], *before: SpotStatus) -> SpotStatus:
    """How a wall stands after such cycles, that was known as `before`, in two places or in one."""
    if cycles[-1].painted_at:
        is_verified = SpotStatus.VERIFIED in before and SpotStatus.PAINTED not in before
        return SpotStatus.VERIFIED if is_verified else SpotStatus.PAINTED
    is_news = len(cycles) == 1 and {SpotStatus.REPORTED}.issuperset(before)
    return SpotStatus.REPORTED if is_news else SpotStatus.CONFIRMED

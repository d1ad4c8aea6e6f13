"""Being there: the code on the lead's phone, the distance to the meeting point, and the minutes between."""

import hashlib
import hmac
import math
from datetime import datetime, timedelta
from uuid import UUID

CODE_STEP = timedelta(seconds=60)
CODE_DIGITS = 6
NEAR_METRES = 300
CHECK_IN_BEFORE = timedelta(hours=1)
CHECK_OUT_AFTER = timedelta(hours=2)
"""From so long before the raid's start to so long after its end a volunteer's own phone may say that they are there."""
_EARTH_METRES = 6_371_000


def code_at(secret: bytes, raid_id: UUID, moment: datetime) -> str:
    """Six digits, another each minute: HOTP's truncation (RFC 4226, 5.3) of a SHA-256 HMAC over raid and minute."""
    return _code(secret, raid_id, _step(moment))


def is_code(secret: bytes, raid_id: UUID, moment: datetime, given: str) -> bool:
    """The code of this minute or of one either side, for clocks and fingers differ."""
    steps = (_step(moment) + aside for aside in (0, -1, 1))
    return any(hmac.compare_digest(_code(secret, raid_id, step), given) for step in steps)


def code_ends_at(moment: datetime) -> datetime:
    return datetime.fromtimestamp((_step(moment) + 1) * CODE_STEP.total_seconds(), moment.tzinfo)


def _step(moment: datetime) -> int:
    return int(moment.timestamp() // CODE_STEP.total_seconds())


def _code(secret: bytes, raid_id: UUID, step: int) -> str:
    digest = hmac.digest(secret, b"raid code\0" + raid_id.bytes + step.to_bytes(8, "big"), hashlib.sha256)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def metres_between(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Along a great circle (haversine), good to 0.5 %."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_phi, half_lambda = (other_phi - phi) / 2, math.radians(other_longitude - longitude) / 2
    chord = math.sin(half_phi) ** 2 + math.cos(phi) * math.cos(other_phi) * math.sin(half_lambda) ** 2
    return 2 * _EARTH_METRES * math.asin(math.sqrt(min(chord, 1)))


def minutes_between(checked_in: datetime, checked_out: datetime) -> int:
    """Whole minutes, rounded down."""
    return max(0, (checked_out - checked_in) // timedelta(minutes=1))

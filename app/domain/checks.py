"""Whether what a raid recorded is so: which removals are looked at again, and what comes of it."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

NEW_LEAD_RAIDS = 3
NEW_LEAD_PERCENT = 50
"""Of the removals of a lead who has finished fewer than NEW_LEAD_RAIDS raids before."""


class Verdict(StrEnum):
    VERIFIED = "verified"
    DISPUTED = "disputed"


def percent_drawn(city_percent: int, raids_led_before: int) -> int:
    return city_percent if raids_led_before >= NEW_LEAD_RAIDS else max(city_percent, NEW_LEAD_PERCENT)


def drawn(secret: bytes, raid_id: UUID, removal_ids: Iterable[UUID], percent: int) -> list[UUID]:
    """`percent` of the removals, rounded up; the same ones however often it is asked.

    A phone makes its own ids, so the draw is keyed: without the secret nobody can make ids that are never drawn.
    """

    def lot(removal_id: UUID) -> bytes:
        return hashlib.blake2b(raid_id.bytes + removal_id.bytes, key=secret, digest_size=16).digest()

    in_order = sorted(removal_ids, key=lot)
    return in_order[: -(-len(in_order) * percent // 100)]

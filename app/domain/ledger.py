"""The exact bytes that stand for one entry of the ledger: what seals and figures are digests of."""

import json
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from app.domain.metrics import Metric, Origin


class Subject(StrEnum):
    """What an entry's `subject_id` is the id of."""

    SIGHTING = "sighting"
    SPOT = "spot"
    REMOVAL = "removal"
    RAID = "raid"
    ASSIGNMENT = "assignment"
    ACTIVITY = "activity"
    VOLUNTEER = "volunteer"
    FINDING = "finding"
    RESOURCE = "resource"
    REFERRAL_ITEM = "referral_item"
    OBSERVATION = "observation"
    CARD = "card"
    DECLARED_COUNT = "declared_count"
    """Of every declared entry, whatever its metric."""


SUBJECTS: dict[Metric, Subject] = {
    Metric.SIGHTINGS: Subject.SIGHTING,
    Metric.SPOTS_REPORTED: Subject.SPOT,
    Metric.GRAFFITI_PAINTED: Subject.REMOVAL,
    Metric.GRAFFITI_VERIFIED: Subject.REMOVAL,
    Metric.REMOVALS_DISPUTED: Subject.REMOVAL,
    Metric.RAIDS_HELD: Subject.RAID,
    Metric.PARTICIPANTS: Subject.ASSIGNMENT,
    Metric.VOLUNTEER_MINUTES: Subject.ASSIGNMENT,
    Metric.ACTIVITIES_HELD: Subject.ACTIVITY,
    Metric.VOLUNTEERS_STREET: Subject.VOLUNTEER,
    Metric.VOLUNTEERS_STREET_ACTIVE: Subject.VOLUNTEER,
    Metric.VOLUNTEERS_ONLINE: Subject.VOLUNTEER,
    Metric.VOLUNTEERS_ONLINE_ACTIVE: Subject.VOLUNTEER,
    Metric.FINDINGS: Subject.FINDING,
    Metric.RESOURCES_CONFIRMED: Subject.RESOURCE,
    Metric.RESOURCES_REFERRED: Subject.REFERRAL_ITEM,
    Metric.RESOURCES_BLOCKED: Subject.REFERRAL_ITEM,
    Metric.RESOURCES_BLOCK_VERIFIED: Subject.OBSERVATION,
    Metric.RESOURCES_REMOVED: Subject.OBSERVATION,
    Metric.RESOURCES_REAPPEARED: Subject.OBSERVATION,
    Metric.RESOURCES_RESTORED: Subject.REFERRAL_ITEM,
    Metric.CARDS_REFERRED: Subject.CARD,
    Metric.CARDS_FROZEN: Subject.CARD,
    Metric.AMOUNT_SUSPENDED_KZT: Subject.CARD,
}


class Entry(NamedTuple):
    """All that an entry says. Which transaction wrote it is left out: a restored database has other numbers."""

    amount: int
    city_id: str
    district_id: str | None
    id: UUID
    metric: Metric
    occurred_on: date
    origin: Origin
    recorded_at: datetime
    recorded_by: UUID | None
    reverses_id: UUID | None
    subject_id: UUID

    def canonical(self) -> bytes:
        """JSON in UTF-8: names in alphabetical order, no spaces, moments in UTC to the microsecond; see docs/seals.md.

        The same entry has the same bytes for ever, in every process and after a restore.
        """
        return canonical_json(
            {
                "amount": self.amount,
                "city_id": self.city_id,
                "district_id": self.district_id,
                "id": str(self.id),
                "metric": self.metric,
                "occurred_on": self.occurred_on.isoformat(),
                "origin": self.origin,
                "recorded_at": moment_text(self.recorded_at),
                "recorded_by": _text(self.recorded_by),
                "reverses_id": _text(self.reverses_id),
                "subject_id": str(self.subject_id),
            }
        )


def canonical_json(members: dict[str, str | int | None]) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def moment_text(moment: datetime) -> str:
    """`2026-03-01T04:05:06.000000Z`, always with six digits."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)

"""Who may go on a raid. One pure function, with every reason at once (rule 1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.errors import Fault
from app.domain.volunteers import (
    ADULT_AGE_YEARS,
    MAX_AGE_YEARS,
    MIN_AGE_YEARS,
    Programme,
    VolunteerStatus,
    age_on,
)

MINORS_HOME_BY = time(22, 0)
"""City time."""
_LONG_AGO = datetime(2000, 1, 3, tzinfo=UTC)
MIN_REST = timedelta(hours=8)
"""Between the end of one raid and the start of the next."""


@dataclass(frozen=True, slots=True)
class Outing:
    starts_at: datetime
    ends_at: datetime
    time_zone: str

    @property
    def day(self) -> date:
        return self.starts_at.astimezone(ZoneInfo(self.time_zone)).date()

    def ends_too_late_for_minors(self) -> bool:
        ends = self.ends_at.astimezone(ZoneInfo(self.time_zone))
        return ends.date() > self.day or ends.time() > MINORS_HOME_BY


@dataclass(frozen=True, slots=True)
class Engagement:
    """The time of another raid that the volunteer is on."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, outing: Outing) -> bool:
        return self.starts_at < outing.ends_at and outing.starts_at < self.ends_at

    def leaves_rest(self, outing: Outing) -> bool:
        return self.starts_at - outing.ends_at >= MIN_REST or outing.starts_at - self.ends_at >= MIN_REST


@dataclass(frozen=True, slots=True)
class Candidate:
    status: VolunteerStatus
    programmes: frozenset[str]
    birth_on: date
    has_guardian_consent: bool
    engagements: tuple[Engagement, ...] = ()
    """At least those that begin or end within MIN_REST of this raid."""
    is_on_it: bool = False
    """Has a place on this raid; an offer of one, or waiting for it, is not yet being on it."""


def reasons_against(candidate: Candidate, outing: Outing) -> tuple[Fault, ...]:
    """Empty when the volunteer may go; otherwise a fault for each reason."""
    return (*_standing(candidate), *_time(candidate, outing), *_age(candidate, outing))


def asking_order(last_asked_at: datetime | None, minutes: int) -> tuple[int, int]:
    """Of two who are as near and have as much time: who was asked in an earlier week, then who has given less.

    By weeks, because two are never asked in the same moment: hours would not count for anything.
    """
    weeks = (last_asked_at - _LONG_AGO) // timedelta(weeks=1) if last_asked_at else 0
    return weeks, minutes


def _standing(candidate: Candidate) -> Iterator[Fault]:
    if candidate.status is not VolunteerStatus.ACTIVE:
        yield Fault("not_active")
    if Programme.STREET not in candidate.programmes:
        yield Fault("not_in_programme")
    if candidate.is_on_it:
        yield Fault("already_on_it")


def _time(candidate: Candidate, outing: Outing) -> Iterator[Fault]:
    others = candidate.engagements
    if any(other.overlaps(outing) for other in others):
        yield Fault("overlaps")
    if any(not other.overlaps(outing) and not other.leaves_rest(outing) for other in others):
        yield Fault("too_little_rest", details={"hours": MIN_REST // timedelta(hours=1)})


def _age(candidate: Candidate, outing: Outing) -> Iterator[Fault]:
    age = age_on(candidate.birth_on, outing.day)
    if age < MIN_AGE_YEARS:
        yield Fault("under_age", details={"years": MIN_AGE_YEARS})
    if age > MAX_AGE_YEARS:
        yield Fault("over_age", details={"years": MAX_AGE_YEARS})
    if age < ADULT_AGE_YEARS and not candidate.has_guardian_consent:
        yield Fault("no_guardian_consent")
    if age < ADULT_AGE_YEARS and outing.ends_too_late_for_minors():
        yield Fault("minor_after_22")

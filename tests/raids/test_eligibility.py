from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.eligibility import Candidate, Engagement, Outing, reasons_against
from app.domain.volunteers import VolunteerStatus

# Almaty is UTC+5: 21:00 to 22:00 there.
EVENING = Outing(
    datetime(2026, 6, 6, 16, 0, tzinfo=UTC), datetime(2026, 6, 6, 17, 0, tzinfo=UTC), time_zone="Asia/Almaty"
)
LATE = Outing(EVENING.starts_at, datetime(2026, 6, 6, 17, 1, tzinfo=UTC), time_zone="Asia/Almaty")
OVERNIGHT = Outing(
    datetime(2026, 6, 6, 16, 0, tzinfo=UTC), datetime(2026, 6, 6, 20, 0, tzinfo=UTC), time_zone="Asia/Almaty"
)


def candidate(**changes) -> Candidate:
    adult = {
        "status": VolunteerStatus.ACTIVE,
        "programmes": frozenset({"street"}),
        "birth_on": date(2000, 1, 1),
        "has_guardian_consent": False,
    }
    return Candidate(**(adult | changes))


def engagement(hours_later: float) -> Engagement:
    """As long as EVENING, and so many hours after its beginning."""
    later = timedelta(hours=hours_later)
    return Engagement(EVENING.starts_at + later, EVENING.ends_at + later)


def codes(someone: Candidate, outing: Outing = EVENING) -> set[str]:
    return {fault.code for fault in reasons_against(someone, outing)}


def test_an_active_adult_of_the_street_programme_may_go():
    assert codes(candidate(), OVERNIGHT) == set()


@pytest.mark.parametrize("status", sorted(set(VolunteerStatus) - {VolunteerStatus.ACTIVE}))
def test_only_an_active_volunteer_may_go(status):
    assert codes(candidate(status=status)) == {"not_active"}


def test_every_reason_is_given_at_once():
    someone = candidate(
        status=VolunteerStatus.SUSPENDED,
        programmes=frozenset({"online"}),
        birth_on=date(2010, 1, 1),
        engagements=(engagement(0), engagement(3)),
        is_on_it=True,
    )
    expected = {
        "not_active",
        "not_in_programme",
        "already_on_it",
        "overlaps",
        "too_little_rest",
        "no_guardian_consent",
        "minor_after_22",
    }
    assert codes(someone, LATE) == expected


@pytest.mark.parametrize(
    ("birth_on", "reasons"),
    [
        (date(2012, 6, 7), {"under_age", "no_guardian_consent"}),
        (date(2012, 6, 6), {"no_guardian_consent"}),
        (date(2008, 6, 7), {"no_guardian_consent"}),
        (date(2008, 6, 6), set()),
        (date(1990, 6, 7), set()),
        (date(1990, 6, 6), {"over_age"}),
    ],
    ids=["a day before 14", "14 today", "a day before 18", "18 today", "35 until tomorrow", "36 today"],
)
def test_age_is_counted_on_the_day_of_the_raid(birth_on, reasons):
    assert codes(candidate(birth_on=birth_on)) == reasons


@pytest.mark.parametrize(
    ("outing", "reasons"), [(EVENING, set()), (LATE, {"minor_after_22"}), (OVERNIGHT, {"minor_after_22"})]
)
def test_a_minor_is_home_by_22_city_time(outing, reasons):
    assert codes(candidate(birth_on=date(2010, 1, 1), has_guardian_consent=True), outing) == reasons


def test_the_day_is_the_citys_and_not_utc():
    after_midnight = Outing(
        datetime(2026, 6, 5, 19, 30, tzinfo=UTC), datetime(2026, 6, 5, 21, 0, tzinfo=UTC), time_zone="Asia/Almaty"
    )
    assert after_midnight.day == date(2026, 6, 6)


@pytest.mark.parametrize(
    ("hours_later", "reasons"),
    [
        (0, {"overlaps"}),
        (0.99, {"overlaps"}),
        (-0.99, {"overlaps"}),
        (1, {"too_little_rest"}),
        (-1, {"too_little_rest"}),
        (8.99, {"too_little_rest"}),
        (-8.99, {"too_little_rest"}),
        (9, set()),
        (-9, set()),
    ],
)
def test_between_two_raids_there_are_eight_hours_of_rest(hours_later, reasons):
    assert codes(candidate(engagements=(engagement(hours_later),))) == reasons

"""A volunteer's file: its flow, and who may be in the programme."""

from datetime import date
from enum import StrEnum

from app.domain.flow import Flow

MIN_AGE_YEARS = 14
MAX_AGE_YEARS = 35
"""The programme's range, both ends included."""
ADULT_AGE_YEARS = 18


class VolunteerStatus(StrEnum):
    APPLIED = "applied"
    ACTIVE = "active"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    LEFT = "left"


class VolunteerAction(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    LEAVE = "leave"
    REAPPLY = "reapply"


VOLUNTEER_FLOW = Flow(
    "volunteer",
    {
        (VolunteerStatus.APPLIED, VolunteerAction.APPROVE): VolunteerStatus.ACTIVE,
        (VolunteerStatus.APPLIED, VolunteerAction.REJECT): VolunteerStatus.REJECTED,
        (VolunteerStatus.REJECTED, VolunteerAction.REAPPLY): VolunteerStatus.APPLIED,
        (VolunteerStatus.ACTIVE, VolunteerAction.SUSPEND): VolunteerStatus.SUSPENDED,
        (VolunteerStatus.SUSPENDED, VolunteerAction.REINSTATE): VolunteerStatus.ACTIVE,
        (VolunteerStatus.ACTIVE, VolunteerAction.LEAVE): VolunteerStatus.LEFT,
        (VolunteerStatus.SUSPENDED, VolunteerAction.LEAVE): VolunteerStatus.LEFT,
    },
)


class Programme(StrEnum):
    STREET = "street"
    ONLINE = "online"
    OUTREACH = "outreach"
    INTEGRITY = "integrity"


class Language(StrEnum):
    KK = "kk"
    RU = "ru"
    EN = "en"


class Skill(StrEnum):
    DRIVER = "driver"
    FIRST_AID = "first_aid"
    PAINTING = "painting"
    LADDER_WORK = "ladder_work"
    PHOTOGRAPHY = "photography"
    VIDEO = "video"
    DESIGN = "design"
    IT = "it"
    TEACHING = "teaching"
    PUBLIC_SPEAKING = "public_speaking"
    PSYCHOLOGY = "psychology"


class ConsentPurpose(StrEnum):
    PERSONAL_DATA = "personal_data"
    PARTICIPATION = "participation"
    PHOTOS = "photos"


class ConsentGiver(StrEnum):
    SELF = "self"
    GUARDIAN = "guardian"


NEEDED_CONSENTS = frozenset({ConsentPurpose.PERSONAL_DATA, ConsentPurpose.PARTICIPATION})
"""Without them, from the guardian for a minor, nobody is or stays active."""


def age_on(birth_on: date, day: date) -> int:
    """Whole years completed on `day`; born on 29 February, a year older on 1 March."""
    return day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))

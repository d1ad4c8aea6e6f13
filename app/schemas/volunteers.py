from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from app.core.phones import e164
from app.domain.availability import MAX_SLOTS, Minutes, minutes_of
from app.domain.names import folded
from app.domain.volunteers import (
    ConsentGiver,
    ConsentPurpose,
    Language,
    Programme,
    Skill,
    VolunteerAction,
    VolunteerStatus,
)
from app.schemas.base import BirthDay, Count, Day, DistrictId, In, Moment, NewId, Out, PageQuery, Text

MAX_SEARCH_WORDS = 5


def _e164(typed: str) -> str:
    number = e164(typed)
    if number is None:
        raise PydanticCustomError("not_a_phone", "a phone number is needed")
    return number


def _search_words(typed: str) -> str:
    words = folded(typed)
    if not words:
        raise PydanticCustomError("no_letters", "at least one letter is needed")
    if len(words) > MAX_SEARCH_WORDS:
        raise PydanticCustomError("too_many_words", "fewer words are needed", {"limit": MAX_SEARCH_WORDS})
    return typed


Phone = Annotated[Text, Field(max_length=32, examples=["+77011234567"]), AfterValidator(_e164)]
Name = Annotated[Text, Field(max_length=80)]
Districts = Annotated[frozenset[DistrictId], Field(max_length=20, examples=[["almaly"]])]
Programmes = Annotated[frozenset[Programme], Field(min_length=1, examples=[["street"]])]
Languages = Annotated[frozenset[Language], Field(examples=[["kk", "ru"]])]
Skills = Annotated[frozenset[Skill], Field(examples=[["driver", "first_aid"]])]
Reason = Annotated[Text, Field(max_length=500)]
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


class Slot(In):
    """A time of every week, by the city's clock. Monday is 1; a day ends at 24:00."""

    weekday: Annotated[Count, Field(ge=1, le=7)]
    starts: Annotated[str, Field(pattern=f"^{_CLOCK}$", examples=["18:00"])]
    ends: Annotated[str, Field(pattern=f"^({_CLOCK}|24:00)$", examples=["21:00"])]

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Slot":
        if self.ends <= self.starts:
            raise PydanticCustomError("ends_before_start", "the end must be after the start")
        return self

    @property
    def minutes(self) -> Minutes:
        return minutes_of(self.weekday, self.starts, self.ends)


Availability = Annotated[
    list[Slot],
    Field(
        max_length=MAX_SLOTS,
        examples=[[{"weekday": 6, "starts": "10:00", "ends": "18:00"}]],
        description="Slots do not overlap; those that touch become one",
    ),
]


class Guardian(In):
    name: Annotated[Text, Field(max_length=160)]
    phone: Phone


class ConsentGiven(In):
    purpose: ConsentPurpose
    text_version: Annotated[Text, Field(max_length=32, examples=["2026-01"])]
    language: Language
    given_by: ConsentGiver = ConsentGiver.SELF


class OwnConsentChange(In):
    """Given, or taken back, by the volunteer themselves."""

    purpose: Annotated[ConsentPurpose, Field(examples=["photos"])]
    text_version: Annotated[Text, Field(max_length=32, examples=["2026-01"])]
    language: Annotated[Language, Field(examples=["kk"])]
    is_given: Annotated[bool, Field(strict=True, examples=[False], description="false takes it back")]


class ConsentChange(OwnConsentChange):
    """As the person, or the guardian, told a coordinator."""

    given_by: Annotated[ConsentGiver, Field(examples=["guardian"])]


class ConsentRead(Out):
    id: UUID
    purpose: ConsentPurpose
    text_version: str
    language: Language
    given_by: ConsentGiver
    is_given: bool
    recorded_by: Annotated[UUID | None, Field(description="The account; null for what came with an application")]
    created_at: Moment


class ConsentPage(Out):
    items: list[ConsentRead]
    next: UUID | None


class Application(NewId):
    given_name: Annotated[Name, Field(examples=["Айгерім"])]
    family_name: Annotated[Name, Field(examples=["Серікқызы"])]
    birth_on: Annotated[BirthDay, Field(examples=["2005-03-14"])]
    phone: Phone
    language: Language
    programmes: Programmes
    languages: Annotated[Languages, Field(description="Besides `language`")] = frozenset()
    districts: Districts = frozenset()
    skills: Skills = frozenset()
    availability: Availability = []
    guardian: Guardian | None = None
    consents: Annotated[
        list[ConsentGiven],
        Field(
            max_length=10,
            examples=[
                [
                    {"purpose": "personal_data", "text_version": "2026-01", "language": "kk"},
                    {"purpose": "participation", "text_version": "2026-01", "language": "kk"},
                ]
            ],
        ),
    ]


class ApplicationRead(Out):
    """The same for a phone number that is new and for one that is known: whether it is known is nobody's business."""

    id: UUID
    status: VolunteerStatus


class VolunteerLine(Out):
    """In a list: enough to call somebody, and no birth date."""

    id: UUID
    version: int
    status: VolunteerStatus
    given_name: str
    family_name: str
    phone: str
    language: Language
    languages: list[Language]
    programmes: list[Programme]
    districts: list[str]
    skills: list[Skill]
    has_guardian: bool


class OwnFile(VolunteerLine):
    """What the volunteer sees of it: everything but the coordinators' note."""

    birth_on: BirthDay
    availability: list[Slot]
    guardian_name: str | None
    guardian_phone: str | None
    status_reason: Annotated[str | None, Field(description="Of the last step, where one was given")]
    suspended_until: Annotated[Day | None, Field(description="The last day of a suspension, where it is known")]
    account_id: UUID | None


class VolunteerRead(OwnFile):
    coordinator_note: Annotated[str | None, Field(description="Not shown to the volunteer")]


class OwnChange(In):
    """What is absent stays as it is; a list is replaced as a whole."""

    phone: Phone | None = None
    language: Annotated[Language | None, Field(examples=["kk"])] = None
    languages: Annotated[Languages, Field(min_length=1)] | None = None
    districts: Districts | None = None
    skills: Skills | None = None
    availability: Availability | None = None


class VolunteerChange(OwnChange):
    """What is absent stays as it is, and so does what is null, but for the note."""

    given_name: Annotated[Name, Field(examples=["Айгерім"])] | None = None
    family_name: Annotated[Name, Field(examples=["Серікқызы"])] | None = None
    birth_on: Annotated[BirthDay, Field(examples=["2005-03-14"])] | None = None
    programmes: Programmes | None = None
    guardian: Guardian | None = None
    coordinator_note: Annotated[
        Annotated[Text, Field(max_length=2000, examples=["Calls back in the evening"])] | None,
        Field(description="For coordinators alone; null clears it"),
    ] = None


class VolunteerPage(Out):
    items: list[VolunteerLine]
    next: UUID | None


class VolunteerQuery(PageQuery):
    q: Annotated[
        Annotated[Text, Field(max_length=160), AfterValidator(_search_words)] | None,
        Field(description="Beginnings of words of the name, in any order and either alphabet", examples=["сер айг"]),
    ] = None
    status: VolunteerStatus | None = None
    programme: Programme | None = None
    district: DistrictId | None = None
    skill: Skill | None = None
    language: Annotated[Language | None, Field(description="One that they speak")] = None
    available_at: Annotated[
        Moment | None,
        Field(description="In the week of whoever has a slot then", examples=["2026-12-05T10:00:00+05:00"]),
    ] = None


class Approval(In):
    reason: Annotated[Reason, Field(examples=["Known from the school"])] | None = None


class Rejection(In):
    reason: Annotated[Reason, Field(examples=["Could not be reached"])]


class Suspension(In):
    reason: Annotated[Reason, Field(examples=["Exams"])]
    until: Annotated[
        Day | None, Field(description="The last day, if it is known; reinstating remains a coordinator's step")
    ] = None


class Leaving(In):
    reason: Annotated[Reason, Field(examples=["Moved to another city"])] | None = None


class VolunteerEventRead(Out):
    id: UUID
    action: VolunteerAction
    decided_by: Annotated[UUID | None, Field(description="The account; null for who applied again")]
    reason: str | None
    until: Day | None
    created_at: Moment


class VolunteerEventPage(Out):
    items: list[VolunteerEventRead]
    next: UUID | None


class SkillRead(Out):
    skill: Skill
    name: Annotated[str, Field(examples=["First aid"])]


class SkillList(Out):
    items: list[SkillRead]


class InvitationRead(Out):
    """Shown once; the person sets a password with it at /v1/auth/password."""

    login: str
    code: str
    expires_at: Moment

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.core.phones import e164
from app.domain.volunteers import ConsentGiver, ConsentPurpose, Language, Programme, VolunteerStatus
from app.schemas.base import BirthDay, DistrictId, In, Moment, NewId, Out, PageQuery, Text


def _e164(typed: str) -> str:
    number = e164(typed)
    if number is None:
        raise PydanticCustomError("not_a_phone", "a phone number is needed")
    return number


Phone = Annotated[Text, Field(max_length=32, examples=["+77011234567"]), AfterValidator(_e164)]
Name = Annotated[Text, Field(max_length=80)]


class Guardian(In):
    name: Annotated[Text, Field(max_length=160)]
    phone: Phone


class ConsentGiven(In):
    purpose: ConsentPurpose
    text_version: Annotated[Text, Field(max_length=32, examples=["2026-01"])]
    language: Language
    given_by: ConsentGiver = ConsentGiver.SELF


class Application(NewId):
    given_name: Annotated[Name, Field(examples=["Айгерім"])]
    family_name: Annotated[Name, Field(examples=["Серікқызы"])]
    birth_on: Annotated[BirthDay, Field(examples=["2005-03-14"])]
    phone: Phone
    language: Language
    programmes: Annotated[frozenset[Programme], Field(min_length=1, examples=[["street"]])]
    districts: Annotated[frozenset[DistrictId], Field(max_length=20, examples=[["almaly"]])] = frozenset()
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
    programmes: list[Programme]
    districts: list[str]
    has_guardian: bool


class VolunteerRead(VolunteerLine):
    birth_on: BirthDay
    guardian_name: str | None
    guardian_phone: str | None
    rejection_reason: str | None
    account_id: UUID | None


class VolunteerPage(Out):
    items: list[VolunteerLine]
    next: UUID | None


class VolunteerQuery(PageQuery):
    status: VolunteerStatus | None = None


class Rejection(In):
    reason: Annotated[Text, Field(max_length=500, examples=["Could not be reached"])]


class InvitationRead(Out):
    """Shown once; the person sets a password with it at /v1/auth/password."""

    login: str
    code: str
    expires_at: Moment

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from app.domain.volunteers import ConsentGiver, ConsentPurpose, Language, VolunteerStatus
from app.models.base import CityEntity, Versioned, of_city, text_enum


class Volunteer(Versioned, table=True):
    __table_args__ = (
        sa.UniqueConstraint("city_id", "phone"),
        sa.UniqueConstraint("city_id", "account_id"),
        sa.Index(None, "city_id", "status", "id"),
    )

    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    """Made when the volunteer is approved."""
    status: VolunteerStatus = Field(
        default=VolunteerStatus.APPLIED,
        sa_type=text_enum(VolunteerStatus, "status"),
    )
    given_name: str = Field(max_length=80)
    family_name: str = Field(max_length=80)
    birth_on: date
    phone: str = Field(max_length=16)
    """E.164."""
    language: Language = Field(sa_type=text_enum(Language, "language"))
    programmes: list[str] = Field(sa_type=ARRAY(sa.Text))
    districts: list[str] = Field(default_factory=list, sa_type=ARRAY(sa.Text))
    guardian_name: str | None = Field(default=None, max_length=160)
    guardian_phone: str | None = Field(default=None, max_length=16)
    rejection_reason: str | None = Field(default=None, max_length=500)


class Consent(CityEntity, table=True):
    """Append-only: a withdrawal is another row."""

    __table_args__ = (of_city("volunteer_id", "volunteer"), sa.Index(None, "city_id", "volunteer_id"))

    volunteer_id: UUID
    purpose: ConsentPurpose = Field(sa_type=text_enum(ConsentPurpose, "purpose"))
    text_version: str = Field(max_length=32)
    language: Language = Field(sa_type=text_enum(Language, "language"))
    given_by: ConsentGiver = Field(sa_type=text_enum(ConsentGiver, "given_by"))
    is_given: bool

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, INT4MULTIRANGE
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlmodel import Field

from app.domain.availability import WEEK_MINUTES
from app.domain.names import SORT_NAME_MAX, WORD_MAX, name_words, sort_name
from app.domain.volunteers import ConsentGiver, ConsentPurpose, Language, VolunteerAction, VolunteerStatus
from app.models.base import CityEntity, Table, Versioned, of_city, text_enum

# In the order of bytes, whatever the database was made with: app/domain/names.py makes the keys for it.
BYTES: Any = sa.Text(collation="C")


def _sort_name(context: DefaultExecutionContext) -> str:
    return sort_name(*_names(context))


def _name_words(context: DefaultExecutionContext) -> list[str]:
    return name_words(*_names(context))


def _names(context: DefaultExecutionContext) -> tuple[str, str]:
    row: Any = context.get_current_parameters()
    return row["family_name"], row["given_name"]


class Volunteer(Versioned, table=True):
    __table_args__ = (
        sa.UniqueConstraint("city_id", "phone"),
        sa.UniqueConstraint("city_id", "account_id"),
        sa.Index(None, "city_id", "sort_name", "id"),
        sa.Index(None, "city_id", "status", "sort_name", "id"),
        sa.CheckConstraint(f"availability <@ '{{[0,{WEEK_MINUTES})}}'", name="availability"),
        sa.CheckConstraint(f"length(sort_name) <= {SORT_NAME_MAX}", name="sort_name"),
    )

    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    """Made when the volunteer is approved."""
    status: VolunteerStatus = Field(
        default=VolunteerStatus.APPLIED,
        sa_type=text_enum(VolunteerStatus, "status"),
    )
    status_reason: str | None = Field(default=None, max_length=500)
    """Of the last step: why rejected, suspended or gone."""
    suspended_until: date | None = None
    """The last day of a suspension, where it is known."""
    given_name: str = Field(max_length=80)
    family_name: str = Field(max_length=80)
    sort_name: str | None = Field(default=None, nullable=False, sa_type=BYTES, sa_column_kwargs={"default": _sort_name})
    name_words: list[str] | None = Field(
        default=None, nullable=False, sa_type=ARRAY(sa.Text), sa_column_kwargs={"default": _name_words}
    )
    """A trigger keeps a VolunteerTerm for each."""
    birth_on: date
    phone: str = Field(max_length=16)
    """E.164."""
    language: Language = Field(sa_type=text_enum(Language, "language"))
    """To speak to them in."""
    languages: list[str] = Field(default_factory=list, sa_type=ARRAY(sa.Text))
    programmes: list[str] = Field(sa_type=ARRAY(sa.Text))
    districts: list[str] = Field(default_factory=list, sa_type=ARRAY(sa.Text))
    """Where they go out."""
    skills: list[str] = Field(default_factory=list, sa_type=ARRAY(sa.Text))
    availability: list[Any] = Field(default_factory=list, sa_type=INT4MULTIRANGE)
    """Made by core.ranges: minutes of the city's week, from Monday 00:00; slots that touch are one."""
    guardian_name: str | None = Field(default=None, max_length=160)
    guardian_phone: str | None = Field(default=None, max_length=16)
    coordinator_note: str | None = Field(default=None, max_length=2000)

    def rename(self, *, family_name: str, given_name: str) -> None:
        """The keys go with the name."""
        self.family_name, self.given_name = family_name, given_name
        self.sort_name, self.name_words = sort_name(family_name, given_name), name_words(family_name, given_name)


class VolunteerTerm(Table, table=True):
    """What a search can begin with, in the order of names. Written by a trigger alone, so that it is as the row is.

    The words of the name and their first letter or two, and, with a colon in them, districts and skills.
    """

    __table_args__ = (
        sa.ForeignKeyConstraint(["city_id", "id"], ["volunteer.city_id", "volunteer.id"]),
        sa.Index(None, "city_id", "term", "sort_name", "id"),
        sa.CheckConstraint(f"length(term) <= {WORD_MAX}", name="term"),
    )

    city_id: str = Field(primary_key=True, foreign_key="city.id", max_length=32)
    id: UUID = Field(primary_key=True)
    """The volunteer's."""
    term: str = Field(primary_key=True, sa_type=BYTES)
    sort_name: str = Field(sa_type=BYTES)


class VolunteerEvent(CityEntity, table=True):
    """A step of the file. Append-only."""

    __table_args__ = (
        of_city("volunteer_id", "volunteer"),
        sa.Index(None, "city_id", "volunteer_id", "id"),
    )

    volunteer_id: UUID
    action: VolunteerAction = Field(sa_type=text_enum(VolunteerAction, "action"))
    decided_by: UUID | None = Field(default=None, foreign_key="account.id")
    """None for who applied again, without an account."""
    reason: str | None = Field(default=None, max_length=500)
    until: date | None = None


class Consent(CityEntity, table=True):
    """Append-only: a withdrawal is another row."""

    __table_args__ = (of_city("volunteer_id", "volunteer"), sa.Index(None, "city_id", "volunteer_id", "id"))

    volunteer_id: UUID
    purpose: ConsentPurpose = Field(sa_type=text_enum(ConsentPurpose, "purpose"))
    text_version: str = Field(max_length=32)
    language: Language = Field(sa_type=text_enum(Language, "language"))
    given_by: ConsentGiver = Field(sa_type=text_enum(ConsentGiver, "given_by"))
    is_given: bool
    recorded_by: UUID | None = Field(default=None, foreign_key="account.id")
    """Whose account wrote it down; None for what came with an application."""

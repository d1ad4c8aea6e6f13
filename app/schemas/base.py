"""The types every body is made of: nothing gets past them that PostgreSQL or a phone could choke on."""

import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_LAYOUT = frozenset("\n\t")


def _clean(text: str) -> str:
    """NFC, without control characters or lone surrogates; newline and tab may stay."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in _LAYOUT for char in text):
        raise PydanticCustomError("text_control", "control characters are not allowed")
    return text


def _only_text(value: object) -> object:
    if not isinstance(value, str | date):
        raise PydanticCustomError("date_text", "a date is written as text")
    return value


def _within_reason(moment: datetime) -> datetime:
    # Compared before it is converted: a year 9999 with a negative offset has no UTC form.
    if not EARLIEST <= moment < LATEST:
        raise PydanticCustomError("date_range", "between 2000 and 2100")
    return moment.astimezone(UTC)


def _day_within_reason(day: date) -> date:
    if not EARLIEST.date() <= day < LATEST.date():
        raise PydanticCustomError("date_range", "between 2000 and 2100")
    return day


# Length is checked after NFC, which can make a text longer.
Text = Annotated[str, Field(strict=True), AfterValidator(_clean), StringConstraints(min_length=1)]
Moment = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_within_reason)]
"""RFC 3339 with an offset, from 2000 to 2099; inside always UTC."""
Day = Annotated[date, BeforeValidator(_only_text), AfterValidator(_day_within_reason)]
"""A calendar day of the city, from 2000 to 2099."""
BirthDay = Annotated[date, BeforeValidator(_only_text)]
"""Of any year: who is too young or too old is for the programme to say."""
Count = Annotated[int, Field(strict=True)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False, examples=[43.238])]
"""Degrees north, WGS 84."""
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False, examples=[76.945])]
"""Degrees east, WGS 84."""


class In(BaseModel):
    """A request body: a field that is not listed is refused, so that a typing error is never lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """An answer: every field is always there."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class NewId(In):
    """A thing that a phone may create offline brings its own id, so that sending it twice makes one."""

    id: Annotated[UUID | None, Field(description="UUIDv7 made by the client; made here when absent")] = None


class PageQuery(In):
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[UUID | None, Field(description="`next` of the page before")] = None


class Point(In):
    latitude: Latitude
    longitude: Longitude


class Problem(Out):
    """RFC 9457. Decide by `code`; show `detail`, which is in the language asked for."""

    type: str
    code: str
    title: str
    status: int
    detail: str
    instance: Annotated[str, Field(description="The request's id; name it when you report a fault")]
    errors: "list[ProblemError]"


class ProblemError(Out):
    code: str
    pointer: Annotated[str, Field(description="JSON pointer into the request: /body/…, /query/…, /path/…")]
    detail: str

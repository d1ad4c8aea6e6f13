"""The types every body is made of: nothing gets past them that PostgreSQL or a phone could choke on."""

import re
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

from app.domain.payment_cards import has_card_number

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_LAYOUT = frozenset("\n\t")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    _DAY.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE
)
# For clients, in the document; _clean decides.
_PRINTABLE = r"[^\x00-\x08\x0b-\x1f\x7f-\x9f]"
_NUMBER = re.compile(r"[0-9]{1,9}")


def _clean(text: str) -> str:
    """NFC, without control characters or lone surrogates; newline and tab may stay."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in _LAYOUT for char in text):
        raise PydanticCustomError("text_control", "control characters are not allowed")
    return text


def _without_card_number(text: str) -> str:
    if has_card_number(text):
        raise PydanticCustomError("card_number_elsewhere", "card numbers are kept nowhere")
    return text


def _rfc3339(value: object) -> object:
    """Pydantic reads numbers, also within quotes, as seconds since 1970, and other forms of ISO 8601."""
    if not isinstance(value, datetime) and not _matches(_MOMENT, value):
        raise PydanticCustomError("not_a_moment", "a moment is written as RFC 3339 has it")
    return value


def _full_date(value: object) -> object:
    if not isinstance(value, date) and not _matches(_DAY, value):
        raise PydanticCustomError("not_a_day", "a day is written as RFC 3339 has it")
    return value


def _digits(value: object) -> object:
    """Pydantic reads "1_0" and " 1" as well."""
    if not isinstance(value, int) and not _matches(_NUMBER, value):
        raise PydanticCustomError("wrong_type", "digits are needed")
    return value


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


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
Text = Annotated[
    str,
    Field(strict=True, json_schema_extra={"pattern": rf"^{_PRINTABLE}*\S{_PRINTABLE}*$"}),
    AfterValidator(_clean),
    StringConstraints(min_length=1),
]
Note = Annotated[Text, AfterValidator(_without_card_number)]
"""A text that is kept as it is written, and so must not have a card number in it."""
Moment = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(_within_reason)]
"""RFC 3339 with an offset, from 2000 to 2099; inside always UTC."""
Day = Annotated[date, BeforeValidator(_full_date), AfterValidator(_day_within_reason)]
"""A calendar day of the city, from 2000 to 2099."""
BirthDay = Annotated[date, BeforeValidator(_full_date)]
"""Of any year: who is too young or too old is for the programme to say."""
Count = Annotated[int, Field(strict=True)]
DIGITS = BeforeValidator(_digits)
"""For numbers in a query; stands after the bounds, so that the document has them."""
DistrictId = Annotated[Text, Field(max_length=32)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False, examples=[43.238])]
"""Degrees north, WGS 84."""
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False, examples=[76.945])]
"""Degrees east, WGS 84."""


_SORTABLE = 7


class In(BaseModel):
    """A request body: a field that is not listed is refused, so that a typing error is never lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """An answer: every field is always there."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def _version_7(identifier: UUID | None) -> UUID | None:
    # Lists are in the order of ids: another version would stand among the newest, or among the oldest, for ever.
    if identifier and identifier.version != _SORTABLE:
        raise PydanticCustomError("not_version_7", "a UUIDv7 is needed")
    return identifier


class NewId(In):
    """A thing that a phone may create offline brings its own id, so that sending it twice makes one."""

    id: Annotated[
        UUID | None, AfterValidator(_version_7), Field(description="UUIDv7 made by the client; made here when absent")
    ] = None


class PageQuery(In):
    limit: Annotated[int, Field(ge=1, le=200), DIGITS] = 50
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

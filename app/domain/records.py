"""What a row of older records must say before it is taken over: a cell in, a value or a reason out."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.domain.errors import Fault

EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
LISTED = 100
"""How many refused rows are named; the rest are only counted."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{1,20})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,10}", re.ASCII)
_HOUR = re.compile(r"%[HIcX]")


@dataclass(frozen=True, slots=True)
class Period:
    """Days from first to last, both included."""

    first: date
    last: date

    def overlaps(self, other: "Period") -> bool:
        return self.first <= other.last and other.first <= self.last


class RecordsKind(StrEnum):
    GRAFFITI = "graffiti"
    COUNTS = "counts"


class RefusedCell(Exception):
    """Why a row is not taken over: the field, and a fault with its words in app/messages.toml."""

    def __init__(self, field: str, code: str, **details: str | int) -> None:
        super().__init__(code)
        self.fault = Fault(code, field, details)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row that was not taken over; the header is row 1, as a spreadsheet shows it."""

    row: int
    fault: Fault
    """Its pointer is the name of the field, empty for the row as a whole."""


class Refusals:
    """Counts them all and remembers the first `LISTED`."""

    def __init__(self) -> None:
        self.count = 0
        self._listed: list[Refusal] = []

    def add(self, *refusals: Refusal, more: int = 0) -> None:
        """`more` were refused for the same reason and are not named."""
        self.count += len(refusals) + more
        self._listed = sorted((*self._listed, *refusals), key=lambda refusal: refusal.row)[:LISTED]

    @property
    def listed(self) -> list[Refusal]:
        return list(self._listed)


@dataclass(frozen=True, slots=True)
class DateForm:
    """How a file writes its days, as strptime has it; a form without an hour means noon, city time."""

    form: str
    zone: ZoneInfo
    now: datetime

    @property
    def example(self) -> str:
        return date(2025, 5, 31).strftime(self.form)


class Cells:
    """One row, asked by our names of fields. A field that has no column is empty."""

    __slots__ = ("_places", "_row")

    def __init__(self, places: Mapping[str, int], row: Sequence[str]) -> None:
        self._places = places
        self._row = row

    def text(self, field: str, limit: int) -> str | None:
        """NFC on one line, at most `limit` characters; None when empty."""
        place = self._places.get(field)
        if place is None:
            return None
        text = unicodedata.normalize("NFC", " ".join(self._row[place].split()))
        if len(text) > limit:
            raise RefusedCell(field, "too_long", limit=limit)
        if _CONTROL.search(text):
            raise RefusedCell(field, "text_control")
        return text or None

    def required(self, field: str, limit: int) -> str:
        text = self.text(field, limit)
        if text is None:
            raise RefusedCell(field, "missing")
        return text

    def degrees(self, field: str, bound: int) -> float | None:
        """From -bound to bound, with a decimal point or comma."""
        text = self.text(field, 40)
        if text is None:
            return None
        if not _DEGREES.fullmatch(text):
            raise RefusedCell(field, "not_a_number")
        degrees = float(text.replace(",", "."))
        if degrees > bound:
            raise RefusedCell(field, "too_big", limit=bound)
        if degrees < -bound:
            raise RefusedCell(field, "too_small", limit=-bound)
        return degrees

    def point(self) -> tuple[float, float] | tuple[None, None]:
        """Latitude and longitude, WGS 84; both or neither."""
        latitude, longitude = self.degrees("latitude", 90), self.degrees("longitude", 180)
        if latitude is None or longitude is None:
            if latitude is not longitude:
                raise RefusedCell("latitude" if latitude is None else "longitude", "missing")
            return None, None
        if latitude == longitude == 0:
            raise RefusedCell("latitude", "point_null_island")
        return latitude, longitude

    def whole(self, field: str, most: int) -> int | None:
        """From 1 to `most`."""
        text = self.text(field, 40)
        if text is None:
            return None
        if not _WHOLE.fullmatch(text):
            raise RefusedCell(field, "not_whole")
        if int(text) > most:
            raise RefusedCell(field, "too_big", limit=most)
        if int(text) < 1:
            raise RefusedCell(field, "too_small", limit=1)
        return int(text)

    def choice(self, field: str, choices: Mapping[str, str]) -> str | None:
        """What the choices say for the text."""
        text = self.text(field, 200)
        if text is None:
            return None
        if text not in choices:
            raise RefusedCell(field, "not_listed", expected=", ".join(choices))
        return choices[text]

    def day(self, field: str) -> date:
        """Written as 2025-05-31, from 2000 to 2099."""
        text = self.required(field, 40)
        try:
            day = _moment(text, "%Y-%m-%d").date()
        except ValueError:
            raise RefusedCell(field, "not_a_day") from None
        return _within_reason(field, day)

    def period(self, first: str, last: str) -> Period:
        period = Period(self.day(first), self.day(last))
        if period.last < period.first:
            raise RefusedCell(last, "ends_before_start")
        return period

    def moment(self, field: str, written: DateForm) -> datetime:
        """Never later than now, from 2000 on. Only a day: noon there, or now while it is still morning."""
        text = self.required(field, 80)
        try:
            moment = _moment(text, written.form)
        except ValueError:
            raise RefusedCell(field, "not_in_date_form", example=written.example) from None
        if not _HOUR.search(written.form):
            return self._noon(field, moment.date(), written)
        _within_reason(field, moment.date())
        moment = moment.astimezone(written.zone) if moment.tzinfo else moment.replace(tzinfo=written.zone)
        if moment > written.now:
            raise RefusedCell(field, "in_future")
        return moment

    @staticmethod
    def _noon(field: str, day: date, written: DateForm) -> datetime:
        _within_reason(field, day)
        if day > written.now.astimezone(written.zone).date():
            raise RefusedCell(field, "in_future")
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=written.zone)
        return min(noon, written.now)


def is_date_form(form: str) -> bool:
    """Whether a day written in it can be read back."""
    day = date(2025, 5, 31)
    try:
        return _moment(day.strftime(form), form).date() == day
    except ValueError:
        return False


@lru_cache(maxsize=10_000)
def _moment(text: str, form: str) -> datetime:
    """Cached, because a file has many rows for each day and strptime is slow."""
    return datetime.strptime(text, form)  # noqa: DTZ007 a form without an offset is city time: the caller knows it


def _within_reason(field: str, day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise RefusedCell(field, "date_range")
    return day

"""What a row of a plan in a workbook must say: a cell in, a value or a reason out."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from app.domain.metrics import Metric
from app.domain.plans import MOST_DIRECTIONS, MOST_ITEMS, is_contact, is_item_number
from app.domain.records import EARLIEST, LATEST, RefusedCell

MOST = 2**53 - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DAY_FORMS = ("%Y-%m-%d", "%d.%m.%Y")
_WHOLE = re.compile(r"[0-9]{1,16}")
_HEADED = frozenset({"direction", "number"})

Value = str | int | float | bool | date | datetime | None


class Formula:
    """In place of a cell's value: it has a formula, whose result only a spreadsheet program knows."""


Cells = Mapping[str, Value | Formula]


@dataclass(frozen=True, slots=True)
class Known:
    """What the city calls things, in any of its languages and in any case."""

    metrics: Mapping[str, Metric]
    districts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowItem:
    direction: str
    number: str
    title: str
    owner: str | None
    due_on: date
    metric: Metric | None
    amount: int | None
    district_id: str | None
    counted_from: date | None
    counted_to: date | None


class PlanRows:
    """Reads one row after another, and remembers what the rows above have said."""

    def __init__(self, starts_on: date, known: Known) -> None:
        self.directions: dict[str, list[RowItem]] = {}
        self._starts_on = starts_on
        self._known = known
        self._direction: str | None = None
        self._numbers: dict[str, int] = {}

    def take(self, row: int, cells: Cells) -> bool:
        """False for a row that only names the direction of those below. Raises RefusedCell."""
        self._direction = _text(cells, "direction", 300) or self._direction
        if all(cells.get(field) in {None, ""} for field in cells.keys() - _HEADED):
            return False
        item = self._item(cells)
        self.directions.setdefault(item.direction, []).append(item)
        self._numbers[item.number] = row
        return True

    def _item(self, cells: Cells) -> RowItem:
        direction = self._direction_of_row()
        title, due_on = _required(cells, "title", 500), _day(cells, "due_on")
        if due_on is None:
            raise RefusedCell("due_on", "missing")
        if due_on < self._starts_on:
            raise RefusedCell("due_on", "before_plan", day=self._starts_on.isoformat())
        metric, amount = self._metric(cells), _whole(cells, "amount")
        if (metric is None) != (amount is None):
            raise RefusedCell("metric" if metric is None else "amount", "missing")
        counted_from, counted_to = self._window(cells, due_on) if metric else (None, None)
        return RowItem(
            direction=direction,
            number=self._number(cells, direction),
            title=title,
            owner=_owner(cells),
            due_on=due_on,
            metric=metric,
            amount=amount,
            district_id=self._district(cells) if metric else None,
            counted_from=counted_from,
            counted_to=counted_to,
        )

    def _direction_of_row(self) -> str:
        if self._direction is None:
            raise RefusedCell("direction", "missing")
        if self._direction not in self.directions and len(self.directions) >= MOST_DIRECTIONS:
            raise RefusedCell("direction", "too_long", limit=MOST_DIRECTIONS)
        return self._direction

    def _number(self, cells: Cells, direction: str) -> str:
        if len(self._numbers) >= MOST_ITEMS:
            raise RefusedCell("", "too_long", limit=MOST_ITEMS)
        number = (_text(cells, "number", 16) or "").rstrip(".")
        if not number:
            return self._next(direction)
        if not is_item_number(number):
            raise RefusedCell("number", "wrong_pattern")
        if number in self._numbers:
            raise RefusedCell("number", "id_twice", row=self._numbers[number])
        return number

    def _next(self, direction: str) -> str:
        names = [*self.directions]
        first = names.index(direction) + 1 if direction in names else len(names) + 1
        free = (f"{first}.{second}" for second in range(1, MOST_ITEMS + 2))
        return next(number for number in free if number not in self._numbers)

    def _metric(self, cells: Cells) -> Metric | None:
        name = _text(cells, "metric", 200)
        if name is None:
            return None
        if name.casefold() not in self._known.metrics:
            raise RefusedCell("metric", "no_such_metric")
        return self._known.metrics[name.casefold()]

    def _district(self, cells: Cells) -> str | None:
        name = _text(cells, "district", 200)
        if name is None:
            return None
        if name.casefold() not in self._known.districts:
            raise RefusedCell("district", "no_such_district")
        return self._known.districts[name.casefold()]

    def _window(self, cells: Cells, due_on: date) -> tuple[date | None, date | None]:
        first, last = _day(cells, "from"), _day(cells, "to")
        if (last or due_on) < (first or self._starts_on):
            raise RefusedCell("to", "ends_before_start")
        return first, last


def _cell(cells: Cells, field: str) -> Value:
    value = cells.get(field)
    if isinstance(value, Formula):
        raise RefusedCell(field, "formula")
    return value


def _text(cells: Cells, field: str, limit: int) -> str | None:
    """NFC on one line; None when empty."""
    value = _cell(cells, field)
    text = unicodedata.normalize("NFC", " ".join(("" if value is None else str(value)).split()))
    if len(text) > limit:
        raise RefusedCell(field, "too_long", limit=limit)
    if _CONTROL.search(text):
        raise RefusedCell(field, "text_control")
    return text or None


def _required(cells: Cells, field: str, limit: int) -> str:
    text = _text(cells, field, limit)
    if text is None:
        raise RefusedCell(field, "missing")
    return text


def _owner(cells: Cells) -> str | None:
    owner = _text(cells, "owner", 200)
    if owner and is_contact(owner):
        raise RefusedCell("owner", "contact")
    return owner


def _day(cells: Cells, field: str) -> date | None:
    """A cell that is a date, or a text such as 2026-11-30 or 30.11.2026."""
    value = _cell(cells, field)
    day = value.date() if isinstance(value, datetime) else value
    if not isinstance(day, date):
        day = _written_day(_text(cells, field, 40), field)
    if day and not EARLIEST <= day <= LATEST:
        raise RefusedCell(field, "date_range")
    return day


def _written_day(text: str | None, field: str) -> date | None:
    if text is None:
        return None
    for form in _DAY_FORMS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 a day has no zone
        except ValueError:
            continue
    raise RefusedCell(field, "not_a_day")


def _whole(cells: Cells, field: str) -> int | None:
    """A number cell without a fraction, or digits with spaces between them."""
    value = _cell(cells, field)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "".join(str(value).split())
    if value is None or not text:
        return None
    if isinstance(value, bool) or not _WHOLE.fullmatch(text):
        raise RefusedCell(field, "not_whole")
    if not 1 <= int(text) <= MOST:
        raise RefusedCell(field, "too_small" if int(text) < 1 else "too_big", limit=1 if int(text) < 1 else MOST)
    return int(text)

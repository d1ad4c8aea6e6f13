"""A workbook (XLSX) as offices have them: where its table begins, and what stands in a row.

A workbook is a ZIP file of XML. It is unpacked once, within bounds, before a library sees it: how large it says that
it is decides nothing. Formulas are neither evaluated nor believed: a cell that has one refuses its row.
"""

import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook

from app.domain.errors import Fault, Invalid
from app.domain.plan_rows import Cells, Formula, Value
from app.domain.plans import MOST_ITEMS

MOST_BYTES = 2 * 1024 * 1024
MOST_UNPACKED = 8 * 1024 * 1024
_MOST_PARTS = 200_000
_MOST_FILES = 200
_MOST_COLUMNS = 40
_HEADER_WITHIN = 30
_MOST_ROWS = _HEADER_WITHIN + 4 * MOST_ITEMS
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_PUNCTUATION = re.compile(r"[\W_]+")
# Whatever zipfile, the XML parser and openpyxl raise on a file that is not what it says.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
# The beginnings of headings in kk, ru and en; the longest that fits decides.
_HEADINGS: dict[str, tuple[str, ...]] = {
    "direction": ("бағыт", "направлени", "direction"),
    "number": ("№", "нөмір", "рет нөмір", "номер", "п п", "р с", "number", "no", "item no"),
    "title": ("іс шара", "атауы", "мероприяти", "наименовани", "пункт", "title", "item", "activity", "measure"),
    "owner": ("жауапты", "орындаушы", "ответственн", "исполнител", "owner", "responsible"),
    "due_on": ("мерзім", "орындау мерзім", "срок", "due", "deadline"),
    "metric": ("көрсеткіш", "показател", "целевой показател", "metric", "indicator"),
    "amount": ("нысаналы мән", "жоспар", "целевое значени", "значени", "план", "количеств", "target", "amount"),
    "district": ("аудан", "район", "district"),
    "from": ("басталуы", "начало", "from", "start"),
    "to": ("аяқталуы", "окончани", "конец", "to", "end"),
}
_NEEDED = ("direction", "title", "due_on")
_EXACT = frozenset({"to", "no", "from", "end", "item", "№"})

Row = list[Value | Formula]


def read(content: bytes) -> list[tuple[int, Cells]]:
    """The first sheet's table: by row number, what stands under each heading that we know.

    Takes tens of milliseconds: not for the event loop.

    Raises Invalid `xlsx_unreadable`, `xlsx_too_large`, `xlsx_no_table`, or `column_twice`.
    """
    try:
        _check_archive(content)
        book = load_workbook(BytesIO(content), read_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            rows = sheet.iter_rows(max_row=_MOST_ROWS + 1, max_col=_MOST_COLUMNS)
            return _table(iter(enumerate(map(_plain, rows), start=1)))
        finally:
            book.close()
    except _UNREADABLE as error:
        raise Invalid(Fault("xlsx_unreadable", "/body")) from error


def _check_archive(content: bytes) -> None:
    """Unpacks everything once, and stops at the bounds: of bytes, and of tags and attributes, which take memory."""
    unpacked = parts = 0
    with zipfile.ZipFile(BytesIO(content)) as archive:
        files = archive.infolist()
        for file in files:
            text = _unpacked(archive, file, MOST_UNPACKED - unpacked)
            unpacked, parts = unpacked + len(text), parts + text.count(b"<") + text.count(b"=")
            if unpacked > MOST_UNPACKED or parts > _MOST_PARTS or len(files) > _MOST_FILES:
                raise Invalid(Fault("xlsx_too_large", "/body", {"limit": MOST_UNPACKED}))
            # Without a document type there are no entities to blow up; in UTF-16 each letter has a zero beside it.
            if b"<!DOCTYPE" in text.replace(b"\0", b"").upper():
                raise zipfile.BadZipFile(file.filename)


def _unpacked(archive: zipfile.ZipFile, file: zipfile.ZipInfo, most: int) -> bytes:
    """At most one byte more than `most`, whatever size the file claims."""
    # Of other methods a few bytes can become any number at once.
    if file.compress_type not in _METHODS or file.flag_bits & _ENCRYPTED:
        raise zipfile.BadZipFile(file.filename)
    with archive.open(file) as packed:
        return packed.read(most + 1)


def _plain(cells: Sequence[Any]) -> Row:
    return [Formula() if cell.data_type == "f" else _value(cell.value) for cell in cells]


def _value(value: object) -> Value:
    return value if isinstance(value, str | int | float | bool | date | datetime) else None


def _table(rows: Iterator[tuple[int, Row]]) -> list[tuple[int, Cells]]:
    for number, row in rows:
        headings = [_heading(value) for value in row]
        if all(field in headings for field in _NEEDED):
            return [*_below(rows, _places(headings))]
        if number >= _HEADER_WITHIN:
            break
    raise Invalid(Fault("xlsx_no_table", "/body", {"rows": _HEADER_WITHIN}))


def _places(headings: list[str | None]) -> dict[int, str]:
    places = {place: field for place, field in enumerate(headings) if field}
    for field in places.values():
        if headings.count(field) > 1:
            raise Invalid(Fault("column_twice", "/body", {"column": field}))
    return places


def _below(rows: Iterator[tuple[int, Row]], places: Mapping[int, str]) -> Iterator[tuple[int, Cells]]:
    for number, row in rows:
        if number > _MOST_ROWS:
            raise Invalid(Fault("too_long", "/body", {"limit": _MOST_ROWS}))
        cells = {field: row[place] for place, field in places.items() if place < len(row)}
        if any(value not in {None, ""} for value in cells.values()):
            yield number, cells


def _heading(value: Value | Formula) -> str | None:
    if not isinstance(value, str):
        return None
    text = _PUNCTUATION.sub(" ", unicodedata.normalize("NFC", value).casefold().replace("№", " № ")).strip()
    text = "№" if "№" in value and len(value) <= len("№ п/п ") else text
    fitting = [
        (len(beginning), field)
        for field, beginnings in _HEADINGS.items()
        for beginning in beginnings
        if text == beginning or (beginning not in _EXACT and text.startswith(beginning))
    ]
    return max(fitting)[1] if fitting else None

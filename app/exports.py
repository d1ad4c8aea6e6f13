"""A document as JSON, CSV or XLSX, in the reader's language: the same numbers, whatever they are opened with."""

import asyncio
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar

import xlsxwriter
from fastapi import Request
from starlette.responses import Response
from xlsxwriter.format import Format as Style
from xlsxwriter.worksheet import Worksheet

from app import answers, messages
from app.domain.metrics import Metric
from app.schemas.base import Out
from app.schemas.metrics import Format, Words
from app.services.reports.sheets import Cell, Sheet

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TABLES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            CSV: {
                "schema": {"type": "string"},
                "example": "\ufeffRank,District,District code,Total\r\n1,Medeu,medeu,797\r\n",
            },
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}
"""The `responses=` of a route that answers with a table too, by `format`."""
# What a spreadsheet reads as the beginning of a formula, also in its full-width form, or as a field's end.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SHEET_NAME, _WIDTH = 31, 18
PRIVATE, PUBLISHED = "private, no-cache", "public, max-age=1"
_VARY = {"Vary": "Authorization, X-City, Accept-Language"}
D = TypeVar("D", bound=Out)
Plain = str | int | float | date | datetime | None


@dataclass(frozen=True, slots=True)
class Rendered:
    body: bytes
    etag: str
    headers: dict[str, str]

    def to(self, request: Request, cache: str = PRIVATE) -> Response:
        """304 to who has it already."""
        if answers.is_known(request, self.etag):
            return unchanged(self.etag, cache)
        return Response(self.body, 200, {**self.headers, **_VARY, "ETag": self.etag, "Cache-Control": cache})


def unchanged(etag: str, cache: str = PRIVATE) -> Response:
    return Response(None, 304, {**_VARY, "ETag": etag, "Cache-Control": cache})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the request asks for, and the language of a table's words."""

    format: Format
    language: str

    @classmethod
    def of(cls, request: Request, form: Format) -> "Wanted":
        if form is Format.JSON:
            return cls(form, messages.DEFAULT)
        return cls(form, messages.preferred_language(request.headers.get("accept-language", "")))

    def tag(self, etag: str) -> str:
        """A table is another representation than the JSON, and in each language another one."""
        return etag if self.format is Format.JSON else f'{etag[:-1]}-{self.format}-{self.language}"'

    async def render(
        self, read: D, sheet_of: Callable[[D], Sheet], *, media_type: str = "application/json", etag: str | None = None
    ) -> Rendered:
        """`etag` is that of the document; without one it is made from what is in it.

        Tables are made in a thread: a large one takes longer than others should wait.
        """
        json = read.model_dump_json(by_alias=True).encode()
        tag = self.tag(etag or f'"{hashlib.sha256(json).hexdigest()[:32]}"')
        if self.format is Format.JSON:
            return Rendered(json, tag, {"Content-Type": media_type})
        make, kind = {Format.CSV: (as_csv, f"{CSV}; charset=utf-8"), Format.XLSX: (as_xlsx, XLSX)}[self.format]
        sheet = sheet_of(read)
        named = {"Content-Disposition": f'attachment; filename="{sheet.name}.{self.format}"'}
        told = {"Content-Type": kind, "Content-Language": self.language, **named}
        return Rendered(await asyncio.to_thread(make, sheet, self.language), tag, told)


def as_csv(sheet: Sheet, language: str) -> bytes:
    """RFC 4180 in UTF-8, with the mark at its beginning without which Excel takes it for another encoding."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in _said(sheet, language):
        writer.writerow(map(_harmless, row))
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(sheet: Sheet, language: str) -> bytes:
    file = io.BytesIO()
    # Whatever begins with = or looks like an address stays text.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        page: Worksheet = book.add_worksheet(sheet.name[:_SHEET_NAME])
        styles = _Styles(*(book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss")))
        for number, row in enumerate(_said(sheet, language)):
            for column, cell in enumerate(row):
                _write(page, (number, column), cell, styles)
        page.set_column(0, len(sheet.columns) - 1, _WIDTH)
        page.freeze_panes(1, 0)
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class _Styles:
    day: Style
    moment: Style


def _write(page: Worksheet, place: tuple[int, int], cell: Plain, styles: _Styles) -> None:
    """By the type of the value, and never by how its text looks."""
    match cell:
        case None:
            return
        case str():
            page.write_string(*place, cell)
        case datetime():
            # A spreadsheet has no time zones: the column's name says that it is UTC.
            page.write_datetime(*place, cell.astimezone(UTC).replace(tzinfo=None), styles.moment)
        case date():
            page.write_datetime(*place, cell, styles.day)
        case _:
            page.write_number(*place, cell)


def _said(sheet: Sheet, language: str) -> Iterator[tuple[Plain, ...]]:
    """The names of the columns, then the rows, in one language."""
    yield tuple(messages.column(code, language) for code in sheet.columns)
    for row in sheet.rows:
        yield tuple(_plain(cell, language) for cell in row)


def _plain(cell: Cell, language: str) -> Plain:
    match cell:
        case Words():
            return getattr(cell, language)
        case Metric():
            return messages.metric(cell, language)
        case StrEnum():
            return messages.word(cell, language)
        case _:
            return cell


def _harmless(cell: Plain) -> Plain:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell.isoformat() if isinstance(cell, date) else cell

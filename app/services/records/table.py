"""A CSV file as people have them: UTF-8 or Windows-1251, with commas, semicolons or tabs."""

import csv
import hashlib
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO

from app.domain.errors import Fault, Invalid
from app.domain.records import RefusedCell

DELIMITERS = (",", ";", "\t")
_ENCODINGS = ("utf-8-sig", "cp1251")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Examined:
    digest: bytes
    """SHA-256 of the whole file."""
    encoding: str


def examined(file: BinaryIO) -> Examined:
    """Read once to its end, in pieces. Raises Invalid `csv_unreadable` for any other encoding."""
    digest = hashlib.sha256()
    decoders = {name: getincrementaldecoder(name)() for name in _ENCODINGS}
    file.seek(0)
    while chunk := file.read(_CHUNK):
        if file.tell() == len(chunk) and chunk.startswith(_UTF16_MARKS):
            raise Invalid(Fault("csv_unreadable", "/body"))
        digest.update(chunk)
        decoders = {name: decoder for name, decoder in decoders.items() if _decodes(decoder, chunk)}
    fitting = [name for name, decoder in decoders.items() if _decodes(decoder, b"", final=True)]
    if not fitting:
        raise Invalid(Fault("csv_unreadable", "/body"))
    return Examined(digest.digest(), fitting[0])


def _decodes(decoder: IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


class Table:
    """The header at once, the rows one after another."""

    def __init__(self, file: BinaryIO, encoding: str, expected: Collection[str]) -> None:
        """`expected` columns decide between the delimiters. Raises Invalid `csv_empty`."""
        file.seek(0)
        text = TextIOWrapper(file, encoding, newline="")
        first = text.readline()
        if not first.strip():
            raise Invalid(Fault("csv_empty", "/body"))
        headers = {delimiter: _header(first, delimiter) for delimiter in DELIMITERS}
        delimiter = max(DELIMITERS, key=lambda delimiter: len(set(headers[delimiter]) & set(expected)))
        self.header = headers[delimiter]
        self._rows = csv.reader(text, delimiter=delimiter, strict=True)

    def place(self, column: str) -> int:
        """Where it stands, from 0. Raises Invalid `column_missing` or `column_twice`."""
        found = self.header.count(column)
        if found != 1:
            code = "column_twice" if found else "column_missing"
            raise Invalid(Fault(code, "/body", {"column": column}))
        return self.header.index(column)

    def whole(self, row: list[str]) -> list[str]:
        """The row itself. Raises RefusedCell unless it has as many cells as the header."""
        if len(row) != len(self.header):
            raise RefusedCell("", "ragged", found=len(row), expected=len(self.header))
        return row

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """With their numbers; the header is row 1. Lines without any text are passed over.

        Raises Invalid `csv_quote` for the whole file: after a stray quotation mark nobody knows where rows end.
        """
        number = 1
        try:
            for number, row in enumerate(self._rows, start=2):
                if any(row):
                    yield number, row
        except csv.Error:
            raise Invalid(Fault("csv_quote", "/body", {"row": number + 1})) from None


def _header(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        raise Invalid(Fault("csv_quote", "/body", {"row": 1})) from None

from typing import Annotated
from uuid import UUID

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from app.domain.records import RecordsKind, is_date_form
from app.domain.spots import SpotKind
from app.schemas.base import Count, In, Moment, Out, Text

Column = Annotated[Text, Field(max_length=200)]


class RemovalColumns(In):
    """Under which heading a file keeps what we ask of a removal."""

    external_id: Column
    removed_on: Column
    latitude: Column | None = None
    longitude: Column | None = None
    address: Column | None = None
    surface: Column | None = None
    kind: Column | None = None
    inscriptions: Column | None = None


class Only(In):
    """Rows with another value are left out, and counted as such."""

    column: Column
    values: Annotated[frozenset[str], Field(min_length=1, max_length=100)]


class RemovalMapping(In):
    """How one office writes its removals; see docs/import.md."""

    columns: RemovalColumns
    date_format: Annotated[Text, Field(max_length=40)] = "%Y-%m-%d"
    kinds: dict[str, SpotKind] = {}
    only: Only | None = None

    @field_validator("date_format")
    @classmethod
    def _names_a_day(cls, form: str) -> str:
        if not is_date_form(form):
            raise PydanticCustomError("wrong_pattern", "a date format names year, month and day")
        return form


class ImportQuery(In):
    source: Annotated[Text, Field(max_length=80, description="Whose records these are", examples=["311"])]
    mapping: Annotated[
        Text | None, Field(max_length=40, description="A mapping that we ship; without one, our own column names")
    ] = None
    dry_run: Annotated[bool, Field(description="Check every row and write nothing")] = False


class Figures(Out):
    """Rows of the file; each is exactly one of imported, already there, refused or left out."""

    rows: Count
    imported: Count
    already_there: Annotated[Count, Field(description="The same source and external id were taken over before")]
    without_point: Annotated[Count, Field(description="How many of the imported have only an address")]
    refused: Count
    left_out: Annotated[Count, Field(description="By the mapping's own wish")]


class RefusedRow(Out):
    row: Annotated[int, Field(description="The header is row 1")]
    field: Annotated[str, Field(description="Empty: the row as a whole", examples=["removed_on"])]
    code: Annotated[str, Field(examples=["not_a_day"])]
    detail: Annotated[str, Field(examples=["A date is needed, such as 2026-05-01."])]


class ImportReport(Figures):
    id: Annotated[UUID | None, Field(description="null after a dry run")]
    refused_rows: Annotated[list[RefusedRow], Field(description="The first 100")]


class ImportRead(Figures):
    id: UUID
    version: int
    kind: RecordsKind
    source: str
    sha256: Annotated[
        str, Field(description="Of the file, in hexadecimal", examples=["9f86d081884c7d659a2feaa0c55ad015" * 2])
    ]
    imported_by: UUID | None
    finished_at: Moment


class ImportPage(Out):
    items: list[ImportRead]
    next: UUID | None

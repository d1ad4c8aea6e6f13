"""What was handed in, and what became of it."""

from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from app.core.clock import utc_now
from app.domain.records import RecordsKind, Refusal
from app.models.records import RecordsImport
from app.schemas.records import Figures


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file for one city. The file must be seekable: it is read twice."""

    city_id: str
    source: str
    file: BinaryIO
    handed_in_by: UUID | None = None
    """None for a file from the terminal."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    figures: Figures
    refused_rows: list[Refusal]
    """The first `LISTED`, in the order of the file."""
    uncounted: int = 0
    """Of the imported totals, those kept beside another one of the same days and not added to it."""
    id: UUID | None = None
    """The run's; None after a dry run."""

    def run(self, kind: RecordsKind, delivery: Delivery, digest: bytes) -> RecordsImport:
        return RecordsImport(
            city_id=delivery.city_id,
            kind=kind,
            source=delivery.source,
            file_digest=digest,
            imported_by=delivery.handed_in_by,
            finished_at=utc_now(),
            **self.figures.model_dump(),
        )

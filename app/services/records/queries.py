import sqlalchemy as sa
from sqlmodel import col

from app.domain.permissions import Role
from app.models.records import RecordsImport
from app.schemas.records import ImportRead
from app.services import reads
from app.services.reads import Query


def _card() -> Query:
    digest = sa.func.encode(col(RecordsImport.file_digest), "hex")
    columns = reads.fields(RecordsImport, ImportRead, version=sa.literal(1), sha256=digest)
    return sa.select(*columns).where(col(RecordsImport.city_id) == reads.CITY)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card().where(col(RecordsImport.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    return reads.newest_first(_card(), RecordsImport.id, given)

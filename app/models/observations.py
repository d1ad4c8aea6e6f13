from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.observations import LARGEST_ASN, State
from app.models.base import TIMESTAMP, CityEntity, of_city, text_enum


class Observation(CityEntity, table=True):
    """The database refuses to change or delete it."""

    __table_args__ = (
        of_city("resource_id", "resource"),
        sa.CheckConstraint("state <> 'removed' OR note IS NOT NULL", name="removal_has_notice"),
        sa.CheckConstraint(f"asn BETWEEN 1 AND {LARGEST_ASN}", name="asn"),
        sa.Index(None, "city_id", "resource_id", "id"),
        sa.Index(None, "city_id", "resource_id", "observed_at"),
    )

    resource_id: UUID
    observed_at: datetime = Field(sa_type=TIMESTAMP)
    asn: int = Field(sa_type=sa.BigInteger)
    """The number of the network's autonomous system: it has one, whatever its operator calls it."""
    state: State = Field(sa_type=text_enum(State, "state"))
    control_reachable: bool
    note: str | None = Field(default=None, max_length=1000)
    observed_by: UUID = Field(foreign_key="account.id")

"""The ledger: a fact is written with the change it counts, in the same transaction, once."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.metrics import Metric, Origin
from app.domain.permissions import Actor
from app.models.ledger import LedgerEntry


@dataclass(frozen=True, slots=True)
class Fact:
    """`subject_id` is what happened: the same subject cannot count twice for a metric."""

    metric: Metric
    subject_id: UUID
    occurred_on: date
    amount: int = 1
    district_id: str | None = None


def record(session: AsyncSession, actor: Actor, *facts: Fact) -> None:
    session.add_all(
        LedgerEntry(
            city_id=actor.city_id,
            metric=fact.metric,
            origin=Origin.RECORDED,
            amount=fact.amount,
            occurred_on=fact.occurred_on,
            district_id=fact.district_id,
            subject_id=fact.subject_id,
            recorded_by=actor.account_id,
        )
        for fact in facts
    )

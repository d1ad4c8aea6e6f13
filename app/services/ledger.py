"""The ledger: a fact is written with the change it counts, in the same transaction, once."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import col, select
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
    session.add_all(_entry(actor, fact) for fact in facts)


def declare(session: AsyncSession, actor: Actor, *facts: Fact) -> None:
    """As `record`, of what an office said and nobody here saw (rule 7)."""
    session.add_all(_entry(actor, fact, origin=Origin.DECLARED) for fact in facts)


async def reverse(session: AsyncSession, actor: Actor, metric: Metric, subject_id: UUID) -> None:
    """Take a fact back by an entry against it, on the same day and in the same district; the first one stays."""
    query = select(LedgerEntry).where(
        LedgerEntry.city_id == actor.city_id,
        LedgerEntry.metric == metric,
        LedgerEntry.subject_id == subject_id,
        col(LedgerEntry.reverses_id).is_(None),
    )
    entry = (await session.exec(query)).one()
    taken_back = Fact(metric, subject_id, entry.occurred_on, -entry.amount, entry.district_id)
    session.add(_entry(actor, taken_back, origin=entry.origin, reverses_id=entry.id))


async def is_counted(session: AsyncSession, actor: Actor, metric: Metric, subject_id: UUID) -> bool:
    """Whether the subject was ever counted, also if that was taken back: it cannot be counted again."""
    query = select(LedgerEntry.id).where(
        LedgerEntry.city_id == actor.city_id, LedgerEntry.metric == metric, LedgerEntry.subject_id == subject_id
    )
    return (await session.exec(query.limit(1))).first() is not None


def _entry(
    actor: Actor, fact: Fact, *, origin: Origin = Origin.RECORDED, reverses_id: UUID | None = None
) -> LedgerEntry:
    return LedgerEntry(
        city_id=actor.city_id,
        metric=fact.metric,
        origin=origin,
        amount=fact.amount,
        occurred_on=fact.occurred_on,
        district_id=fact.district_id,
        subject_id=fact.subject_id,
        reverses_id=reverses_id,
        recorded_by=actor.account_id,
    )

"""What the entries of a figure add up to, and the digest that stands for them."""

from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.figures import MOST_LISTED
from app.domain.ledger import Entry
from app.domain.metrics import ABOUT_PEOPLE, Metric, Origin
from app.models.figures import Figure
from app.models.ledger import LedgerEntry
from app.schemas.figures import EntrySince, Reckoned
from app.services import entries
from app.services.reads import Query


async def as_signed(session: AsyncSession, figure: Figure) -> Reckoned:
    """From the entries themselves, one batch at a time, in the order of their day and id."""
    amounts, count, digest = dict.fromkeys(Origin, 0), 0, sha256()
    query = _of(figure, *entries.COLUMNS).where(col(LedgerEntry.recorded_at) <= figure.as_of)
    in_order = query.order_by(col(LedgerEntry.occurred_on), col(LedgerEntry.id))
    async for batch in entries.batches(session, in_order):
        for entry in map(Entry._make, batch):
            amounts[entry.origin] += entry.amount
            digest.update(entry.canonical() + b"\n")
        count += len(batch)
    return Reckoned(
        value=sum(amounts.values()),
        recorded=amounts[Origin.RECORDED],
        declared=amounts[Origin.DECLARED],
        entries=count,
        digest=digest.hexdigest(),
    )


async def people(session: AsyncSession, figure: Figure) -> list[int]:
    """How many people a figure of them is about: each origin's, and both together; of minutes, whose they are."""
    is_time = figure.metric is Metric.VOLUNTEER_MINUTES
    amount = col(LedgerEntry.amount)
    counted = sa.cast(sa.func.sum(sa.func.sign(amount) if is_time else amount), sa.BigInteger)
    query = _of(figure, col(LedgerEntry.origin), counted).where(col(LedgerEntry.recorded_at) <= figure.as_of)
    rows = await (await session.connection()).execute(query.group_by(col(LedgerEntry.origin)))
    parts = {origin: people for origin, people in rows if not is_time or origin is Origin.RECORDED}
    return [*parts.values(), sum(parts.values())]


async def since(session: AsyncSession, figure: Figure) -> tuple[int, int]:
    """What was recorded after the figure's moment: (the sum, how many entries)."""
    amount = sa.cast(sa.func.coalesce(sa.func.sum(col(LedgerEntry.amount)), 0), sa.BigInteger)
    added, count = (await (await session.connection()).execute(_later(figure, amount, sa.func.count()))).one()
    return added, count


async def listed_since(session: AsyncSession, figure: Figure) -> list[EntrySince]:
    """The first of them; of people none, since a day's one new volunteer could be recognised."""
    if figure.metric in ABOUT_PEOPLE:
        return []
    columns = [getattr(LedgerEntry, name) for name in EntrySince.model_fields]
    query = _later(figure, *columns).order_by(col(LedgerEntry.recorded_at), col(LedgerEntry.id)).limit(MOST_LISTED)
    return [EntrySince.model_validate(row) for row in await (await session.connection()).execute(query)]


def _later(figure: Figure, *columns: Any) -> Query:
    return _of(figure, *columns).where(col(LedgerEntry.recorded_at) > figure.as_of)


def _of(figure: Figure, *columns: Any) -> Query:
    """By the index on city, metric and day."""
    query = sa.select(*columns).where(
        col(LedgerEntry.city_id) == figure.city_id, col(LedgerEntry.metric) == figure.metric
    )
    occurred_on = col(LedgerEntry.occurred_on)
    if figure.from_day:
        query = query.where(occurred_on >= figure.from_day)
    if figure.to_day:
        query = query.where(occurred_on <= figure.to_day)
    if figure.district_id:
        query = query.where(col(LedgerEntry.district_id) == figure.district_id)
    return query.where(col(LedgerEntry.origin) == figure.origin) if figure.origin else query

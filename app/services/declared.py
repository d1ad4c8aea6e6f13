"""Totals that offices declared: entered one by one, shown, and withdrawn when they were a mistake."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import day_in, utc_now
from app.core.ids import new_id
from app.domain.declared import Declared, Register
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.metrics import LEVELS
from app.domain.permissions import Actor, Role
from app.domain.records import Period
from app.models.cities import City
from app.models.ledger import DeclaredCount, DeclaredWithdrawal
from app.schemas.declared import DeclaredCountRead, DeclaredDraft
from app.services import horizon, ledger, reads
from app.services.ledger import Fact
from app.services.overlaps import is_counted, is_withdrawn, overlaps_recorded, was_ever_counted
from app.services.reads import Query

_METRIC = sa.bindparam("metric", type_=sa.Text)
_FROM = sa.bindparam("from_", type_=sa.Date)
_TO = sa.bindparam("to", type_=sa.Date)


def visible_to(role: Role | None) -> SelectOfScalar[DeclaredCount]:
    return select(DeclaredCount).where(col(DeclaredCount.city_id) == reads.CITY)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _cards(role).where(col(DeclaredCount.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _cards(role)
    if "metric" in given:
        query = query.where(col(DeclaredCount.metric) == _METRIC)
    if "from_" in given:
        query = query.where(col(DeclaredCount.period_to) >= _FROM)
    if "to" in given:
        query = query.where(col(DeclaredCount.period_from) <= _TO)
    return reads.newest_first(query, DeclaredCount.id, given)


def _cards(role: Role | None) -> Query:
    withdrawal = DeclaredWithdrawal
    overlaps = overlaps_recorded(reads.CITY, horizon.late(reads.CITY))
    # Each of these happens once, and an overlap may end: doubled, they tell every state from every other.
    steps = sa.cast(was_ever_counted(), sa.Integer) + sa.cast(col(withdrawal.id).is_not(None), sa.Integer)
    columns = reads.fields(
        DeclaredCount,
        DeclaredCountRead,
        version=1 + 2 * steps + sa.cast(overlaps, sa.Integer),
        counted=is_counted(),
        overlaps_recorded=overlaps,
        entered_at=col(DeclaredCount.created_at),
        withdrawn_at=col(withdrawal.created_at),
        withdrawn_by=col(withdrawal.withdrawn_by),
        withdrawal_reason=col(withdrawal.reason),
    )
    same = sa.and_(
        col(withdrawal.city_id) == col(DeclaredCount.city_id), col(withdrawal.declared_id) == col(DeclaredCount.id)
    )
    return visible_to(role).with_only_columns(*columns).outerjoin(withdrawal, same)


async def declare(session: AsyncSession, actor: Actor, drafted: DeclaredDraft) -> UUID:
    """Kept, and counted unless a total for some of the same days is.

    Raises Invalid for a level, which no total of some days can be added to, for a period that ends before it begins and
    for days that are yet to come, and Conflict `declared_before` if what the same source said of the same days was not
    withdrawn.
    """
    city = await _in_turn(session, actor)
    if faults := _faults(drafted, city):
        raise Invalid(*faults)
    said = Declared(
        period=Period(drafted.period_from, drafted.period_to),
        **drafted.model_dump(exclude={"period_from", "period_to"}),
        id=new_id(),
    )
    known = await register(session, actor.city_id)
    if before := known.standing(said):
        raise Conflict("declared_before", amount=before.amount, precision=before.precision.value)
    said = known.declare(said)
    assert said.id
    row = DeclaredCount(
        city_id=actor.city_id,
        id=said.id,
        edition=said.edition,
        entered_by=actor.account_id,
        **drafted.model_dump(),
    )
    session.add(row)
    if said.counted:
        _count(session, actor, said)
    return said.id


async def withdraw(session: AsyncSession, actor: Actor, declared_id: UUID, reason: str) -> None:
    """A mistake: its count is reversed, and what waited behind it is counted.

    Raises NotFound, and Conflict `already_withdrawn`.
    """
    await _in_turn(session, actor)
    known = await register(session, actor.city_id)
    said = known.by_id(declared_id)
    if said is None:
        raise NotFound("declared_count")
    if said.withdrawn:
        raise Conflict("already_withdrawn")
    session.add(
        DeclaredWithdrawal(city_id=actor.city_id, declared_id=declared_id, reason=reason, withdrawn_by=actor.account_id)
    )
    if said.counted:
        await ledger.reverse(session, actor, said.metric, declared_id)
    for promoted in known.withdraw(declared_id):
        _count(session, actor, promoted)


async def register(session: AsyncSession, city_id: str) -> Register:
    """All that the city was told; whoever changes it has taken a turn by the city's row."""
    query = (
        select(DeclaredCount, is_counted().label("counted"), is_withdrawn().label("withdrawn"))
        .where(DeclaredCount.city_id == city_id)
        .order_by(col(DeclaredCount.id))
    )
    return Register(
        Declared(
            metric=row.metric,
            period=Period(row.period_from, row.period_to),
            source=row.source,
            amount=row.amount,
            precision=row.precision,
            published_on=row.published_on,
            url=row.url,
            id=row.id,
            edition=row.edition,
            counted=counted,
            withdrawn=withdrawn,
        )
        for row, counted, withdrawn in await session.exec(query)
    )


def _count(session: AsyncSession, actor: Actor, said: Declared) -> None:
    assert said.id
    ledger.declare(session, actor, Fact(said.metric, said.id, said.period.last, said.amount))


def _faults(drafted: DeclaredDraft, city: City) -> list[Fault]:
    faults: list[Fault] = []
    if drafted.metric in LEVELS:
        faults.append(Fault("level_of_days", "/body/metric"))
    if drafted.period_to < drafted.period_from:
        faults.append(Fault("ends_before_start", "/body/period_to"))
    today = day_in(city.time_zone, utc_now())
    days = {"period_to": drafted.period_to, "published_on": drafted.published_on}
    return [*faults, *(Fault("in_future", f"/body/{name}") for name, day in days.items() if day > today)]


async def _in_turn(session: AsyncSession, actor: Actor) -> City:
    """By the lock that imports take as well: the second sees what the first has done."""
    query = select(City).where(City.id == actor.city_id).with_for_update(key_share=True)
    return (await session.exec(query)).one()

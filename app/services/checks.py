"""Removals looked at again by somebody who was not there, and what the ledger takes back."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.domain.assignments import STAYED
from app.domain.checks import Verdict, drawn, percent_drawn
from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.metrics import Metric
from app.domain.permissions import Actor, Role
from app.domain.raids import RaidStatus
from app.models.assignments import Assignment
from app.models.cities import City
from app.models.raids import Raid
from app.models.spots import Removal
from app.models.volunteers import Volunteer
from app.schemas.checks import CheckRead, ErrorRate
from app.services import cities, ledger, reads, spots
from app.services.ledger import Fact
from app.services.reads import Query

_MONTHS = sa.bindparam("months", type_=sa.Integer)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _cards().where(col(Removal.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    """Those that were drawn and wait for a check."""
    query = _cards().where(col(Removal.drawn_at).is_not(None), col(Removal.verdict).is_(None))
    return reads.newest_first(query, Removal.id, given)


def _cards() -> Query:
    version = sa.case((col(Removal.verdict).is_(None), 1), else_=2)
    return sa.select(*reads.fields(Removal, CheckRead, version=version)).where(
        col(Removal.city_id) == reads.CITY, col(Removal.raid_id).is_not(None)
    )


def error_rates(role: Role | None, given: frozenset[str]) -> Query:
    """By lead and month of the city's calendar, the latest month first."""
    local = sa.func.timezone(col(City.time_zone), col(Removal.removed_at))
    month = sa.func.to_char(local, "YYYY-MM")
    disputed = sa.func.count().filter(col(Removal.verdict) == Verdict.DISPUTED)
    checked = sa.func.count(col(Removal.verdict))
    first = sa.func.date_trunc("month", sa.func.timezone(col(City.time_zone), sa.func.now()))
    rows = (
        sa.select(
            *reads.fields(
                Raid,
                ErrorRate,
                month=month,
                removals=sa.func.count(),
                checked=checked,
                disputed=disputed,
                rate=sa.func.round(sa.cast(disputed, sa.Numeric) / sa.func.nullif(checked, 0), 4),
            )
        )
        .join(Removal, sa.and_(col(Removal.city_id) == col(Raid.city_id), col(Removal.raid_id) == col(Raid.id)))
        .join(City, col(City.id) == col(Raid.city_id))
        .where(
            col(Raid.city_id) == reads.CITY,
            col(Raid.status) == RaidStatus.DONE,
            local >= first - sa.func.make_interval(0, _MONTHS - 1),
        )
        .group_by(col(Raid.lead_id), month)
        .order_by(month.desc(), col(Raid.lead_id))
        .subquery("by_month")
    )
    return sa.select(sa.func.coalesce(sa.func.json_agg(rows.table_valued()), sa.text("'[]'::json")).label("items"))


async def draw(session: AsyncSession, raid: Raid, percent: int, removals: Sequence[Removal], secret: bytes) -> None:
    """Mark the share of a finished raid's removals that somebody is to look at again; more where the lead is new."""
    share = percent_drawn(percent, await _led_before(session, raid))
    chosen = set(drawn(secret, raid.id, (removal.id for removal in removals), share))
    for removal in removals:
        if removal.id in chosen:
            removal.drawn_at = utc_now()


async def verify(session: AsyncSession, actor: Actor, removal_id: UUID) -> None:
    """It is painted over. Raises Forbidden `own_removal`; Conflict `already_checked` or `raid_not_done`."""
    removal = await _checked(session, actor, removal_id, Verdict.VERIFIED)
    spot = await spots.check(session, actor, removal, Verdict.VERIFIED)
    day = await cities.today(session, actor.city_id)
    fact = Fact(Metric.GRAFFITI_VERIFIED, removal.id, day, removal.inscriptions, spot.district_id)
    ledger.record(session, actor, fact)


async def dispute(session: AsyncSession, actor: Actor, removal_id: UUID, reason: str) -> None:
    """It is not: the count is taken back, and the spot waits for another raid. Raises as `verify`.

    What has come back or was painted over again since stays as it is.
    """
    removal = await _checked(session, actor, removal_id, Verdict.DISPUTED)
    removal.verdict_reason = reason
    await ledger.reverse(session, actor, Metric.GRAFFITI_PAINTED, removal.id)
    spot = await spots.check(session, actor, removal, Verdict.DISPUTED)
    day = await cities.today(session, actor.city_id)
    ledger.record(session, actor, Fact(Metric.REMOVALS_DISPUTED, removal.id, day, 1, spot.district_id))


async def _checked(session: AsyncSession, actor: Actor, removal_id: UUID, verdict: Verdict) -> Removal:
    removal, raid = await _locked(session, actor, removal_id)
    if raid.status is not RaidStatus.DONE:
        raise Conflict("raid_not_done")
    if await _was_there(session, actor, raid, removal):
        raise Forbidden("own_removal")
    if removal.verdict is not None:
        raise Conflict("already_checked")
    removal.verdict, removal.checked_by, removal.checked_at = verdict, actor.account_id, utc_now()
    return removal


async def _locked(session: AsyncSession, actor: Actor, removal_id: UUID) -> tuple[Removal, Raid]:
    query = (
        select(Removal, Raid)
        .join(Raid, sa.and_(col(Raid.city_id) == Removal.city_id, col(Raid.id) == Removal.raid_id))
        .where(Removal.city_id == actor.city_id, Removal.id == removal_id)
        .with_for_update(of=Removal)
    )
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise NotFound("removal")
    return found


async def _was_there(session: AsyncSession, actor: Actor, raid: Raid, removal: Removal) -> bool:
    """Whether the actor was on that raid's crew or its lead, or recorded the removal (rule 3)."""
    on_the_crew = (
        select(Volunteer.id)
        .outerjoin(
            Assignment,
            sa.and_(
                col(Assignment.city_id) == Volunteer.city_id,
                col(Assignment.volunteer_id) == Volunteer.id,
                col(Assignment.raid_id) == raid.id,
                col(Assignment.status).in_(STAYED),
            ),
        )
        .where(
            Volunteer.city_id == actor.city_id,
            Volunteer.account_id == actor.account_id,
            sa.or_(col(Assignment.id).is_not(None), col(Volunteer.id) == raid.lead_id),
        )
    )
    return removal.recorded_by == actor.account_id or (await session.exec(on_the_crew)).first() is not None


async def _led_before(session: AsyncSession, raid: Raid) -> int:
    """Raids without a lead are as those of a new one."""
    query = select(sa.func.count()).where(
        Raid.city_id == raid.city_id,
        Raid.lead_id == raid.lead_id,
        Raid.status == RaidStatus.DONE,
        Raid.id != raid.id,
    )
    return (await session.exec(query)).one()

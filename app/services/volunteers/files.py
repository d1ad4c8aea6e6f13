"""A volunteer's file as it is read, and as a step takes hold of it."""

from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.domain.errors import Forbidden, NotFound
from app.domain.permissions import ALLOWED, Actor, Permission, Role
from app.models.accounts import Account
from app.models.volunteers import Volunteer, VolunteerEvent
from app.schemas.volunteers import OwnFile, VolunteerEventRead, VolunteerLine, VolunteerRead
from app.services import accounts, reads
from app.services.reads import Query

VOLUNTEER_ID = sa.bindparam("volunteer_id", type_=sa.Uuid)
# Slots that touch are one range in the table, also across midnight; people are told them day by day.
_SLOTS = """(
    SELECT coalesce(json_agg(json_build_object(
        'weekday', day + 1,
        'starts', to_char(make_interval(mins => lower(slot) - day * 1440), 'HH24:MI'),
        'ends', to_char(make_interval(mins => upper(slot) - day * 1440), 'HH24:MI')
    ) ORDER BY slot), '[]'::json)
    FROM generate_series(0, 6) AS day,
        unnest(volunteer.availability * int4multirange(int4range(day * 1440, day * 1440 + 1440))) AS slot
)"""


def visible_to(role: Role | None) -> SelectOfScalar[Volunteer]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    query = select(Volunteer).where(col(Volunteer.city_id) == reads.CITY)
    if role and Permission.VOLUNTEER_MANAGE in ALLOWED[role]:
        return query
    return query.where(col(Volunteer.account_id) == reads.ACCOUNT)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return columns(role, VolunteerRead).where(col(Volunteer.id) == reads.ID)


def own_card(role: Role | None, given: frozenset[str]) -> Query:
    return columns(role, OwnFile).where(col(Volunteer.account_id) == reads.ACCOUNT)


def columns(role: Role | None, schema: type[VolunteerLine]) -> Query:
    computed = {
        "has_guardian": col(Volunteer.guardian_phone).is_not(None),
        "availability": sa.literal_column(_SLOTS, sa.JSON),
    }
    return visible_to(role).with_only_columns(*reads.fields(Volunteer, schema, **computed))


def history(role: Role | None, given: frozenset[str]) -> Query:
    query = sa.select(*reads.fields(VolunteerEvent, VolunteerEventRead)).where(
        col(VolunteerEvent.city_id) == reads.CITY, col(VolunteerEvent.volunteer_id) == VOLUNTEER_ID
    )
    return reads.newest_first(query, VolunteerEvent.id, given)


@cache
def _one(role: Role, *, lock: bool) -> SelectOfScalar[Volunteer]:
    query = visible_to(role).where(col(Volunteer.id) == reads.ID)
    return query.with_for_update(key_share=True) if lock else query


async def get(session: AsyncSession, actor: Actor, volunteer_id: UUID, *, lock: bool = False) -> Volunteer:
    values = {**reads.values_of(actor), "id": volunteer_id}
    volunteer = (await session.exec(_one(actor.role, lock=lock), params=values)).one_or_none()
    if volunteer is None:
        raise NotFound("volunteer")
    return volunteer


@cache
def _own() -> SelectOfScalar[Volunteer]:
    own = select(Volunteer).where(col(Volunteer.city_id) == reads.CITY, col(Volunteer.account_id) == reads.ACCOUNT)
    return own.with_for_update(key_share=True)


async def of_account(session: AsyncSession, actor: Actor) -> Volunteer:
    """The actor's own file, locked: whoever joins raids is held in one order, volunteer before raid.

    Its key stays free, for an offer made under a raid's lock points to it.
    """
    volunteer = (await session.exec(_own(), params=reads.values_of(actor))).one_or_none()
    if volunteer is None:
        raise NotFound("volunteer")
    return volunteer


async def account_of(session: AsyncSession, actor: Actor, volunteer: Volunteer) -> Account:
    """Raises Forbidden where it has risen to another role: through it a coordinator could become an admin."""
    account = await accounts.get(session, actor, volunteer.account_id)
    if account.role is not Role.VOLUNTEER and not actor.may(Permission.ACCOUNT_MANAGE):
        raise Forbidden("forbidden")
    return account

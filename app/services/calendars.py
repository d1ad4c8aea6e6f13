"""A person's raids for their calendar app, which cannot sign in: the address itself is the secret."""

import hashlib
import secrets
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.core.database import Database
from app.core.ids import new_id
from app.domain.assignments import COMING, AssignmentStatus
from app.domain.calendars import Event, calendar
from app.domain.permissions import ALLOWED, Actor, Permission, Role
from app.domain.raids import RaidStatus
from app.models.accounts import Account
from app.models.assignments import Assignment
from app.models.calendars import CalendarFeed
from app.models.raids import Raid
from app.models.volunteers import Volunteer
from app.services import candidates, reads
from app.services.cities import CITY_ID
from app.services.reads import Query

_DAYS_BACK = "30 days"
_PLANNERS = [role.value for role in Role if Permission.RAID_PLAN in ALLOWED[role]]
_DIGEST = sa.bindparam("digest", type_=sa.LargeBinary)


class _Row(NamedTuple):
    id: UUID
    version: int
    title: str
    status: RaidStatus
    starts_at: datetime
    ends_at: datetime
    meeting_point: str
    latitude: float | None
    longitude: float | None
    mine: AssignmentStatus | None


_FEED = TypeAdapter(dict[str, list[_Row]])


async def renew(session: AsyncSession, actor: Actor) -> str:
    """A new address, as a path; the earlier one ends."""
    token = secrets.token_urlsafe(32)
    row = {"city_id": actor.city_id, "id": new_id(), "created_at": utc_now(), "account_id": actor.account_id}
    made = insert(CalendarFeed).values(**row, token_digest=_digest(token))
    renewed = {"token_digest": made.excluded.token_digest, "created_at": made.excluded.created_at}
    await session.exec(made.on_conflict_do_update(index_elements=["city_id", "account_id"], set_=renewed))
    return f"/v1/public/{actor.city_id}/calendars/{token}/raids.ics"


async def read(database: Database, city_id: str, token: str) -> str:
    """The calendar as iCalendar text. Raises NotFound for an address that is wrong or has ended."""
    found = await reads.document(database, None, feed, "calendar", city_id=city_id, digest=_digest(token))
    rows = _FEED.validate_json(found)["raids"]
    return calendar("Narkostop", [_event(row) for row in rows])


def feed(role: Role | None, given: frozenset[str]) -> Query:
    """One row with the account's raids; none for a wrong address, an old one, or an account without access."""
    raid = [getattr(Raid, name) for name in _Row._fields if name != "mine"]
    rows = sa.func.json_agg(sa.func.json_build_array(*raid, col(Assignment.status)))
    return (
        sa.select(
            sa.func.coalesce(rows.filter(_is_theirs()), sa.text("'[]'::json")).label("raids"),
        )
        .select_from(CalendarFeed)
        .join(Account, col(Account.id) == col(CalendarFeed.account_id))
        .outerjoin(
            Volunteer,
            sa.and_(
                col(Volunteer.city_id) == col(CalendarFeed.city_id),
                col(Volunteer.account_id) == col(CalendarFeed.account_id),
            ),
        )
        .outerjoin(Raid, sa.and_(col(Raid.city_id) == col(CalendarFeed.city_id), *_lately()))
        .outerjoin(
            Assignment,
            sa.and_(
                col(Assignment.city_id) == col(Raid.city_id),
                col(Assignment.raid_id) == col(Raid.id),
                col(Assignment.volunteer_id) == col(Volunteer.id),
                candidates.one_of(Assignment.status, (*COMING, AssignmentStatus.OFFERED)),
            ),
        )
        .where(
            col(CalendarFeed.city_id) == CITY_ID,
            col(CalendarFeed.token_digest) == _DIGEST,
            col(Account.is_active).is_(True),
        )
        .group_by(col(CalendarFeed.id))
    )


def _is_theirs() -> sa.ColumnElement[bool]:
    return sa.or_(
        col(Assignment.id).is_not(None),
        sa.and_(col(Raid.id).is_not(None), candidates.one_of(Account.role, _PLANNERS)),
    )


def _lately() -> tuple[sa.ColumnElement[bool], ...]:
    since = sa.func.now() - sa.text(f"interval '{_DAYS_BACK}'")
    return col(Raid.status) != RaidStatus.DRAFT, col(Raid.ends_at) > since


def _event(row: _Row) -> Event:
    point = None if row.latitude is None or row.longitude is None else (row.latitude, row.longitude)
    return Event(
        id=row.id,
        version=row.version,
        changed_at=utc_now(),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        title=row.title,
        place=row.meeting_point,
        point=point,
        state=_state(row),
    )


def _state(row: _Row) -> str:
    if row.status is RaidStatus.CANCELLED:
        return "CANCELLED"
    return "TENTATIVE" if row.mine is AssignmentStatus.OFFERED else "CONFIRMED"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

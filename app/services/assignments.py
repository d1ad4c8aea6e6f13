"""Who is on which raid. Locks are taken in one order: the volunteer's row, then the raid's."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.eligibility import Candidate, Outing, reasons_against
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Role
from app.domain.raids import ASSIGNMENT_FLOW, AssignmentAction, AssignmentStatus, RaidStatus
from app.models.raids import Assignment, Raid
from app.models.volunteers import Volunteer
from app.schemas.raids import AssignmentRead, CrewMember
from app.services import cities, raids, reads, volunteers
from app.services.reads import Query

_LIVE = (RaidStatus.DRAFT, RaidStatus.OPEN, RaidStatus.UNDER_WAY)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return sa.select(*reads.fields(Assignment, AssignmentRead)).where(
        col(Assignment.city_id) == reads.CITY, col(Assignment.id) == reads.ID
    )


def crew(role: Role | None, given: frozenset[str]) -> Query:
    """Everybody on the raid; only for those who plan raids, because of the phone numbers."""
    query = (
        sa.select(
            *reads.fields(
                Assignment,
                CrewMember,
                given_name=col(Volunteer.given_name),
                family_name=col(Volunteer.family_name),
                phone=col(Volunteer.phone),
            )
        )
        .join(
            Volunteer,
            sa.and_(
                col(Volunteer.city_id) == col(Assignment.city_id), col(Volunteer.id) == col(Assignment.volunteer_id)
            ),
        )
        .where(
            col(Assignment.city_id) == reads.CITY,
            col(Assignment.raid_id) == sa.bindparam("raid_id", type_=sa.Uuid),
            col(Assignment.status) == AssignmentStatus.ACCEPTED,
        )
    )
    return reads.newest_first(query, Assignment.id, given)


async def sign_up(session: AsyncSession, actor: Actor, raid_id: UUID) -> UUID:
    """Take a place on an open raid. Returns the assignment's id.

    Raises Conflict: `wrong_status`, `already_on_raid`, `not_eligible` with every reason, or `raid_full`.
    """
    volunteer = await volunteers.of_account(session, actor)
    raid = await raids.get(session, actor, raid_id, lock=True)
    if raid.status is not RaidStatus.OPEN:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="join")
    assignment = await _of(session, raid, volunteer)
    if assignment and assignment.status is AssignmentStatus.ACCEPTED:
        raise Conflict("already_on_raid")
    if reasons := reasons_against(*await _judged(session, raid, volunteer)):
        raise Conflict("not_eligible", faults=reasons)
    if raid.places_taken >= raid.capacity:
        raise Conflict("raid_full")
    raid.places_taken += 1
    if assignment is None:
        assignment = Assignment(city_id=raid.city_id, raid_id=raid.id, volunteer_id=volunteer.id)
        session.add(assignment)
    else:
        assignment.status = ASSIGNMENT_FLOW.after(assignment.status, AssignmentAction.REJOIN)
    return assignment.id


async def withdraw(session: AsyncSession, actor: Actor, raid_id: UUID) -> UUID:
    """Give the place back, until the raid starts. Returns the assignment's id."""
    volunteer = await volunteers.of_account(session, actor)
    raid = await raids.get(session, actor, raid_id, lock=True)
    if raid.status is not RaidStatus.OPEN:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="withdraw")
    assignment = await _of(session, raid, volunteer)
    if assignment is None:
        raise NotFound("assignment")
    assignment.status = ASSIGNMENT_FLOW.after(assignment.status, AssignmentAction.WITHDRAW)
    raid.places_taken -= 1
    return assignment.id


async def _of(session: AsyncSession, raid: Raid, volunteer: Volunteer) -> Assignment | None:
    query = select(Assignment).where(
        Assignment.city_id == raid.city_id,
        Assignment.raid_id == raid.id,
        Assignment.volunteer_id == volunteer.id,
    )
    return (await session.exec(query)).one_or_none()


async def _judged(session: AsyncSession, raid: Raid, volunteer: Volunteer) -> tuple[Candidate, Outing]:
    city = await cities.get(session, raid.city_id)
    candidate = Candidate(
        status=volunteer.status,
        programmes=frozenset(volunteer.programmes),
        birth_on=volunteer.birth_on,
        has_guardian_consent=await volunteers.has_guardian_consent(session, volunteer),
        is_busy=await _is_busy(session, raid, volunteer),
    )
    return candidate, Outing(raid.starts_at, raid.ends_at, city.time_zone)


async def _is_busy(session: AsyncSession, raid: Raid, volunteer: Volunteer) -> bool:
    overlapping = (
        select(Assignment.id)
        .join(Raid, sa.and_(col(Raid.city_id) == Assignment.city_id, col(Raid.id) == Assignment.raid_id))
        .where(
            Assignment.city_id == raid.city_id,
            Assignment.volunteer_id == volunteer.id,
            Assignment.status == AssignmentStatus.ACCEPTED,
            Raid.id != raid.id,
            col(Raid.status).in_(_LIVE),
            Raid.starts_at < raid.ends_at,
            Raid.ends_at > raid.starts_at,
        )
        .limit(1)
    )
    return (await session.exec(overlapping)).first() is not None

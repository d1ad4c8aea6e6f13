"""Consents: each word given or taken back is a further row, and the latest one counts (rule 11)."""

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.domain.errors import Conflict
from app.domain.permissions import Actor, Role
from app.domain.volunteers import ADULT_AGE_YEARS, NEEDED_CONSENTS, ConsentGiver, ConsentPurpose, age_on
from app.models.cities import City
from app.models.volunteers import Consent, Volunteer
from app.schemas.volunteers import ConsentChange, ConsentRead
from app.services import reads
from app.services.reads import Query
from app.services.volunteers.files import VOLUNTEER_ID


def consents(role: Role | None, given: frozenset[str]) -> Query:
    return reads.newest_first(_columns().where(col(Consent.volunteer_id) == VOLUNTEER_ID), Consent.id, given)


def own_consents(role: Role | None, given: frozenset[str]) -> Query:
    own = sa.select(col(Volunteer.id)).where(
        col(Volunteer.city_id) == reads.CITY, col(Volunteer.account_id) == reads.ACCOUNT
    )
    query = _columns().where(col(Consent.volunteer_id) == own.scalar_subquery())
    return reads.newest_first(query, Consent.id, given)


def _columns() -> Query:
    return sa.select(*reads.fields(Consent, ConsentRead)).where(col(Consent.city_id) == reads.CITY)


async def record(session: AsyncSession, actor: Actor, volunteer: Volunteer, word: ConsentChange) -> Consent:
    """A further row. The volunteer's row is locked. Raises Conflict for a guardian's word where there is none."""
    if word.given_by is ConsentGiver.GUARDIAN and volunteer.guardian_phone is None:
        raise Conflict("no_guardian")
    consent = Consent(
        city_id=volunteer.city_id, volunteer_id=volunteer.id, recorded_by=actor.account_id, **word.model_dump()
    )
    session.add(consent)
    await session.flush()
    return consent


async def is_withdrawn(session: AsyncSession, city: City, volunteer: Volunteer) -> bool:
    """Whether the latest word on a needed purpose is no: the guardian's, while the volunteer is a minor.

    Who came of age in the programme stays on the guardian's word until they speak for themselves.
    """
    latest = await _latest(session, volunteer)
    is_minor = age_on(volunteer.birth_on, day_in(city.time_zone, utc_now())) < ADULT_AGE_YEARS
    for purpose in NEEDED_CONSENTS:
        guardians = latest.get((ConsentGiver.GUARDIAN, purpose), True)
        if not (guardians if is_minor else latest.get((ConsentGiver.SELF, purpose), guardians)):
            return True
    return False


async def _latest(session: AsyncSession, volunteer: Volunteer) -> dict[tuple[ConsentGiver, ConsentPurpose], bool]:
    query = (
        select(Consent)
        .where(Consent.city_id == volunteer.city_id, Consent.volunteer_id == volunteer.id)
        .order_by(col(Consent.id))
    )
    return {(each.given_by, each.purpose): each.is_given for each in (await session.exec(query)).all()}

"""The way into the programme, open to everybody."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.core.ids import new_id
from app.core.ranges import half_open
from app.domain.errors import Fault, Invalid
from app.domain.volunteers import (
    ADULT_AGE_YEARS,
    NEEDED_CONSENTS,
    VOLUNTEER_FLOW,
    ConsentGiver,
    VolunteerAction,
    VolunteerStatus,
    age_on,
)
from app.models.cities import City
from app.models.volunteers import Consent, Volunteer, VolunteerEvent
from app.schemas.volunteers import Application
from app.services.volunteers.forms import age_faults, district_faults, slot_faults, stored


async def apply(session: AsyncSession, city: City, application: Application) -> UUID:
    """Take an application. The answer must not tell a stranger whether the phone number was known already.

    Returns the id to answer with. Raises Invalid with every fault of the form.
    """
    faults = (
        *_person_faults(application, city),
        *slot_faults(application.availability),
        *await district_faults(session, city.id, application.districts),
    )
    if faults:
        raise Invalid(*faults)
    volunteer_id = application.id or new_id()
    row = _row(city, volunteer_id, application)
    taken = await session.exec(
        insert(Volunteer).values(**row).on_conflict_do_nothing().returning(col(Volunteer.id)),
    )
    if taken.first() is not None:
        session.add_all(_consents(city, volunteer_id, application))
    else:
        await _reapply(session, city, application)
    return volunteer_id


async def _reapply(session: AsyncSession, city: City, application: Application) -> None:
    """Somebody who was rejected may try again with new particulars; anybody else's file stays as it is."""
    query = select(Volunteer).where(
        Volunteer.city_id == city.id,
        Volunteer.phone == application.phone,
        Volunteer.status == VolunteerStatus.REJECTED,
    )
    volunteer = (await session.exec(query.with_for_update(key_share=True))).one_or_none()
    if volunteer is None:
        return
    volunteer.status = VOLUNTEER_FLOW.after(volunteer.status, VolunteerAction.REAPPLY)
    volunteer.status_reason = None
    volunteer.sqlmodel_update(_particulars(application))
    volunteer.rename(family_name=application.family_name, given_name=application.given_name)
    session.add(VolunteerEvent(city_id=city.id, volunteer_id=volunteer.id, action=VolunteerAction.REAPPLY))
    session.add_all(_consents(city, volunteer.id, application))


def _row(city: City, volunteer_id: UUID, application: Application) -> dict[str, object]:
    new = {"city_id": city.id, "id": volunteer_id, "created_at": utc_now(), "version": 1}
    return {**new, **_particulars(application), "status": VolunteerStatus.APPLIED}


def _particulars(application: Application) -> dict[str, object]:
    guardian = application.guardian
    return {
        **stored(application.model_dump(exclude={"id", "guardian", "consents", "availability"})),
        "languages": sorted(application.languages | {application.language}),
        "availability": half_open(slot.minutes for slot in application.availability),
        "guardian_name": guardian.name if guardian else None,
        "guardian_phone": guardian.phone if guardian else None,
    }


def _consents(city: City, volunteer_id: UUID, application: Application) -> list[Consent]:
    return [
        Consent(city_id=city.id, volunteer_id=volunteer_id, is_given=True, **consent.model_dump())
        for consent in application.consents
    ]


def _person_faults(application: Application, city: City) -> Iterator[Fault]:
    today = day_in(city.time_zone, utc_now())
    yield from age_faults(application.birth_on, today)
    by_giver = {giver: {c.purpose for c in application.consents if c.given_by is giver} for giver in ConsentGiver}
    is_minor = age_on(application.birth_on, today) < ADULT_AGE_YEARS
    if is_minor and (application.guardian is None or not by_giver[ConsentGiver.GUARDIAN] >= NEEDED_CONSENTS):
        yield Fault("no_guardian_consent", "/body/guardian")
    if not is_minor and not by_giver[ConsentGiver.SELF] >= NEEDED_CONSENTS:
        yield Fault("consent_missing", "/body/consents")

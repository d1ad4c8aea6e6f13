"""A volunteer's way into the programme: applies, is approved, gets an account."""

from collections.abc import Iterator
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import day_in, utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from app.domain.metrics import Metric
from app.domain.permissions import ALLOWED, Actor, Permission, Role
from app.domain.volunteers import (
    ADULT_AGE_YEARS,
    MAX_AGE_YEARS,
    MIN_AGE_YEARS,
    VOLUNTEER_FLOW,
    ConsentGiver,
    ConsentPurpose,
    Programme,
    VolunteerAction,
    VolunteerStatus,
    age_on,
)
from app.models.accounts import Account
from app.models.cities import City
from app.models.volunteers import Consent, Volunteer
from app.schemas.accounts import AccountDraft
from app.schemas.volunteers import Application, VolunteerLine, VolunteerRead
from app.services import accounts, cities, ledger, reads
from app.services.ledger import Fact
from app.services.reads import Query

NEEDED_CONSENTS = frozenset({ConsentPurpose.PERSONAL_DATA, ConsentPurpose.PARTICIPATION})
COUNTED = {Programme.STREET: Metric.VOLUNTEERS_STREET, Programme.ONLINE: Metric.VOLUNTEERS_ONLINE}


def visible_to(role: Role | None) -> SelectOfScalar[Volunteer]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    query = select(Volunteer).where(col(Volunteer.city_id) == reads.CITY)
    if role and Permission.VOLUNTEER_MANAGE in ALLOWED[role]:
        return query
    return query.where(col(Volunteer.account_id) == reads.ACCOUNT)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _columns(role, VolunteerRead).where(col(Volunteer.id) == reads.ID)


def own_card(role: Role | None, given: frozenset[str]) -> Query:
    return _columns(role, VolunteerRead).where(col(Volunteer.account_id) == reads.ACCOUNT)


def lines(role: Role | None, given: frozenset[str]) -> Query:
    query = _columns(role, VolunteerLine)
    if "status" in given:
        query = query.where(col(Volunteer.status) == sa.bindparam("status", type_=sa.Text))
    return reads.newest_first(query, Volunteer.id, given)


def _columns(role: Role | None, schema: type[VolunteerLine]) -> Query:
    has_guardian = col(Volunteer.guardian_phone).is_not(None)
    return visible_to(role).with_only_columns(*reads.fields(Volunteer, schema, has_guardian=has_guardian))


async def apply(session: AsyncSession, city: City, application: Application) -> UUID:
    """Take an application. The answer must not tell a stranger whether the phone number was known already.

    Returns the id to answer with. Raises Invalid with every fault of the form.
    """
    faults = (*_form_faults(application, city), *await _district_faults(session, city, application))
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


async def approve(session: AsyncSession, actor: Actor, volunteer_id: UUID) -> None:
    """Admit the volunteer, with an account to be invited to, and count them in their programmes."""
    volunteer = await _advance(session, actor, volunteer_id, VolunteerAction.APPROVE)
    account = await accounts.create(session, actor.city_id, AccountDraft(login=volunteer.phone, role=Role.VOLUNTEER))
    volunteer.account_id = account.id
    city = await cities.get(session, actor.city_id)
    day = day_in(city.time_zone, utc_now())
    counted = [metric for programme, metric in COUNTED.items() if programme in volunteer.programmes]
    ledger.record(session, actor, *(Fact(metric, volunteer.id, day) for metric in counted))


async def reject(session: AsyncSession, actor: Actor, volunteer_id: UUID, reason: str) -> None:
    volunteer = await _advance(session, actor, volunteer_id, VolunteerAction.REJECT)
    volunteer.rejection_reason = reason


async def suspend(session: AsyncSession, actor: Actor, volunteer_id: UUID) -> None:
    """Takes the account away with the next request."""
    volunteer = await _advance(session, actor, volunteer_id, VolunteerAction.SUSPEND)
    await _switch_account(session, actor, volunteer, is_active=False)


async def reinstate(session: AsyncSession, actor: Actor, volunteer_id: UUID) -> None:
    volunteer = await _advance(session, actor, volunteer_id, VolunteerAction.REINSTATE)
    await _switch_account(session, actor, volunteer, is_active=True)


async def invite(session: AsyncSession, actor: Actor, volunteer_id: UUID) -> accounts.Invitation:
    """A code for the volunteer to set a password with; the earlier one is void. Raises Conflict unless active."""
    volunteer = await get(session, actor, volunteer_id, lock=True)
    if volunteer.status is not VolunteerStatus.ACTIVE:
        raise Conflict("wrong_status", noun="volunteer", status=volunteer.status, action="invite")
    return accounts.invite(await _account(session, actor, volunteer))


async def get(session: AsyncSession, actor: Actor, volunteer_id: UUID, *, lock: bool = False) -> Volunteer:
    query = visible_to(actor.role).where(col(Volunteer.id) == volunteer_id)
    volunteer = (
        await session.exec(query.with_for_update(key_share=True) if lock else query, params=reads.values_of(actor))
    ).one_or_none()
    if volunteer is None:
        raise NotFound("volunteer")
    return volunteer


async def of_account(session: AsyncSession, actor: Actor) -> Volunteer:
    """The actor's own file, locked: whoever joins raids is held in one order, volunteer before raid.

    Its key stays free, for an offer made under a raid's lock points to it.
    """
    query = select(Volunteer).where(Volunteer.city_id == actor.city_id, col(Volunteer.account_id) == actor.account_id)
    volunteer = (await session.exec(query.with_for_update(key_share=True))).one_or_none()
    if volunteer is None:
        raise NotFound("volunteer")
    return volunteer


async def has_guardian_consent(session: AsyncSession, volunteer: Volunteer) -> bool:
    """Whether a guardian's latest word on taking part is yes."""
    latest = (
        select(Consent.is_given)
        .where(
            Consent.city_id == volunteer.city_id,
            Consent.volunteer_id == volunteer.id,
            Consent.purpose == ConsentPurpose.PARTICIPATION,
            Consent.given_by == ConsentGiver.GUARDIAN,
        )
        .order_by(col(Consent.id).desc())
        .limit(1)
    )
    return bool((await session.exec(latest)).first())


async def _advance(session: AsyncSession, actor: Actor, volunteer_id: UUID, action: VolunteerAction) -> Volunteer:
    volunteer = await get(session, actor, volunteer_id, lock=True)
    volunteer.status = VOLUNTEER_FLOW.after(volunteer.status, action)
    return volunteer


async def _switch_account(session: AsyncSession, actor: Actor, volunteer: Volunteer, *, is_active: bool) -> None:
    account = await _account(session, actor, volunteer)
    await accounts.change_access(session, actor, account, role=account.role, is_active=is_active)


async def _account(session: AsyncSession, actor: Actor, volunteer: Volunteer) -> Account:
    """Raises Forbidden where it has risen to another role: through it a coordinator could become an admin."""
    account = await accounts.get(session, actor, volunteer.account_id)
    if account.role is not Role.VOLUNTEER and not actor.may(Permission.ACCOUNT_MANAGE):
        raise Forbidden("forbidden")
    return account


async def _reapply(session: AsyncSession, city: City, application: Application) -> None:
    """Somebody who was rejected may try again with new particulars; anybody else's file stays as it is."""
    query = select(Volunteer).where(
        Volunteer.city_id == city.id,
        Volunteer.phone == application.phone,
        Volunteer.status == VolunteerStatus.REJECTED,
    )
    volunteer = (await session.exec(query.with_for_update())).one_or_none()
    if volunteer is None:
        return
    volunteer.status = VOLUNTEER_FLOW.after(volunteer.status, VolunteerAction.REAPPLY)
    volunteer.rejection_reason = None
    volunteer.sqlmodel_update(_particulars(application))
    session.add_all(_consents(city, volunteer.id, application))


def _row(city: City, volunteer_id: UUID, application: Application) -> dict[str, object]:
    new = {"city_id": city.id, "id": volunteer_id, "created_at": utc_now(), "version": 1}
    return {**new, **_particulars(application), "status": VolunteerStatus.APPLIED}


def _particulars(application: Application) -> dict[str, object]:
    guardian = application.guardian
    return {
        "given_name": application.given_name,
        "family_name": application.family_name,
        "birth_on": application.birth_on,
        "phone": application.phone,
        "language": application.language,
        "programmes": sorted(application.programmes),
        "districts": sorted(application.districts),
        "guardian_name": guardian.name if guardian else None,
        "guardian_phone": guardian.phone if guardian else None,
    }


def _consents(city: City, volunteer_id: UUID, application: Application) -> list[Consent]:
    return [
        Consent(city_id=city.id, volunteer_id=volunteer_id, is_given=True, **consent.model_dump())
        for consent in application.consents
    ]


def _form_faults(application: Application, city: City) -> Iterator[Fault]:
    age = age_on(application.birth_on, day_in(city.time_zone, utc_now()))
    if age < MIN_AGE_YEARS:
        yield Fault("under_age", "/body/birth_on", {"years": MIN_AGE_YEARS})
    if age > MAX_AGE_YEARS:
        yield Fault("over_age", "/body/birth_on", {"years": MAX_AGE_YEARS})
    by_giver = {giver: {c.purpose for c in application.consents if c.given_by is giver} for giver in ConsentGiver}
    is_minor = age < ADULT_AGE_YEARS
    if is_minor and (application.guardian is None or not by_giver[ConsentGiver.GUARDIAN] >= NEEDED_CONSENTS):
        yield Fault("no_guardian_consent", "/body/guardian")
    if not is_minor and not by_giver[ConsentGiver.SELF] >= NEEDED_CONSENTS:
        yield Fault("consent_missing", "/body/consents")


async def _district_faults(session: AsyncSession, city: City, application: Application) -> list[Fault]:
    unknown = [name for name in sorted(application.districts) if not await cities.has_district(session, city.id, name)]
    return [Fault("no_such_district", "/body/districts")] if unknown else []

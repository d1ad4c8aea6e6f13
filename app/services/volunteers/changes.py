"""Changes to a file: by the volunteer to their own, and by a coordinator to any."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.core.ids import new_id
from app.core.ranges import half_open
from app.domain.errors import Invalid, PreconditionFailed
from app.domain.permissions import Actor
from app.domain.volunteers import VolunteerStatus
from app.models.volunteers import Volunteer
from app.schemas.volunteers import OwnChange, VolunteerChange
from app.services import accounts, cities
from app.services.volunteers.files import account_of, get, of_account
from app.services.volunteers.forms import age_faults, district_faults, slot_faults, stored
from app.services.volunteers.steps import count, count_active

_NOT_COLUMNS = frozenset({"given_name", "family_name", "availability", "guardian", "coordinator_note"})


async def change_own(session: AsyncSession, actor: Actor, version: int, changed: OwnChange) -> None:
    """Raises PreconditionFailed if the file is no longer at `version`; Invalid, and Conflict for a phone in use."""
    await _change(session, actor, await of_account(session, actor), version, changed)


async def change(
    session: AsyncSession, actor: Actor, volunteer_id: UUID, version: int, changed: VolunteerChange
) -> None:
    """As `change_own`. Who is put into a programme while active is counted in it, once."""
    volunteer = await get(session, actor, volunteer_id, lock=True)
    before = frozenset(volunteer.programmes)
    await _change(session, actor, volunteer, version, changed)
    _change_person(volunteer, changed)
    joined, left = frozenset(volunteer.programmes) - before, before - frozenset(volunteer.programmes)
    if volunteer.status in {VolunteerStatus.ACTIVE, VolunteerStatus.SUSPENDED}:
        await count(session, actor, volunteer, joined)
    if volunteer.status is VolunteerStatus.ACTIVE:
        await count_active(session, actor, joined, 1, new_id())
        await count_active(session, actor, left, -1, new_id())


async def _change(session: AsyncSession, actor: Actor, volunteer: Volunteer, version: int, changed: OwnChange) -> None:
    if volunteer.version != version:
        raise PreconditionFailed
    await _refuse_faults(session, actor, changed)
    if changed.phone and changed.phone != volunteer.phone:
        await _move_login(session, actor, volunteer, changed.phone)
    said: dict[str, Any] = stored(changed.model_dump(exclude=set(_NOT_COLUMNS), exclude_none=True))
    volunteer.sqlmodel_update(said)
    if changed.availability is not None:
        volunteer.availability = half_open(slot.minutes for slot in changed.availability)
    if volunteer.language not in volunteer.languages:
        volunteer.languages = sorted((*volunteer.languages, volunteer.language))


def _change_person(volunteer: Volunteer, changed: VolunteerChange) -> None:
    if changed.given_name or changed.family_name:
        volunteer.rename(
            family_name=changed.family_name or volunteer.family_name,
            given_name=changed.given_name or volunteer.given_name,
        )
    if changed.guardian:
        volunteer.guardian_name, volunteer.guardian_phone = changed.guardian.name, changed.guardian.phone
    if "coordinator_note" in changed.model_fields_set:
        volunteer.coordinator_note = changed.coordinator_note


async def _refuse_faults(session: AsyncSession, actor: Actor, changed: OwnChange) -> None:
    districts: Iterable[str] = changed.districts or ()
    faults = [*slot_faults(changed.availability or ()), *await district_faults(session, actor.city_id, districts)]
    if isinstance(changed, VolunteerChange) and changed.birth_on:
        city = await cities.get(session, actor.city_id)
        faults += age_faults(changed.birth_on, day_in(city.time_zone, utc_now()))
    if faults:
        raise Invalid(*faults)


async def _move_login(session: AsyncSession, actor: Actor, volunteer: Volunteer, phone: str) -> None:
    """Who signs in with the number goes on doing so with the new one."""
    if volunteer.account_id is not None:
        account = await account_of(session, actor, volunteer)
        if account.login == volunteer.phone:
            await accounts.change_login(session, account, phone)

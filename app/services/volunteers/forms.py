"""What is asked of an application is asked of a change as well."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, cast

from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.availability import first_overlap
from app.domain.errors import Fault
from app.domain.volunteers import MAX_AGE_YEARS, MIN_AGE_YEARS, age_on
from app.schemas.volunteers import Slot
from app.services import cities


def age_faults(birth_on: date, today: date) -> Iterator[Fault]:
    age = age_on(birth_on, today)
    if age < MIN_AGE_YEARS:
        yield Fault("under_age", "/body/birth_on", {"years": MIN_AGE_YEARS})
    if age > MAX_AGE_YEARS:
        yield Fault("over_age", "/body/birth_on", {"years": MAX_AGE_YEARS})


def slot_faults(slots: Sequence[Slot]) -> Iterator[Fault]:
    overlap = first_overlap([slot.minutes for slot in slots])
    if overlap is not None:
        yield Fault("slots_overlap", f"/body/availability/{overlap}")


async def district_faults(session: AsyncSession, city_id: str, districts: Iterable[str]) -> list[Fault]:
    unknown = [name for name in sorted(districts) if not await cities.has_district(session, city_id, name)]
    return [Fault("no_such_district", "/body/districts")] if unknown else []


def stored(said: Mapping[str, Any]) -> dict[str, object]:
    """As the columns have it: what is named in no order is kept in one."""
    return {name: _in_order(value) for name, value in said.items()}


def _in_order(value: Any) -> Any:
    return sorted(cast("frozenset[str]", value)) if isinstance(value, frozenset) else value

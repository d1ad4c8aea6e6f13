"""A made-up year of Almaty's programme, to look at and to try things on; every person and address is invented.

Sizes are those that the programme published of its year 2025. The rows are what the services would have left
behind, down to the ledger, but put there by COPY in one transaction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.permissions import Role
from app.models.cities import City
from app.services import cities
from app.services.demo import (
    checks,
    counts,
    crews,
    fates,
    online,
    payment_cards,
    people,
    plan,
    raids,
    stops,
    storage,
    walls,
    ways,
)
from app.services.demo.almanac import Almanac
from app.services.demo.people import SERVICES, STAFF, VOLUNTEER_PHONE
from app.services.demo.places import Places
from app.services.demo.storage import Told

CITY = "almaty"
PASSWORD = "narkostop demo city"  # noqa: S105 printed for everybody
TABLES = 23


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    login: str
    role: Role
    grant: str
    """The `grant_type` to sign in with."""


SIGN_INS = (
    *(
        DemoSignIn(login, role, "client_credentials" if login in SERVICES else "password")
        for login, role in STAFF.items()
    ),
    DemoSignIn(VOLUNTEER_PHONE, Role.VOLUNTEER, "password"),
)
"""All have the one PASSWORD."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The same seed and day give the same rows, ids too; `until` is today in the city when it is None."""

    seed: int = 1
    until: date | None = None


async def build(session: AsyncSession, wish: Wish, secret_hash: str, told: Told) -> bool:
    """Found the city and fill it. False, and nothing done, when the demonstration is there already.

    Raises Conflict `has_real_data` when the city is a real one, `login_taken` when an account of the
    demonstration exists elsewhere, and Invalid for a day that is yet to come.
    """
    known = await session.get(City, CITY)
    if known is not None:
        if not known.is_demo:
            raise Conflict("has_real_data")
        return False
    new = cities.bundled(CITY)
    assert new is not None
    await cities.found(session, new, is_demo=True)
    almanac = Almanac(new, _until(wish, new.time_zone), wish.seed)
    try:
        await storage.store(session, made_up_year(almanac, secret_hash), told)
    except asyncpg.UniqueViolationError:
        raise Conflict("login_taken") from None
    return True


async def is_there(session: AsyncSession) -> bool:
    city = await session.get(City, CITY)
    return city is not None and city.is_demo


async def is_empty(session: AsyncSession) -> bool:
    """Whether there is no city yet at all: this is the first start."""
    return (await session.exec(select(City.id).limit(1))).first() is None


def _until(wish: Wish, time_zone: str) -> date:
    today = day_in(time_zone, utc_now())
    if wish.until and wish.until > today:
        raise Invalid(Fault("in_future", "/until"))
    return wish.until or today


def made_up_year(almanac: Almanac, secret_hash: str) -> Iterator[Sequence[SQLModel]]:
    """The rows of each table, in the order in which they can be stored; made up only when they are asked for."""
    crowd = people.invent(almanac, secret_hash)
    yield from (crowd.accounts, crowd.volunteers, crowd.consents)
    places = Places(almanac.city)
    outings = raids.invent(almanac, crowd, places)
    street = counts.Street(
        outings, crews.invent(almanac, crowd, outings), walls.invent(almanac, crowd, places, outings)
    )
    yield from (street.raids, street.assignments)
    painted = street.walls
    checks.invent(almanac, crowd, outings, painted)
    checks.merge(almanac, crowd, painted)
    planned = stops.invent(almanac, outings, painted)
    yield from (painted.spots, painted.cycles, painted.events, planned, painted.sightings, painted.removals)
    found = online.invent(almanac, crowd)
    until_answered = ways.ways(almanac, found)
    became = fates.invent(almanac, crowd, found)
    way = [*until_answered, *became.events]
    yield from (found.resources, found.findings, found.referrals, found.items, became.observations, way)
    cards = payment_cards.invent(almanac, crowd, found.resources)
    yield cards
    yield counts.entries(almanac, crowd, street, counts.Online(found, way, cards))
    yield from plan.tables(plan.invent(almanac, crowd))

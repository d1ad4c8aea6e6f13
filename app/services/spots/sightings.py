"""Reports of graffiti, one by one or as a phone that was offline brings them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.core.ids import new_id
from app.domain.errors import Fault, Invalid
from app.domain.metrics import Metric
from app.domain.permissions import Actor
from app.models.cities import City
from app.models.spots import Sighting, Spot
from app.schemas.sightings import SightingReport
from app.services import cities, ledger
from app.services.cities import Districts
from app.services.ledger import Fact
from app.services.spots import joining, steps


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one report of a batch; the pointers of its faults begin at the report's `/body`."""

    id: UUID | None
    outcome: Literal["made", "known", "refused"]
    spot_id: UUID | None = None
    faults: tuple[Fault, ...] = ()


async def report(session: AsyncSession, actor: Actor, sighting: SightingReport) -> UUID:
    """Joins the nearest live spot or makes one. Returns the sighting's id. Raises Invalid with every fault."""
    city = await cities.get(session, actor.city_id)
    if faults := [*_faults(await cities.districts(session, city), sighting)]:
        raise Invalid(*faults)
    await joining.take_turns(session, city, [sighting])
    return (await _record(session, actor, city, sighting)).id


async def report_batch(session: AsyncSession, actor: Actor, sightings: Sequence[SightingReport]) -> list[Outcome]:
    """Each on its own, in the order in which they were sent: what is wrong with one does not keep another out."""
    city = await cities.get(session, actor.city_id)
    districts = await cities.districts(session, city)
    faults = [tuple(_faults(districts, sighting)) for sighting in sightings]
    await joining.take_turns(
        session, city, (sighting for sighting, wrong in zip(sightings, faults, strict=True) if not wrong)
    )
    known = await _known(session, city, sightings)
    outcomes: list[Outcome] = []
    for sighting, wrong in zip(sightings, faults, strict=True):
        before = known.get(sighting.id)
        if not wrong and before is None:
            seen = known[sighting.id] = await _record(session, actor, city, sighting)
            outcomes.append(Outcome(seen.id, "made", seen.spot_id))
        else:
            outcomes.append(_not_made(actor, sighting, before, wrong))
    return outcomes


def _not_made(actor: Actor, sighting: SightingReport, before: Sighting | None, wrong: tuple[Fault, ...]) -> Outcome:
    if wrong:
        return Outcome(sighting.id, "refused", faults=wrong)
    if before is not None and before.reported_by == actor.account_id:
        return Outcome(before.id, "known", before.spot_id)
    return Outcome(sighting.id, "refused", faults=(Fault("id_taken", "/body/id"),))


async def _known(session: AsyncSession, city: City, sightings: Sequence[SightingReport]) -> dict[UUID | None, Sighting]:
    """Those that were stored before, by their ids."""
    query = select(Sighting).where(
        Sighting.city_id == city.id, col(Sighting.id).in_([sighting.id for sighting in sightings])
    )
    return {sighting.id: sighting for sighting in await session.exec(query)}


def _faults(districts: Districts, sighting: SightingReport) -> Iterator[Fault]:
    if sighting.point:
        yield from joining.faults_of(districts, sighting.point)
    elif sighting.address is None:
        yield Fault("point_or_address", "/body")
    if sighting.seen_at > utc_now():
        yield Fault("in_future", "/body/seen_at")


async def _record(session: AsyncSession, actor: Actor, city: City, sighting: SightingReport) -> Sighting:
    """Its turn at the place is taken."""
    known = await joining.spot_here(session, city, sighting)
    spot = known or await joining.new_spot(session, city, sighting, sighting.seen_at)
    point = sighting.point
    seen = Sighting(
        city_id=city.id,
        id=sighting.id or new_id(),
        spot_id=spot.id,
        reported_by=actor.account_id,
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
        **sighting.model_dump(exclude={"id", "point"}),
    )
    session.add(seen)
    ledger.record(session, actor, *_facts(city, spot, seen, is_new=known is None))
    await steps.see(session, spot, seen)
    await session.flush()
    return seen


def _facts(city: City, spot: Spot, seen: Sighting, *, is_new: bool) -> Iterator[Fact]:
    day = day_in(city.time_zone, seen.seen_at)
    yield Fact(Metric.SIGHTINGS, seen.id, day, district_id=spot.district_id)
    if is_new:
        yield Fact(Metric.SPOTS_REPORTED, spot.id, day, district_id=spot.district_id)

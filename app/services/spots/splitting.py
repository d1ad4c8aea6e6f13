"""One spot that is two walls: sightings, and the removals that were of the other wall, become a spot of their own."""

from collections.abc import Collection, Sequence
from typing import TypeVar
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.ids import new_id
from app.domain.checks import Verdict
from app.domain.errors import Fault, Invalid
from app.domain.permissions import Actor
from app.domain.spots import SPOT_FLOW, SpotAction, SpotStatus, cycles_of, standing
from app.models.spots import Removal, Sighting, Spot
from app.schemas.spots import Split
from app.services import cities
from app.services.spots import cycles, steps

Moving = TypeVar("Moving", Sighting, Removal)


async def split(session: AsyncSession, actor: Actor, spot_id: UUID, asked: Split) -> UUID:
    """Make a spot of its own of some of the sightings, where the first of them was. Returns its id.

    Raises NotFound, Conflict for a spot that is gone, and Invalid for what is another spot's or all of this one's.
    """
    spot = await steps.get(session, actor, spot_id)
    spot.status = SPOT_FLOW.after(spot.status, SpotAction.SPLIT)
    seen = await _of(session, spot, Sighting)
    leaving = _named(seen, asked.sighting_ids, "sighting_ids")
    if len(leaving) == len(seen):
        raise Invalid(Fault("nothing_left", "/body/sighting_ids"))
    painted = _named(await _of(session, spot, Removal), asked.removal_ids, "removal_ids")
    other = await _spot_of(session, spot, leaving, asked.id)
    for moved in (*leaving, *painted):
        moved.spot_id = other.id
    await _tell_again(session, spot, seen, painted)
    await _tell(session, other, leaving, painted)
    event = steps.event(actor, spot, SpotAction.SPLIT, asked.reason)
    event.other_spot_id, event.sightings, event.removals = other.id, len(leaving), len(painted)
    session.add(event)
    return other.id


async def _of(session: AsyncSession, spot: Spot, model: type[Moving]) -> Sequence[Moving]:
    """In the order of their making; a phone may bring its sightings late."""
    query = select(model).where(col(model.city_id) == spot.city_id, col(model.spot_id) == spot.id)
    return (await session.exec(query.order_by(col(model.id)))).all()


def _named(there: Sequence[Moving], ids: Collection[UUID], field: str) -> list[Moving]:
    known = {each.id for each in there}
    if faults := [Fault("not_of_spot", f"/body/{field}/{n}") for n, named in enumerate(ids) if named not in known]:
        raise Invalid(*faults)
    return [each for each in there if each.id in ids]


async def _spot_of(session: AsyncSession, spot: Spot, leaving: Sequence[Sighting], spot_id: UUID | None) -> Spot:
    first = min(leaving, key=lambda sighting: sighting.seen_at)
    district_id = spot.district_id
    if first.latitude is not None and first.longitude is not None:
        districts = await cities.districts(session, await cities.get(session, spot.city_id))
        district_id = districts.at(first.latitude, first.longitude)
    other = Spot(
        id=spot_id or new_id(),
        **first.model_dump(include={"city_id", "kind", "latitude", "longitude", "address", "surface"}),
        district_id=district_id,
    )
    await steps.store(session, other, first.seen_at)
    await session.flush()
    return other


async def _tell(session: AsyncSession, other: Spot, leaving: Sequence[Sighting], painted: Sequence[Removal]) -> None:
    valid = [removal for removal in painted if removal.verdict is not Verdict.DISPUTED]
    past = cycles_of((sighting.seen_at for sighting in leaving), (removal.removed_at for removal in valid))
    await cycles.rewrite(session, other, past)
    last = max(valid, key=lambda removal: removal.removed_at, default=None)
    is_verified = last is not None and last.verdict is Verdict.VERIFIED
    other.status = standing(past, *([SpotStatus.VERIFIED] if is_verified else []))
    other.sightings, other.last_seen_at = len(leaving), max(sighting.seen_at for sighting in leaving)


async def _tell_again(session: AsyncSession, spot: Spot, seen: Sequence[Sighting], painted: Sequence[Removal]) -> None:
    """What remains of its past. A raid that is to go there goes there still."""
    staying = [sighting for sighting in seen if sighting.spot_id == spot.id]
    gone = {removal.removed_at for removal in painted}
    explained = gone | {sighting.seen_at for sighting in seen}
    known = await cycles.of(session, spot)
    opened = [cycle.opened_at for cycle in known if cycle.opened_at not in explained]
    past = cycles_of(
        [*opened, *(sighting.seen_at for sighting in staying)],
        (cycle.painted_at for cycle in known if cycle.painted_at and cycle.painted_at not in gone),
    )
    await cycles.rewrite(session, spot, past)
    if spot.status is not SpotStatus.SCHEDULED:
        spot.status = standing(past, spot.status)
    spot.sightings, spot.last_seen_at = len(staying), max(sighting.seen_at for sighting in staying)

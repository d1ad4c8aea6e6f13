"""A wall's past, read and written anew when a merger or a split shows that it was another one."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.spots import Cycle
from app.models.spots import Spot, SpotCycle


async def of(session: AsyncSession, *spots: Spot) -> Sequence[SpotCycle]:
    """In their order, spot by spot."""
    query = select(SpotCycle).where(
        SpotCycle.city_id == spots[0].city_id, col(SpotCycle.spot_id).in_([spot.id for spot in spots])
    )
    return (await session.exec(query.order_by(col(SpotCycle.spot_id), col(SpotCycle.cycle)))).all()


async def rewrite(session: AsyncSession, spot: Spot, cycles: Sequence[Cycle]) -> None:
    known = {row.cycle: row for row in await of(session, spot)}
    for number, cycle in enumerate(cycles, start=1):
        row = known.pop(number, None) or SpotCycle(
            city_id=spot.city_id, spot_id=spot.id, cycle=number, opened_at=cycle.opened_at
        )
        row.opened_at, row.painted_at = cycle.opened_at, cycle.painted_at
        session.add(row)
    for row in known.values():
        await session.delete(row)
    spot.cycle = len(cycles)

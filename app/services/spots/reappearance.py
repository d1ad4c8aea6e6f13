"""How long walls stay clean."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.domain.permissions import Role
from app.domain.spots import SpotStatus
from app.models.spots import Spot, SpotCycle
from app.services import reads
from app.services.reads import Query

_DAY_S = 86_400
_MOST_GROUPS = 200


def reappearances(role: Role | None, given: frozenset[str]) -> Query:
    """Days from painting over to the next sighting there, by surface and kind; the largest groups.

    A cycle that nothing came after has no days yet: it is in `painted`, and not in the median, which is thus the
    time until it came back where it came back, and shorter than that of all walls.
    """
    cycle = _cycles()
    days = sa.extract("epoch", cycle.came_back_at - cycle.painted_at) / _DAY_S
    median = sa.func.percentile_cont(sa.literal_column("0.5")).within_group(days)
    group = (
        sa.select(
            cycle.surface,
            cycle.kind,
            sa.func.count().label("painted"),
            sa.func.count(cycle.came_back_at).label("reappeared"),
            sa.func.round(sa.cast(median, sa.Numeric), 1).label("median_days"),
        )
        .where(cycle.painted_at.is_not(None))
        .group_by(cycle.surface, cycle.kind)
        .order_by(sa.desc("reappeared"), sa.desc("painted"), cycle.surface, cycle.kind)
        .limit(_MOST_GROUPS)
        .subquery("grouped")
    )
    return sa.select(sa.func.coalesce(sa.func.json_agg(group.table_valued()), sa.text("'[]'::json")).label("groups"))


def _cycles() -> Any:
    """Every cycle, with when the one after it began."""
    order: dict[str, Any] = {"partition_by": SpotCycle.spot_id, "order_by": SpotCycle.cycle}
    came_back_at = sa.func.lead(SpotCycle.opened_at).over(**order).label("came_back_at")
    of_cycle = sa.and_(col(Spot.city_id) == col(SpotCycle.city_id), col(Spot.id) == col(SpotCycle.spot_id))
    query = sa.select(col(Spot.surface), col(Spot.kind), col(SpotCycle.painted_at), came_back_at)
    # The cycles of what was merged are those of the spot that took it in, too.
    here = sa.and_(col(SpotCycle.city_id) == reads.CITY, col(Spot.status) != SpotStatus.MERGED)
    return query.join_from(SpotCycle, Spot, of_cycle).where(here).subquery().c

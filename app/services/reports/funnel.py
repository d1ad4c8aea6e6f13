"""How many resources get how far, and how long each step takes."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlmodel import col

from app.core.clock import day_in
from app.core.database import Database
from app.domain.funnel import EXITS, TRANSITIONS, FunnelStep, Transition
from app.domain.permissions import Role
from app.domain.resources import ResourceStatus
from app.domain.survival import Waits, median
from app.domain.tallies import FIRST_DAY, LAST_DAY
from app.models.resources import ResourceEvent
from app.schemas.reports import FunnelQuery, FunnelRead, FunnelStepRead
from app.services import reads
from app.services.cities import CITY_ID
from app.services.reads import Query
from app.services.reports.questions import Asked
from app.services.sums import Standing

_FROM, _TO = sa.bindparam("from", type_=sa.Date), sa.bindparam("to", type_=sa.Date)
_UNTIL = sa.bindparam("until", type_=sa.Date)
_AS_OF = sa.bindparam("as_of", type_=sa.DateTime(timezone=True))
_EXIT = "exit"


class _Wait(BaseModel):
    """Resources that waited, or still wait, so many days for a step; `waiting` of the open ones have met no end."""

    step: FunnelStep
    days: int
    ended: int
    open: int
    waiting: int


class _Answered(BaseModel):
    reported: int
    waits: list[_Wait]


async def funnel(database: Database, asked: Asked[FunnelQuery], standing: Standing) -> FunnelRead:
    """The resources first reported on these days, and how far each of them has come by now, or by `as_of`."""
    query = asked.query
    values = {
        "city_id": asked.city_id,
        "from": query.from_ or FIRST_DAY,
        "to": query.to or LAST_DAY,
        "until": day_in(standing.time_zone, query.as_of) if query.as_of else standing.today,
        "as_of": query.as_of,
    }
    answered = _Answered.model_validate_json(
        await reads.document(database, asked.actor, resource_waits, "city", **values)
    )
    return FunnelRead(**asked.heading(standing), steps=[*_steps(answered)])


def _steps(answered: _Answered) -> Iterator[FunnelStepRead]:
    yield FunnelStepRead(
        step=FunnelStep.REPORTED,
        resources=answered.reported,
        **dict.fromkeys(("of", "of_resources", "rate", "median_days", "waiting")),
    )
    for transition in TRANSITIONS:
        yield _step(transition, [wait for wait in answered.waits if wait.step is transition.step])


def _step(transition: Transition, waits: Sequence[_Wait]) -> FunnelStepRead:
    ended = sum(wait.ended for wait in waits)
    begun = ended + sum(wait.open for wait in waits)
    return FunnelStepRead(
        step=transition.step,
        resources=ended,
        of=transition.of,
        of_resources=begun,
        rate=round(ended / begun, 4) if begun else None,
        median_days=median(Waits(wait.days, wait.ended, wait.open) for wait in waits),
        waiting=sum(wait.waiting for wait in waits),
    )


def resource_waits(role: Role | None, given: frozenset[str]) -> Query:
    """How many resources of the days asked for there are, and their waits for each step, by length."""
    ways = _ways(given)
    each: Any = sa.union_all(*(_waits(ways, transition) for transition in TRANSITIONS)).subquery("wait")
    listed = sa.select(sa.func.coalesce(sa.func.json_agg(each.table_valued()), sa.text("'[]'::json")))
    reported = sa.select(sa.func.count()).select_from(ways)
    return sa.select(reported.scalar_subquery().label("reported"), listed.scalar_subquery().label("waits"))


def _ways(given: frozenset[str]) -> sa.CTE:
    """A row for each resource: the day on which it first entered each step, and on which it left the way for now."""
    events = _events(given).subquery("event")
    status, day = events.c.status, events.c.occurred_on
    entered: dict[str, Any] = {
        step.value: sa.func.min(day).filter(status == ResourceStatus(step)) for step in FunnelStep
    }
    # Only what came back after it had been reported blocked has come back from that.
    came_back = sa.and_(status == ResourceStatus.REAPPEARED, events.c.created_at > events.c.blocked_at)
    entered[FunnelStep.REAPPEARED] = sa.func.min(day).filter(came_back)
    exits = sa.or_(*(status == end for end in sorted(EXITS)))
    is_since_back = sa.func.coalesce(events.c.created_at > events.c.back_at, sa.true())
    left = sa.func.min(day).filter(exits, is_since_back)
    query = sa.select(*(column.label(name) for name, column in entered.items()), left.label(_EXIT))
    query = query.group_by(events.c.resource_id).having(entered[FunnelStep.REPORTED].between(_FROM, _TO))
    return query.cte("way")


def _events(given: frozenset[str]) -> Query:
    """Each with when it was recorded that its resource was blocked, first, and that it came back, last."""
    columns = (ResourceEvent.resource_id, ResourceEvent.status, ResourceEvent.occurred_on, ResourceEvent.created_at)
    status = col(ResourceEvent.status)
    blocked_at = sa.func.min(ResourceEvent.created_at).filter(status == ResourceStatus.BLOCK_REPORTED)
    back_at = sa.func.max(ResourceEvent.created_at).filter(status == ResourceStatus.REAPPEARED)
    moments = {"blocked_at": blocked_at, "back_at": back_at}
    of_resource = (at.over(partition_by=col(ResourceEvent.resource_id)).label(name) for name, at in moments.items())
    query: Query = sa.select(*map(col, columns), *of_resource).where(col(ResourceEvent.city_id) == CITY_ID)
    return query.where(col(ResourceEvent.created_at) <= _AS_OF) if "as_of" in given else query


def _waits(ways: sa.CTE, transition: Transition) -> Query:
    came, of = ways.c[transition.step], ways.c[transition.of]
    left = sa.func.least(ways.c[_EXIT], ways.c[transition.or_else]) if transition.or_else else ways.c[_EXIT]
    # A letter may be dated before the moderator's decision that it rests on: that is no wait.
    days: Any = sa.func.greatest(sa.func.coalesce(came, sa.func.least(left, _UNTIL)) - of, 0)
    columns: dict[str, Any] = {
        "step": sa.literal_column(f"'{transition.step}'"),
        "days": days,
        "ended": sa.func.count(came),
        "open": sa.func.count() - sa.func.count(came),
        "waiting": sa.func.count().filter(came.is_(None), left.is_(None)),
    }
    selected = sa.select(*(column.label(name) for name, column in columns.items()))
    return selected.where(of.is_not(None)).group_by(sa.text("2"))

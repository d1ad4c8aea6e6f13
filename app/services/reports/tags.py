"""What changes a report besides the ledger: asked for a fraction of what the report costs, for its ETag."""

import json
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.core.database import Database
from app.domain.permissions import Role
from app.models.resources import ResourceEvent
from app.models.spots import SpotEvent
from app.services import reads
from app.services.cities import CITY_ID
from app.services.reads import Compose, Query
from app.services.reports.leaderboard import district_names
from app.services.reports.questions import Asked
from app.services.sums import Standing


async def tag(database: Database, asked: Asked[Any], standing: Standing, changes: Compose) -> str:
    """The ETag of what the report would say now, to who asks."""
    told = json.loads(await reads.document(database, asked.actor, changes, "city", city_id=asked.city_id))
    who = asked.actor.role if asked.actor else "public"
    return f'{standing.etag[:-1]}-{told["changes"]}-{who}"'


def of_ways(role: Role | None, given: frozenset[str]) -> Query:
    """Not every step of a resource is counted in the ledger."""
    return _number(ResourceEvent)


def of_places(role: Role | None, given: frozenset[str]) -> Query:
    """A spot that is merged or split takes its facts elsewhere."""
    return _number(SpotEvent)


def of_names(role: Role | None, given: frozenset[str]) -> Query:
    names = district_names(role, given).subquery("named")
    return sa.select(sa.func.md5(sa.cast(names.c.names, sa.Text)).label("changes"))


def _number(events: type[ResourceEvent | SpotEvent]) -> Query:
    """Events are never taken away: their number tells every state of them from every other."""
    return sa.select(sa.func.count().label("changes")).where(col(events.city_id) == CITY_ID)

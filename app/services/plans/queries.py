import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.domain.permissions import Role
from app.domain.plans import PlanStatus
from app.models.plans import Plan, PlanDirection, PlanItem, PlanItemChange
from app.schemas.plans import DirectionRead, ItemChangeRead, ItemRead, PlanRead, PublicPlanRead
from app.services import reads
from app.services.cities import CITY_ID
from app.services.reads import Query

PLAN_ID = sa.bindparam("plan_id", type_=sa.Uuid)
_ITEM_ID = sa.bindparam("item_id", type_=sa.Uuid)
_STATUS = sa.bindparam("status", type_=sa.Text)
_DIRECTION = sa.bindparam("direction", type_=sa.Uuid)


def visible_to(role: Role | None) -> SelectOfScalar[Plan]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    if role is None:
        return select(Plan).where(col(Plan.city_id) == CITY_ID, col(Plan.status) != PlanStatus.DRAFT)
    return select(Plan).where(col(Plan.city_id) == reads.CITY)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return visible_to(role).with_only_columns(*reads.fields(Plan, PlanRead)).where(col(Plan.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    return _listed(visible_to(role).with_only_columns(*reads.fields(Plan, PlanRead)), given)


def public_cards(role: Role | None, given: frozenset[str]) -> Query:
    return _listed(visible_to(None).with_only_columns(*reads.fields(Plan, PublicPlanRead)), given)


def _listed(query: Query, given: frozenset[str]) -> Query:
    if "status" in given:
        query = query.where(col(Plan.status) == _STATUS)
    return reads.newest_first(query, Plan.id, given)


def direction_card(role: Role | None, given: frozenset[str]) -> Query:
    return _directions().where(col(PlanDirection.id) == reads.ID)


def directions(role: Role | None, given: frozenset[str]) -> Query:
    return reads.newest_first(_directions(), PlanDirection.id, given)


def _directions() -> Query:
    return sa.select(*reads.fields(PlanDirection, DirectionRead)).where(
        col(PlanDirection.city_id) == reads.CITY, col(PlanDirection.plan_id) == PLAN_ID
    )


def item_card(role: Role | None, given: frozenset[str]) -> Query:
    return _items().where(col(PlanItem.id) == reads.ID)


def items(role: Role | None, given: frozenset[str]) -> Query:
    query = _items()
    if "direction" in given:
        query = query.where(col(PlanItem.direction_id) == _DIRECTION)
    return reads.newest_first(query, PlanItem.id, given)


def _items() -> Query:
    status = sa.case((col(PlanItem.metric).is_(None), col(PlanItem.status)))
    return sa.select(*reads.fields(PlanItem, ItemRead, status=status)).where(
        col(PlanItem.city_id) == reads.CITY, col(PlanItem.plan_id) == PLAN_ID
    )


def changes(role: Role | None, given: frozenset[str]) -> Query:
    """The newest first."""
    columns = reads.fields(PlanItemChange, ItemChangeRead, changed_at=col(PlanItemChange.created_at))
    query = sa.select(*columns).where(
        col(PlanItemChange.city_id) == reads.CITY, col(PlanItemChange.item_id) == _ITEM_ID
    )
    return reads.newest_first(query, PlanItemChange.id, given)

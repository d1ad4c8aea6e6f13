"""From a volunteer's finding to a resource that a moderator has confirmed."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import clock_in, day_in, utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.metrics import Metric
from app.domain.permissions import Actor, Role
from app.domain.resources import RESOURCE_FLOW, REVIEW_LEASE, RejectionReason, ResourceAction, ResourceStatus
from app.models.resources import Finding, Resource, ResourceEvent
from app.schemas.resources import FindingRead, FindingReport, ResourceEventRead, ResourceRead
from app.services import addresses, cities, ledger, reads
from app.services.addresses import Address
from app.services.ledger import Fact
from app.services.reads import Query


def visible_to(role: Role | None) -> SelectOfScalar[Resource]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    return select(Resource).where(col(Resource.city_id) == reads.CITY)


def _card(role: Role | None) -> Query:
    return visible_to(role).with_only_columns(*reads.fields(Resource, ResourceRead))


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card(role).where(col(Resource.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _card(role)
    if "status" in given:
        query = query.where(col(Resource.status) == sa.bindparam("status", type_=sa.Text))
    return reads.newest_first(query, Resource.id, given)


def events(role: Role | None, given: frozenset[str]) -> Query:
    query = sa.select(*reads.fields(ResourceEvent, ResourceEventRead)).where(
        col(ResourceEvent.city_id) == reads.CITY,
        col(ResourceEvent.resource_id) == sa.bindparam("resource_id", type_=sa.Uuid),
    )
    return reads.newest_first(query, ResourceEvent.id, given)


def finding_card(role: Role | None, given: frozenset[str]) -> Query:
    """A finding belongs to who reported it."""
    return (
        sa.select(*reads.fields(Finding, FindingRead, status=col(Resource.status), version=col(Resource.version)))
        .join(
            Resource,
            sa.and_(col(Resource.city_id) == col(Finding.city_id), col(Resource.id) == col(Finding.resource_id)),
        )
        .where(
            col(Finding.city_id) == reads.CITY,
            col(Finding.reported_by) == reads.ACCOUNT,
            col(Finding.id) == reads.ID,
        )
    )


async def report(session: AsyncSession, actor: Actor, found: FindingReport) -> UUID:
    """Join the resource that the address means, or make it. Returns the finding's id.

    The same person reporting the same address again gets the finding they already have.
    """
    address = addresses.parse(found.address)
    if address is None:
        raise Invalid(Fault("not_an_address", "/body/address"))
    if len(address.key) > addresses.MAX_KEY_CHARACTERS:
        raise Invalid(Fault("too_long", "/body/address", {"limit": addresses.MAX_KEY_CHARACTERS}))
    resource_id = await _resource(session, actor, found.address, address)
    if earlier := await own_finding(session, actor, resource_id):
        return earlier.id
    resource = await get(session, actor, resource_id)
    resource.findings += 1
    finding = Finding(
        city_id=actor.city_id,
        id=found.id or new_id(),
        resource_id=resource_id,
        reported_by=actor.account_id,
        address_typed=found.address,
        note=found.note,
    )
    session.add(finding)
    await _count(session, actor, Metric.FINDINGS, finding.id)
    return finding.id


async def _resource(session: AsyncSession, actor: Actor, typed: str, address: Address) -> UUID:
    now = utc_now()
    new = {
        "city_id": actor.city_id,
        "id": new_id(),
        "created_at": now,
        "watched_since": now,
        "settled_at": now,
        "cycle": 1,
        "version": 1,
        "address": typed,
        "address_key": address.key,
        "kind": address.kind,
        "status": ResourceStatus.REPORTED,
    }
    made = await session.scalar(
        insert(Resource)
        .values(**new)
        .on_conflict_do_nothing(index_elements=["city_id", "address_key"])
        .returning(col(Resource.id))
    )
    if made is not None:
        session.add(_event(actor.city_id, made, ResourceStatus.REPORTED, await cities.today(session, actor.city_id)))
        return made
    known = select(Resource.id).where(Resource.city_id == actor.city_id, Resource.address_key == address.key)
    return (await session.exec(known)).one()


async def review(session: AsyncSession, actor: Actor, resource_id: UUID) -> None:
    """Take it for 30 minutes, so that two moderators do not check the same.

    Raises Conflict: `own_finding` for who reported it, `review_taken` while another moderator has it.
    """
    resource = await get(session, actor, resource_id)
    if await own_finding(session, actor, resource.id):
        raise Conflict("own_finding")
    now = utc_now()
    status = RESOURCE_FLOW.after(resource.status, ResourceAction.REVIEW)
    if resource.review_until and resource.review_until > now and resource.reviewer_id != actor.account_id:
        city = await cities.get(session, actor.city_id)
        raise Conflict("review_taken", until=clock_in(city.time_zone, resource.review_until))
    await enter(session, resource, status, now)
    resource.reviewer_id, resource.review_until = actor.account_id, now + REVIEW_LEASE


async def confirm(session: AsyncSession, actor: Actor, resource_id: UUID) -> None:
    await _decide(session, actor, resource_id, ResourceAction.CONFIRM)
    await _count(session, actor, Metric.RESOURCES_CONFIRMED, resource_id)


async def reject(session: AsyncSession, actor: Actor, resource_id: UUID, reason: RejectionReason) -> None:
    resource = await _decide(session, actor, resource_id, ResourceAction.REJECT)
    resource.rejection_reason = reason


async def enter(
    session: AsyncSession,
    resource: Resource,
    status: ResourceStatus,
    since: datetime,
    observation_id: UUID | None = None,
) -> None:
    """The next status; where that is the one it has, such as of one taken for review again, nothing changes."""
    if status is not resource.status:
        resource.status, resource.settled_at = status, since
        if status in {ResourceStatus.CONFIRMED, ResourceStatus.REAPPEARED}:
            resource.watched_since = since
        day = day_in((await cities.get(session, resource.city_id)).time_zone, since)
        session.add(_event(resource.city_id, resource.id, status, day, observation_id))


def enter_by_letter(session: AsyncSession, resource: Resource, status: ResourceStatus, day: date) -> None:
    """As `enter`, on the day that a letter names. What was observed stays as good as it was."""
    if status is not resource.status:
        resource.status = status
        session.add(_event(resource.city_id, resource.id, status, day))


def _event(
    city_id: str, resource_id: UUID, status: ResourceStatus, day: date, observation_id: UUID | None = None
) -> ResourceEvent:
    return ResourceEvent(
        city_id=city_id, resource_id=resource_id, status=status, occurred_on=day, observation_id=observation_id
    )


async def get(session: AsyncSession, actor: Actor, resource_id: UUID) -> Resource:
    """Locked, for a step of its flow."""
    # But for its key: who drafts a referral points to it, and waits for nobody.
    query = visible_to(actor.role).where(col(Resource.id) == resource_id).with_for_update(key_share=True)
    resource = (await session.exec(query, params=reads.values_of(actor))).one_or_none()
    if resource is None:
        raise NotFound("resource")
    return resource


async def _decide(session: AsyncSession, actor: Actor, resource_id: UUID, action: ResourceAction) -> Resource:
    """Only who holds the review decides, and only while it lasts."""
    resource = await get(session, actor, resource_id)
    status = RESOURCE_FLOW.after(resource.status, action)
    if await own_finding(session, actor, resource.id):
        raise Conflict("own_finding")
    if resource.reviewer_id != actor.account_id or not resource.review_until or resource.review_until <= utc_now():
        raise Conflict("review_lapsed")
    await enter(session, resource, status, utc_now())
    resource.review_until = None
    return resource


async def _count(session: AsyncSession, actor: Actor, metric: Metric, subject_id: UUID) -> None:
    ledger.record(session, actor, Fact(metric, subject_id, await cities.today(session, actor.city_id)))


async def own_finding(session: AsyncSession, actor: Actor, resource_id: UUID) -> Finding | None:
    query = select(Finding).where(
        Finding.city_id == actor.city_id,
        Finding.resource_id == resource_id,
        Finding.reported_by == actor.account_id,
    )
    return (await session.exec(query)).one_or_none()

"""Figures: a number is drafted by one, signed off by another, and from then on stands as it is."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from app.domain.figures import FIGURE_FLOW, FigureAction, Scope, narrowings
from app.domain.metrics import ABOUT_PEOPLE, too_few
from app.domain.permissions import AccountKind, Actor, Role
from app.models.accounts import Account
from app.models.cities import City, District
from app.models.figures import Figure
from app.schemas.figures import FigureDraft, FigurePublic, FigureRead, SignOff
from app.schemas.metrics import DeclaredTotal
from app.services import cities, moments, overlaps, reads, reckoning
from app.services.cities import CITY_ID
from app.services.moments import Mark
from app.services.reads import Query

_ABOUT_PEOPLE = sa.bindparam("about_people", sorted(ABOUT_PEOPLE), type_=ARRAY(sa.Text))


class Cited(NamedTuple):
    """What a citation says of the place beside the figure itself."""

    figure: FigurePublic
    city: Mapping[str, str]
    district: Mapping[str, str] | None
    time_zone: str


def visible_to(role: Role | None) -> SelectOfScalar[Figure]:
    """Every query starts here. The public sees what was ever signed, also if it was withdrawn."""
    if role is None:
        return select(Figure).where(col(Figure.city_id) == CITY_ID, col(Figure.signed_at).is_not(None))
    return select(Figure).where(col(Figure.city_id) == reads.CITY)


def _card(role: Role | None) -> Query:
    schema = FigureRead if role else FigurePublic
    titles = sa.func.json_build_object("kk", Figure.title_kk, "ru", Figure.title_ru, "en", Figure.title_en)
    # Of people it would tell everybody on which days some were counted.
    public = sa.case((col(Figure.metric) != sa.all_(_ABOUT_PEOPLE), col(Figure.overlap)))
    overlap = col(Figure.overlap) if role else public
    columns = reads.fields(
        Figure,
        schema,
        titles=titles,
        digest=sa.func.encode(col(Figure.digest), "hex"),
        overlap=overlap,
    )
    return visible_to(role).with_only_columns(*columns)


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card(role).where(col(Figure.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _card(role)
    if "status" in given:
        query = query.where(col(Figure.status) == sa.bindparam("status", type_=sa.Text))
    return reads.newest_first(query, Figure.id, given)


def cited(role: Role | None, given: frozenset[str]) -> Query:
    """The figure as the public sees it, with the names of its place."""
    figure = _card(None).where(col(Figure.id) == reads.ID).subquery("figure_card")
    there = sa.and_(col(District.city_id) == col(City.id), col(District.id) == figure.c.district_id)
    columns: dict[str, Any] = {
        "figure": sa.func.row_to_json(figure.table_valued()),
        "city": cities.names(City),
        "district": sa.case((col(District.id).is_not(None), cities.names(District))),
        "time_zone": col(City.time_zone),
    }
    return (
        sa.select(*(column.label(name) for name, column in columns.items()))
        .select_from(sa.join(City, figure, sa.true()).outerjoin(District, there))
        .where(col(City.id) == CITY_ID)
    )


async def draft(session: AsyncSession, actor: Actor, drafted: FigureDraft) -> UUID:
    """Raises Invalid with every fault: a moment or a district that is not there, people counted too closely."""
    marked = await moments.mark(session)
    await _check(session, actor, drafted, marked)
    figure = Figure(
        city_id=actor.city_id,
        id=drafted.id or new_id(),
        as_of=drafted.as_of or marked.moment,
        settles_at=marked.transaction,
        server=marked.server,
        district_id=drafted.district,
        drafted_by=actor.account_id,
        **{f"title_{language}": title for language, title in drafted.titles.model_dump().items()},
        **drafted.model_dump(include={"metric", "origin", "from_day", "to_day"}),
    )
    session.add(figure)
    return figure.id


async def _check(session: AsyncSession, actor: Actor, drafted: FigureDraft, marked: Mark) -> None:
    scope = Scope(drafted.metric, drafted.from_day, drafted.to_day, drafted.district)
    names = {"from": "from_day", "to": "to_day", "district": "district"}
    faults = [Fault("people_whole_city", f"/body/{names[filtered]}") for filtered in narrowings(scope)]
    if drafted.as_of and drafted.as_of > marked.moment:
        faults.append(Fault("in_future", "/body/as_of"))
    if drafted.from_day and drafted.to_day and drafted.to_day < drafted.from_day:
        faults.append(Fault("ends_before_start", "/body/to_day"))
    if drafted.district and not await cities.has_district(session, actor.city_id, drafted.district):
        faults.append(Fault("no_such_district", "/body/district"))
    if faults:
        raise Invalid(*faults)


async def sign(
    session: AsyncSession, actor: Actor, figure_id: UUID, signed: SignOff, words: Mapping[Any, Mapping[str, Any]]
) -> None:
    """Counted, and frozen with the words that the metric is defined by today. `words` are those of each metric.

    Raises Conflict for the drafter, for a moment that is not over, for another number than the one that is signed,
    for too few people, and for both origins together where they overlap; Forbidden for a service account.
    """
    await _refuse_services(session, actor)
    figure = await get(session, actor, figure_id)
    figure.status = FIGURE_FLOW.after(figure.status, FigureAction.SIGN)
    if figure.drafted_by == actor.account_id:
        raise Conflict("own_figure")
    marked = Mark(figure.as_of, figure.settles_at, figure.server)
    if not await moments.has_settled(session, figure.city_id, marked):
        raise Conflict("not_settled")
    reckoned = await reckoning.as_signed(session, figure)
    if figure.metric in ABOUT_PEOPLE and too_few(await reckoning.people(session, figure)):
        raise Conflict("too_few_people")
    overlapping = await overlaps.of_figure(session, figure, figure.as_of)
    if figure.origin is None and overlapping:
        raise _overlap(overlapping[0])
    if reckoned.value != signed.value:
        raise Conflict("other_value", value=reckoned.value)
    figure.sqlmodel_update(reckoned.model_dump(exclude={"digest"}))
    figure.digest, figure.overlap = bytes.fromhex(reckoned.digest), bool(overlapping)
    figure.words = {name: words[figure.metric][name] for name in ("name", "definition", "unit")}
    figure.signed_by, figure.signed_at = actor.account_id, (await moments.mark(session)).moment


def _overlap(total: DeclaredTotal) -> Conflict:
    """Of one origin alone nothing is counted twice."""
    return Conflict("overlap", source=total.source, first=f"{total.period_from}", last=f"{total.period_to}")


async def withdraw(session: AsyncSession, actor: Actor, figure_id: UUID, reason: str) -> None:
    """It is not deleted: its page says since when it no longer stands, and why."""
    figure = await get(session, actor, figure_id)
    figure.status = FIGURE_FLOW.after(figure.status, FigureAction.WITHDRAW)
    figure.withdrawn_by, figure.withdrawal_reason = actor.account_id, reason
    figure.withdrawn_at = (await moments.mark(session)).moment


async def get(session: AsyncSession, actor: Actor, figure_id: UUID) -> Figure:
    """Locked, for a step of its flow."""
    query = visible_to(actor.role).where(col(Figure.id) == figure_id).with_for_update()
    figure = (await session.exec(query, params=reads.values_of(actor))).one_or_none()
    if figure is None:
        raise NotFound("figure")
    return figure


async def _refuse_services(session: AsyncSession, actor: Actor) -> None:
    """Whoever drafts could hold a service's secret, and would be the second person as well."""
    account = (await session.exec(select(Account).where(col(Account.id) == actor.account_id))).one()
    if account.kind is not AccountKind.PERSON:
        raise Forbidden("needs_person")

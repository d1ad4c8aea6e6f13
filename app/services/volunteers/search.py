"""A coordinator's search: in the order of names, by the beginnings of their words, and by what is in the file.

A search by name begins with the words and their sort keys, in an index of their own, so that the order needs no
more than that index; only the rows of the page are looked at. See docs/adr/0013-names-sorted-and-found.md.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.domain.names import end_of_prefix, folded
from app.domain.permissions import Role
from app.models.cities import City
from app.models.volunteers import BYTES, Volunteer, VolunteerNameWord
from app.schemas.volunteers import MAX_SEARCH_WORDS, VolunteerLine, VolunteerQuery
from app.services import reads
from app.services.reads import Query
from app.services.volunteers.files import columns

_AFTER = sa.bindparam("after", type_=sa.Uuid)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_AVAILABLE_AT = sa.bindparam("available_at", type_=sa.DateTime(timezone=True))
_AMONG: dict[str, Any] = {
    "programme": Volunteer.programmes,
    "district": Volunteer.districts,
    "skill": Volunteer.skills,
    "language": Volunteer.languages,
}


def values(query: VolunteerQuery) -> dict[str, object]:
    """What `lines` is asked with. The longest word comes first: it is the rarest, as a rule."""
    asked: dict[str, object] = query.model_dump(exclude={"q", "limit"})
    for place, word in enumerate(sorted(folded(query.q or ""), key=len, reverse=True)):
        asked |= {f"word_{place}": word, f"word_{place}_end": end_of_prefix(word)}
    return asked


def lines(role: Role | None, given: frozenset[str]) -> Query:
    query = columns(role, VolunteerLine)
    name, identifier = col(Volunteer.sort_name), col(Volunteer.id)
    if "word_0" in given:
        found = _found(given)
        query = query.join(found, sa.and_(found.c.city_id == col(Volunteer.city_id), found.c.id == col(Volunteer.id)))
        name, identifier = found.c.sort_name, found.c.id
    elif "after" in given:
        query = query.where(_is_after(name, identifier))
    return _filtered(query, given).order_by(name, identifier).limit(_LIMIT)


def _found(given: frozenset[str]) -> sa.Subquery:
    """Those with a word that begins like each of those asked for; somebody with two such words is there once."""
    word: Any = aliased(VolunteerNameWord, name="word_0")
    query: Query = sa.select(word.city_id, word.sort_name, word.id).where(word.city_id == reads.CITY, _begins(word, 0))
    for place in range(1, MAX_SEARCH_WORDS):
        if f"word_{place}" in given:
            other: Any = aliased(VolunteerNameWord, name=f"word_{place}")
            further = sa.exists().where(other.city_id == word.city_id, other.id == word.id, _begins(other, place))
            query = query.where(further)
    if "after" in given:
        query = query.where(_is_after(word.sort_name, word.id))
    return query.distinct().subquery("found")


def _begins(word: Any, place: int) -> sa.ColumnElement[bool]:
    """As a range, so that the index serves it whatever the value will be."""
    first, end = (sa.bindparam(name, type_=BYTES) for name in (f"word_{place}", f"word_{place}_end"))
    return sa.and_(word.word >= first, word.word < end)


def _is_after(name: Any, identifier: Any) -> sa.ColumnElement[bool]:
    """Where the page before ended. Its `next` is an id, so that no name gets into an address."""
    last: Any = aliased(Volunteer, name="last")
    last_name = sa.select(last.sort_name).where(last.city_id == reads.CITY, last.id == _AFTER).scalar_subquery()
    return sa.tuple_(name, identifier) > sa.tuple_(last_name, _AFTER)


def _filtered(query: Query, given: frozenset[str]) -> Query:
    if "status" in given:
        query = query.where(col(Volunteer.status) == sa.bindparam("status", type_=sa.Text))
    for name in _AMONG.keys() & given:
        query = query.where(sa.bindparam(name, type_=sa.Text) == sa.any_(_AMONG[name]))
    if "available_at" in given:
        query = query.where(col(Volunteer.availability).contains(_minute_of_week()))
    return query


def _minute_of_week() -> sa.ColumnElement[int]:
    """Of the moment asked for, by the city's clock; Monday 00:00 is 0."""
    zone = sa.select(col(City.time_zone)).where(col(City.id) == reads.CITY).scalar_subquery()
    local = sa.func.timezone(zone, _AVAILABLE_AT)
    seconds = sa.extract("epoch", local - sa.func.date_trunc("week", local))
    return sa.cast(sa.func.floor(seconds / 60), sa.Integer)

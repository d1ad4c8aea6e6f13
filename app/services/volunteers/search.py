"""A coordinator's search: in the order of names, by the beginnings of their words, and by what is in the file.

It begins with the terms and their sort keys, in an index of their own: where a district, a skill or the first letters
are asked for, the page stands there in its order, and only its own rows are looked at besides.
See docs/adr/0013-names-sorted-and-found.md.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.domain.names import end_of_prefix, folded
from app.domain.permissions import Role
from app.models.cities import City
from app.models.volunteers import BYTES, Volunteer, VolunteerTerm
from app.schemas.volunteers import MAX_SEARCH_WORDS, VolunteerLine, VolunteerQuery
from app.services import reads
from app.services.reads import Query
from app.services.volunteers.files import columns

_FIRST_LETTERS = 2
"""Beginnings of up to so many letters are terms of their own."""
_BEGINNINGS = [f"beginning_{place}" for place in range(MAX_SEARCH_WORDS)]
_EXACT = ["district", "skill", *(f"letters_{place}" for place in range(MAX_SEARCH_WORDS))]
_AFTER = sa.bindparam("after", type_=sa.Uuid)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_AVAILABLE_AT = sa.bindparam("available_at", type_=sa.DateTime(timezone=True))
_AMONG: dict[str, Any] = {
    "programme": Volunteer.programmes,
    "language": Volunteer.languages,
}


def values(query: VolunteerQuery) -> dict[str, object]:
    """What `lines` is asked with. The longest word comes first: it is the rarest, as a rule."""
    asked: dict[str, object] = query.model_dump(exclude={"q", "limit", "district", "skill"})
    asked |= {name: f"{name}:{value}" for name in ("district", "skill") if (value := getattr(query, name))}
    for place, word in enumerate(sorted(folded(query.q or ""), key=len, reverse=True)):
        if len(word) <= _FIRST_LETTERS:
            asked |= {f"letters_{place}": word}
        else:
            asked |= {f"beginning_{place}": word, f"beginning_{place}_end": end_of_prefix(word)}
    return asked


def lines(role: Role | None, given: frozenset[str]) -> Query:
    query = columns(role, VolunteerLine)
    name, identifier = col(Volunteer.sort_name), col(Volunteer.id)
    if terms := [term for term in (*_BEGINNINGS, *_EXACT) if term in given]:
        found = _found(terms, given)
        query = query.join(found, sa.and_(found.c.city_id == col(Volunteer.city_id), found.c.id == col(Volunteer.id)))
        name, identifier = found.c.sort_name, found.c.id
    elif "after" in given:
        query = query.where(_is_after(name, identifier))
    return _filtered(query, given).order_by(name, identifier).limit(_LIMIT)


def _found(terms: list[str], given: frozenset[str]) -> sa.Subquery:
    """Those who have all of the terms; somebody with two words that begin alike is there once."""
    first: Any = aliased(VolunteerTerm, name=terms[0])
    query: Query = sa.select(first.city_id, first.sort_name, first.id).where(
        first.city_id == reads.CITY, _fits(first, terms[0])
    )
    for term in terms[1:]:
        other: Any = aliased(VolunteerTerm, name=term)
        query = query.where(sa.exists().where(other.city_id == first.city_id, other.id == first.id, _fits(other, term)))
    if "after" in given:
        query = query.where(_is_after(first.sort_name, first.id))
    return (query if terms[0] in _EXACT else query.distinct()).subquery("found")


def _fits(row: Any, term: str) -> sa.ColumnElement[bool]:
    """A beginning is asked for as a range, so that the index serves it whatever the value will be."""
    value = sa.bindparam(term, type_=BYTES)
    if term in _EXACT:
        return row.term == value
    return sa.and_(row.term >= value, row.term < sa.bindparam(f"{term}_end", type_=BYTES))


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

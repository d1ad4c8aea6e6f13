"""A city's volunteers: names from the lists of the demonstration city, and what a coordinator looks for."""

from collections.abc import Iterator
from datetime import date
from itertools import product
from random import Random
from typing import Any

import asyncpg

from app.core.ranges import half_open
from app.domain.availability import DAY_MINUTES
from app.domain.names import name_words, sort_name
from app.domain.volunteers import Skill
from app.services.demo.words import WORDS
from bench.ids import FIRST, row_id

DISTRICTS = 8
_COLUMNS = (
    "city_id id created_at version status given_name family_name sort_name name_words birth_on phone language "
    "languages programmes districts skills availability"
)
# As the trigger of the table has it.
_FILL_TERMS = """
INSERT INTO volunteer_term (city_id, id, term, sort_name)
SELECT city_id, id, term, sort_name FROM volunteer, volunteer_terms(name_words, districts, skills) AS term
WHERE city_id = $1
"""
# Of the lists' names each comes about a hundred times among a hundred thousand: more alike than people are.
SEARCHES = {
    "one letter": "q=%D0%B0",
    "beginning of a name": "q=%D1%81%D1%83%D0%BB",
    "two words": "q=%D0%B0%D0%B9%D0%B3+%D1%81%D1%83%D0%BB",
    "name, district and skill": "q=%D0%B0%D0%B9%D0%B3&district=district-3&skill=driver&status=active",
    "district, skill and time": "district=district-3&skill=driver&available_at=2026-12-05T10:00:00Z",
}


async def fill(connection: "asyncpg.Connection[Any]", city_id: str, number: int) -> None:
    await connection.copy_records_to_table("volunteer", records=_rows(city_id, number), columns=_COLUMNS.split())
    await connection.execute(_FILL_TERMS, city_id)


def _rows(city_id: str, number: int) -> Iterator[tuple[object, ...]]:
    """Nine in ten are active, half of them on the street; most have time at the weekend."""
    dice = Random(number)  # noqa: S311 the same people each time
    weekend = half_open((day * DAY_MINUTES + 600, day * DAY_MINUTES + 1080) for day in (5, 6))
    evenings = half_open((day * DAY_MINUTES + 1080, day * DAY_MINUTES + 1260) for day in range(5))
    kinds = list(product((WORDS.kazakh, WORDS.russian), (["street"], ["online"]), (weekend, evenings, [])))
    for each in range(number):
        names, programmes, availability = dice.choice(kinds)
        given_name, family_name = names.person(dice)
        status = "applied" if each % 10 == 0 else "active"
        keys = (sort_name(family_name, given_name), name_words(family_name, given_name))
        lists = (
            ["ru"],
            programmes,
            [f"district-{dice.randrange(DISTRICTS)}"],
            dice.sample([*Skill], dice.randrange(3)),
        )
        born = date(2000 + each % 8, 1, 1)
        yield (
            *(city_id, row_id(each), FIRST, 1, status, given_name, family_name, *keys, born, f"+7{each:010}", "ru"),
            *(*lists, availability),
        )

"""Does a figure still hold? What was recorded since is told apart from what was tampered with."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from app.core.ids import new_id
from app.domain.figures import MOST_LISTED
from app.domain.metrics import Metric
from app.domain.permissions import Role
from tests.city import TestCity, declared_total
from tests.figures.published import signed
from tests.metrics.facts import entry
from tests.seals.sealing import fact, tamper


async def checked(city: TestCity, figure: dict[str, Any]) -> dict[str, Any]:
    """By staff: the public's answer may be some seconds old."""
    return (await (await city.as_(Role.MODERATOR)).get(f"/figures/{figure['id']}/check")).json()


async def test_what_nothing_was_recorded_after_holds(city: TestCity):
    await fact(city, 7)
    figure = await signed(city)
    check = (await city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}/check")).json()
    assert (check["outcome"], check["difference"], check["because"]) == ("holds", 0, [])
    assert check["signed"] == check["recomputed"]
    assert check["signed"]["digest"] == figure["digest"]


async def test_what_was_recorded_since_is_listed_by_id_and_day(city: TestCity):
    painted = entry(city, 7)
    await city.add(painted)
    figure = await signed(city)
    taken_back = await fact(city, -7, subject_id=painted.subject_id, reverses_id=painted.id)
    added = await fact(city, 5)
    await fact(city, 9, metric=Metric.SIGHTINGS)
    check = await checked(city, figure)
    assert (check["outcome"], check["difference"], check["value_now"]) == ("differs", -2, 5)
    day = {"occurred_on": "2026-03-01"}
    assert check["because"] == [
        {"id": f"{taken_back}", "amount": -7, **day},
        {"id": f"{added}", "amount": 5, **day},
    ]


async def test_the_list_is_bounded_and_the_count_is_not(city: TestCity):
    figure = await signed(city)
    await city.add(*(entry(city) for _ in range(MOST_LISTED + 1)))
    check = await checked(city, figure)
    assert (check["entries_since"], len(check["because"])) == (MOST_LISTED + 1, MOST_LISTED)


async def test_of_people_the_page_does_not_say_on_which_days_they_were_counted(city: TestCity):
    said = declared_total(metric="volunteers_street", period_from="2026-03-01", period_to="2026-03-01")
    await (await city.as_(Role.ADMIN)).post("/declared-counts", json=said)
    await city.add(*(entry(city, metric=Metric.VOLUNTEERS_STREET) for _ in range(5)))
    figure = await signed(city, metric="volunteers_street", origin="recorded")
    assert figure["overlap"] is True
    page = f"/public/{city.id}/figures/{figure['id']}"
    assert (await city.anonymous.get(page)).json()["overlap"] is None
    assert (await city.anonymous.get(f"{page}/cite.json")).json()["overlap"] is False


async def test_of_people_the_check_lists_nothing(city: TestCity):
    await city.add(*(entry(city, metric=Metric.VOLUNTEERS_STREET) for _ in range(5)))
    figure = await signed(city, metric="volunteers_street")
    await fact(city, metric=Metric.VOLUNTEERS_STREET)
    check = await checked(city, figure)
    assert (check["outcome"], check["difference"], check["because"]) == ("differs", 1, [])
    public = (await city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}/check")).json()
    assert (public["outcome"], public["signed"]["value"]) == ("differs", 5)
    kept_back = ("recomputed", "value_now", "difference", "entries_since", "because", "overlaps", "overlaps_now")
    assert [name for name in kept_back if public[name]] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount = 99 WHERE city_id = $1 AND amount = 7",
        "UPDATE ledger_entry SET subject_id = gen_random_uuid() WHERE city_id = $1 AND amount = 7",
        "DELETE FROM ledger_entry WHERE city_id = $1 AND amount = 7",
        """
        INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, subject_id, recorded_at)
        SELECT city_id, gen_random_uuid(), metric, origin, 5, occurred_on, gen_random_uuid(), recorded_at
        FROM ledger_entry WHERE city_id = $1
        """,
    ],
)
async def test_tampering_is_not_taken_for_what_was_recorded_since(app: FastAPI, city: TestCity, statement: str):
    await fact(city, 7)
    figure = await signed(city)
    await tamper(app, statement, city.id)
    await fact(city, 1)
    check = await checked(city, figure)
    assert check["outcome"] == "tampered"
    assert check["signed"]["value"] == 7
    assert check["recomputed"]["digest"] != figure["digest"]


async def test_however_many_ask_at_once_get_one_answer(city: TestCity):
    figure = await signed(city)
    asked = [city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}/check") for _ in range(20)]
    answers = [answer.json() for answer in await asyncio.gather(*asked)]
    assert len({answer["checked_at"] for answer in answers}) == 1
    assert {answer["outcome"] for answer in answers} == {"holds"}


async def test_a_check_that_failed_is_not_remembered(city: TestCity):
    figure = await signed(city)
    nowhere = f"/public/{city.id}/figures/{city.id}/check"
    assert (await city.anonymous.get(nowhere)).status_code == 422
    missing = figure["id"].translate(str.maketrans("0123", "3210"))
    for _ in range(2):
        answer = await city.anonymous.get(f"/public/{city.id}/figures/{missing}/check")
        assert answer.status_code == 404


async def test_a_figure_that_is_not_there_takes_nobodys_turn(city: TestCity):
    before = len(city.app.state.figure_checks)
    refused = await city.anonymous.get(f"/public/{city.id}/figures/{new_id()}/check")
    assert (refused.status_code, len(city.app.state.figure_checks)) == (404, before)

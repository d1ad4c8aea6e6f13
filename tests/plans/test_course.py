"""Planned against actual, in numbers: a plan of ten days, 1 to 10 April, and a target of 100."""

from datetime import date

import pytest

from app.domain.errors import Conflict
from app.domain.plans import PLAN_FLOW, Course, ItemStatus, PlanAction, PlanStatus, Standing, in_order, is_contact


def april(day: int) -> date:
    return date(2026, 4, day)


def on(today: date) -> Course:
    return Course(april(1), april(10), today)


@pytest.mark.parametrize(
    ("today", "done", "standing", "shares", "days_late"),
    [
        (date(2026, 3, 31), 0, Standing.ON_TRACK, (0, 0), 0),
        # Nothing is owed for a day that is not over.
        (april(1), 0, Standing.ON_TRACK, (0, 0), 0),
        (april(2), 9, Standing.BEHIND, (9, 10), 1),
        (april(2), 10, Standing.ON_TRACK, (10, 10), 0),
        (april(6), 20, Standing.BEHIND, (20, 50), 3),
        (april(6), 99, Standing.ON_TRACK, (99, 50), 0),
        (april(10), 89, Standing.BEHIND, (89, 90), 1),
        (april(11), 99, Standing.OVERDUE, (99, 100), 1),
        (april(30), 0, Standing.OVERDUE, (0, 100), 20),
        (april(30), 100, Standing.REACHED, (100, 100), 0),
        (april(2), 250, Standing.REACHED, (250, 10), 0),
        (april(2), -5, Standing.BEHIND, (0, 10), 1),
    ],
)
def test_a_target_is_held_against_an_even_pace(
    today: date, done: int, standing: Standing, shares: tuple[int, int], days_late: int
):
    found = on(today).of_amount(done, 100)
    assert (found.standing, (found.done_percent, found.expected_percent), found.days_late) == (
        standing,
        shares,
        days_late,
    )


def test_a_share_is_rounded_down_so_that_only_all_of_it_is_a_hundred():
    assert on(april(30)).of_amount(999, 1_000).done_percent == 99


def test_a_plan_of_one_day_and_one_that_ends_before_it_begins_are_judged_all_the_same():
    assert Course(april(1), april(1), april(1)).of_amount(0, 1).standing is Standing.ON_TRACK
    assert Course(april(5), april(1), april(3)).of_amount(0, 1).standing is Standing.OVERDUE


@pytest.mark.parametrize(
    ("status", "today", "standing", "days_late"),
    [
        (ItemStatus.NOT_STARTED, april(10), Standing.ON_TRACK, 0),
        (ItemStatus.UNDER_WAY, april(12), Standing.OVERDUE, 2),
        (ItemStatus.DONE, april(12), Standing.REACHED, 0),
    ],
)
def test_without_a_target_it_is_done_or_due(status: ItemStatus, today: date, standing: Standing, days_late: int):
    found = on(today).of_status(status)
    assert (found.standing, found.done_percent, found.days_late) == (standing, None, days_late)


def test_a_plan_goes_from_draft_to_force_to_its_end_and_never_back():
    assert PLAN_FLOW.after(PlanStatus.DRAFT, PlanAction.ADOPT) is PlanStatus.IN_FORCE
    assert PLAN_FLOW.after(PlanStatus.IN_FORCE, PlanAction.CLOSE) is PlanStatus.CLOSED
    for status, action in {(s, a) for s in PlanStatus for a in PlanAction} - PLAN_FLOW.steps.keys():
        with pytest.raises(Conflict):
            PLAN_FLOW.after(status, action)


def test_numbers_are_in_the_order_in_which_they_are_read():
    assert sorted(["1.10", "1.2", "2", "1"], key=in_order) == ["1", "1.2", "1.10", "2"]


@pytest.mark.parametrize("owner", ["aliya@example.org", "Aliya, 8 701 123 45 67", "+7(727)2345678"])
def test_how_to_reach_somebody_is_no_owner(owner: str):
    assert is_contact(owner)


@pytest.mark.parametrize("owner", ["Youth Policy", "School No. 153", "№ 12-2026 комиссия", "Police, 2nd division"])
def test_an_office_is(owner: str):
    assert not is_contact(owner)

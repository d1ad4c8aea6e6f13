"""What follows from an observation, in plain Python: the whole table, without a database."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from app.domain.observations import OBSERVED, Run, State, step, suffices
from app.domain.resources import RESOURCE_FLOW, ResourceAction, ResourceStatus

LATE = datetime(2026, 5, 4, tzinfo=UTC)
UP, DOWN, BLOCKED, REMOVED = State
BORNE_OUT = Run(2, LATE - timedelta(hours=48), LATE, was_blocked_there=True)
EXPECTED = {
    **{(status, REMOVED): ResourceAction.REMOVE for status in OBSERVED - {ResourceStatus.REMOVED}},
    **{
        (status, DOWN): ResourceAction.GO_OFFLINE
        for status in OBSERVED - {ResourceStatus.REMOVED, ResourceStatus.OFFLINE}
    },
    (ResourceStatus.BLOCK_REPORTED, BLOCKED): ResourceAction.VERIFY_BLOCK,
    (ResourceStatus.BLOCK_REPORTED, UP): ResourceAction.REAPPEAR,
    (ResourceStatus.BLOCK_VERIFIED, UP): ResourceAction.REAPPEAR,
    (ResourceStatus.REMOVED, UP): ResourceAction.REAPPEAR,
    (ResourceStatus.OFFLINE, UP): ResourceAction.REAPPEAR,
}


def follows(status: ResourceStatus, state: State, run: Run) -> ResourceAction | None:
    return step(status, state) if suffices(status, state, run) else None


def test_what_is_borne_out_leads_to_one_step_or_to_none():
    found = {pair: follows(*pair, BORNE_OUT) for pair in product(ResourceStatus, State)}
    assert {pair: action for pair, action in found.items() if action} == EXPECTED


@pytest.mark.parametrize("run", [(1, 96), (2, 47)], ids=["one network", "47 hours"])
def test_a_block_or_an_absence_takes_two_networks_and_two_days(run: tuple[int, int]):
    networks, hours = run
    seen = Run(networks, LATE - timedelta(hours=hours), LATE, was_blocked_there=True)
    assert {follows(status, state, seen) for status, state in product(OBSERVED, (DOWN, BLOCKED))} == {None}


def test_what_is_up_where_it_was_not_blocked_has_not_come_back_from_a_block():
    elsewhere = Run(1, LATE, LATE, was_blocked_there=False)
    back = {status for status in OBSERVED if follows(status, UP, elsewhere)}
    assert back == {ResourceStatus.REMOVED, ResourceStatus.OFFLINE}


def test_what_was_given_back_or_never_confirmed_is_not_observed():
    assert set(ResourceStatus) - OBSERVED == {
        ResourceStatus.REPORTED,
        ResourceStatus.IN_REVIEW,
        ResourceStatus.REJECTED,
        ResourceStatus.RESTORED,
    }


def test_nothing_that_stands_on_an_observation_is_reached_by_a_letter():
    measured = {ResourceStatus.BLOCK_VERIFIED, ResourceStatus.OFFLINE, ResourceStatus.REMOVED}
    ways = {action for (before, action), after in RESOURCE_FLOW.steps.items() if after in measured and before != after}
    assert ways == {ResourceAction.VERIFY_BLOCK, ResourceAction.GO_OFFLINE, ResourceAction.REMOVE}

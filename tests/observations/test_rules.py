"""What may follow from an observation, in plain Python: the whole table, without a database."""

from datetime import timedelta
from itertools import product

import pytest

from app.domain.observations import BLOCKED, OBSERVED, Run, State, is_enough, step
from app.domain.resources import RESOURCE_FLOW, ResourceAction, ResourceStatus

GONE = {ResourceStatus.REMOVED, ResourceStatus.OFFLINE}
EXPECTED = {
    **{(status, State.REMOVED): ResourceAction.REMOVE for status in OBSERVED - {ResourceStatus.REMOVED}},
    **{(status, State.DOWN): ResourceAction.GO_OFFLINE for status in OBSERVED - GONE},
    (ResourceStatus.BLOCK_REPORTED, State.BLOCKED): ResourceAction.VERIFY_BLOCK,
    **{(status, State.UP): ResourceAction.REAPPEAR for status in BLOCKED | GONE},
}


def test_what_each_observation_may_lead_to():
    found = {pair: step(*pair) for pair in product(ResourceStatus, State)}
    assert {pair: action for pair, action in found.items() if action} == EXPECTED


def test_a_notice_is_enough_and_so_is_what_is_up_after_it_had_gone():
    enough = {(status, state) for status, state in EXPECTED if is_enough(status, state)}
    assert enough == {
        *((status, State.REMOVED) for status in OBSERVED - {ResourceStatus.REMOVED}),
        *((status, State.UP) for status in GONE),
    }


@pytest.mark.parametrize(
    ("networks", "hours", "is_enough"), [(2, 48, True), (3, 90, True), (1, 96, False), (2, 47, False)]
)
def test_anything_else_takes_two_networks_and_two_days(networks: int, hours: int, *, is_enough: bool):
    assert Run(networks, timedelta(hours=hours)).bears_out() is is_enough


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

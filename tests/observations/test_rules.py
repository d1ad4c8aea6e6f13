"""What follows from observations, in plain Python."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.observations import OBSERVED, Seen, Standing, State, steps
from app.domain.resources import RESOURCE_FLOW, ResourceAction, ResourceStatus

EPOCH = datetime(2026, 5, 1, tzinfo=UTC)
GONE = {ResourceStatus.REMOVED, ResourceStatus.OFFLINE}
BLOCKS = {ResourceStatus.BLOCK_REPORTED, ResourceStatus.BLOCK_VERIFIED}


def seen(*observations: tuple[str, int, float]) -> list[Seen]:
    """Each a state, a network and the hours since the first of May."""
    return [
        Seen(EPOCH + timedelta(hours=hours), UUID(int=number), asn, State(state))
        for number, (state, asn, hours) in enumerate(observations)
    ]


def follows(status: ResourceStatus, observations: list[Seen], evidence_from: datetime = EPOCH) -> list[ResourceAction]:
    standing = Standing(status, EPOCH - timedelta(hours=1), evidence_from)
    return [action for action, _ in steps(standing, observations)]


def in_two_networks_over_48_hours(state: State) -> list[Seen]:
    return seen((state, 1, 0), (state, 2, 48))


def test_what_follows_from_one_observation_and_what_from_two_networks_over_two_days():
    alone = {(status, state): follows(status, seen((state, 1, 0))) for status in ResourceStatus for state in State}
    together = {pair: follows(pair[0], in_two_networks_over_48_hours(pair[1])) for pair in alone}
    enough = {
        **{(status, State.REMOVED): [ResourceAction.REMOVE] for status in OBSERVED - {ResourceStatus.REMOVED}},
        **{(status, State.UP): [ResourceAction.REAPPEAR] for status in GONE},
    }
    assert {pair: found for pair, found in alone.items() if found} == enough
    assert {pair: found for pair, found in together.items() if found} == {
        **enough,
        **{(status, State.DOWN): [ResourceAction.GO_OFFLINE] for status in OBSERVED - GONE},
        **{(status, State.UP): [ResourceAction.REAPPEAR] for status in BLOCKS},
        (ResourceStatus.BLOCK_REPORTED, State.BLOCKED): [ResourceAction.VERIFY_BLOCK],
    }


@pytest.mark.parametrize(
    "observations",
    [
        [("blocked", 1, 0), ("blocked", 1, 96)],
        [("blocked", 1, 0), ("blocked", 2, 47.9)],
        [("blocked", 1, 0), ("up", 3, 24), ("blocked", 2, 60)],
        [("blocked", 1, 0), ("up", 2, 60)],
        [("down", 1, 0), ("blocked", 2, 60)],
    ],
    ids=["one network", "too short", "up in between", "up where it was not blocked", "down is not blocked"],
)
def test_less_leaves_a_block_reported(observations: list[tuple[str, int, float]]):
    assert follows(ResourceStatus.BLOCK_REPORTED, seen(*observations)) == []


def test_a_block_is_measured_from_the_day_that_the_authority_names():
    measured = in_two_networks_over_48_hours(State.BLOCKED)
    assert follows(ResourceStatus.BLOCK_REPORTED, measured, measured[0].observed_at) == [ResourceAction.VERIFY_BLOCK]
    assert follows(ResourceStatus.BLOCK_REPORTED, measured, measured[0].observed_at + timedelta.resolution) == []


def test_what_comes_back_where_it_was_blocked_may_go_again():
    way = seen(("blocked", 1, 0), ("blocked", 2, 50), ("up", 2, 51), ("up", 1, 52), ("removed", 1, 53), ("up", 3, 54))
    assert follows(ResourceStatus.BLOCK_REPORTED, way) == [
        *(ResourceAction.VERIFY_BLOCK, ResourceAction.REAPPEAR, ResourceAction.REMOVE, ResourceAction.REAPPEAR)
    ]


OBSERVATIONS = st.lists(
    st.tuples(st.sampled_from([*State]), st.integers(1, 3), st.sampled_from([0, 1, 30, 50, 60, 100, 101])), max_size=6
)


@given(st.sampled_from(sorted(OBSERVED)), OBSERVATIONS)
def test_the_order_in_which_they_arrive_does_not_matter(
    status: ResourceStatus, observations: list[tuple[State, int, float]]
):
    made = seen(*observations)
    assert len({tuple(follows(status, list(arrived))) for arrived in permutations(made[:4])}) == 1


@given(st.sampled_from(sorted(OBSERVED)), OBSERVATIONS)
def test_what_has_settled_something_settles_nothing_again(
    status: ResourceStatus, observations: list[tuple[State, int, float]]
):
    made = seen(*observations)
    taken = list(steps(Standing(status, EPOCH - timedelta(hours=1), EPOCH), made))
    moments = [one.observed_at for _, one in taken]
    assert moments == sorted(set(moments))
    for action, _ in taken:
        status = RESOURCE_FLOW.after(status, action)
    if moments:
        known = [one for one in made if one.observed_at <= moments[-1]]
        assert list(steps(Standing(status, moments[-1], EPOCH), known)) == []


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

import pytest

from app.domain.assignments import ASSIGNMENT_FLOW
from app.domain.errors import Conflict
from app.domain.raids import RAID_FLOW, RaidAction, RaidStatus

STEPS = {
    (RaidStatus.DRAFT, RaidAction.PUBLISH): RaidStatus.OPEN,
    (RaidStatus.OPEN, RaidAction.START): RaidStatus.UNDER_WAY,
    (RaidStatus.UNDER_WAY, RaidAction.FINISH): RaidStatus.DONE,
}


@pytest.mark.parametrize(("step", "leads_to"), STEPS.items())
def test_a_raid_goes_from_draft_to_done(step, leads_to):
    assert RAID_FLOW.after(*step) is leads_to


@pytest.mark.parametrize("status", [RaidStatus.DRAFT, RaidStatus.OPEN, RaidStatus.UNDER_WAY])
def test_a_raid_that_is_not_over_can_be_cancelled(status):
    assert RAID_FLOW.after(status, RaidAction.CANCEL) is RaidStatus.CANCELLED


@pytest.mark.parametrize("action", RaidAction)
@pytest.mark.parametrize("status", [RaidStatus.DONE, RaidStatus.CANCELLED])
def test_what_is_over_stays_over(status, action):
    with pytest.raises(Conflict) as refused:
        RAID_FLOW.after(status, action)
    assert refused.value.details == {"noun": "raid", "status": status, "action": action}


def test_a_flow_refuses_what_it_does_not_list():
    for flow in (RAID_FLOW, ASSIGNMENT_FLOW):
        statuses = {status for status, _ in flow.steps}
        actions = {action for _, action in flow.steps}
        for step in {(status, action) for status in statuses for action in actions} - flow.steps.keys():
            with pytest.raises(Conflict):
                flow.after(*step)

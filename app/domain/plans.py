"""A programme plan: directions, and in them what is to be done, by which office, until when, and how much of it."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.domain.flow import Flow

MOST_DIRECTIONS = 50
MOST_ITEMS = 500
ITEM_NUMBER = r"^[1-9][0-9]{0,2}(\.[1-9][0-9]{0,2}){0,3}$"
_ITEM_NUMBER = re.compile(ITEM_NUMBER)
# An address, or more digits in a row than an office's number has.
_CONTACT = re.compile(r"@|(?:\d[\s()+-]*){7}")


class PlanStatus(StrEnum):
    DRAFT = "draft"
    IN_FORCE = "in_force"
    CLOSED = "closed"


class PlanAction(StrEnum):
    ADOPT = "adopt"
    CLOSE = "close"


PLAN_FLOW = Flow(
    "plan",
    {
        (PlanStatus.DRAFT, PlanAction.ADOPT): PlanStatus.IN_FORCE,
        (PlanStatus.IN_FORCE, PlanAction.CLOSE): PlanStatus.CLOSED,
    },
)
CHANGES_IN_FORCE = frozenset({"owner", "due_on", "target"})
"""What of an item may still be changed, with a reason that is kept: the rest is what was promised."""


class PlanLanguage(StrEnum):
    """In which its titles are written."""

    KK = "kk"
    RU = "ru"
    EN = "en"


class ItemStatus(StrEnum):
    """Of an item without a target, as a coordinator sees it."""

    NOT_STARTED = "not_started"
    UNDER_WAY = "under_way"
    DONE = "done"


class Basis(StrEnum):
    """What of a target's count an item is judged by."""

    BOTH = "both"
    """What was recorded and what was declared, together."""
    RECORDED = "recorded"
    """An office's total is of days on which facts were recorded too: only these, so that nothing counts twice."""


class Standing(StrEnum):
    """Of any item, on a day."""

    ON_TRACK = "on_track"
    BEHIND = "behind"
    """Not due yet, but less is done than an even pace would have done."""
    OVERDUE = "overdue"
    REACHED = "reached"


def is_contact(text: str) -> bool:
    """Whether an owner's name has a person's mail address or phone number in it: a plan names offices."""
    return _CONTACT.search(text) is not None


def is_item_number(text: str) -> bool:
    return _ITEM_NUMBER.fullmatch(text) is not None


def in_order(number: str) -> tuple[int, ...]:
    """1.2 before 1.10."""
    return tuple(int(part) for part in number.split("."))


@dataclass(frozen=True, slots=True)
class Progress:
    standing: Standing
    done_percent: int | None
    """Whole percent, rounded down, so that 100 is reached and nothing less; may be more than 100."""
    expected_percent: int | None
    """What an even pace from the first day to the due day would have done before today; 0 to 100."""
    days_late: int
    """Of what is overdue, days since it was due; of what is behind, days since an even pace had done as much."""


@dataclass(frozen=True, slots=True)
class Course:
    """From the first day to the due day, as seen on the day `today`, which is not over yet."""

    starts_on: date
    due_on: date
    today: date

    @property
    def days(self) -> int:
        return max((self.due_on - self.starts_on).days + 1, 1)

    @property
    def passed(self) -> int:
        """Whole days that are over; at most all."""
        return min(max((self.today - self.starts_on).days, 0), self.days)

    @property
    def days_overdue(self) -> int:
        return max((self.today - self.due_on).days, 0)

    def of_amount(self, done: int, amount: int) -> Progress:
        """Measured against its target. `amount` is 1 or more."""
        shares = (max(done, 0) * 100 // amount, self.passed * 100 // self.days)
        if done >= amount:
            return Progress(Standing.REACHED, *shares, 0)
        if self.days_overdue:
            return Progress(Standing.OVERDUE, *shares, self.days_overdue)
        behind = self.passed - max(done, 0) * self.days // amount
        if done * self.days < amount * self.passed:
            return Progress(Standing.BEHIND, *shares, behind)
        return Progress(Standing.ON_TRACK, *shares, 0)

    def of_status(self, status: ItemStatus) -> Progress:
        """Without a target there is no share: it is done, or due."""
        if status is ItemStatus.DONE:
            return Progress(Standing.REACHED, None, None, 0)
        standing = Standing.OVERDUE if self.days_overdue else Standing.ON_TRACK
        return Progress(standing, None, None, self.days_overdue)

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from app.domain.errors import Conflict

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class Flow(Generic[S, A]):
    """All the steps a noun can take; what is not listed is refused."""

    def __init__(self, noun: str, steps: Mapping[tuple[S, A], S]) -> None:
        self.noun = noun
        self.steps = dict(steps)

    def after(self, status: S, action: A) -> S:
        """The status that `action` leads to. Raises Conflict `wrong_status` for a step not listed."""
        try:
            return self.steps[status, action]
        except KeyError:
            raise Conflict("wrong_status", noun=self.noun, status=status, action=action) from None

    def allows(self, status: S, action: A) -> bool:
        return (status, action) in self.steps

    def before(self, *actions: A) -> frozenset[S]:
        """The statuses from which one of the actions can be taken."""
        return frozenset(status for status, action in self.steps if action in actions)

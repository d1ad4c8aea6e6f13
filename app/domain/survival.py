"""How long a wait lasts, where some still wait: the product-limit estimate.

E. L. Kaplan and P. Meier, Nonparametric Estimation from Incomplete Observations, J. Am. Stat. Assoc. 53 (1958).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Waits:
    """So many waits of one length in days: those that ended then, and those last seen open then (censored)."""

    days: int
    ended: int = 0
    open: int = 0


def curve(waits: Iterable[Waits]) -> Iterator[tuple[int, Fraction]]:
    """For each length at which a wait ended, in order, the estimated share of waits that are longer; exact.

    A wait that was last seen open on a day is still counted among those that could have ended on that day.
    """
    ended, left = dict[int, int](), dict[int, int]()
    for wait in waits:
        ended[wait.days] = ended.get(wait.days, 0) + wait.ended
        left[wait.days] = left.get(wait.days, 0) + wait.ended + wait.open
    waiting, share = sum(left.values()), Fraction(1)
    for days in sorted(left):
        if ended[days]:
            share *= Fraction(waiting - ended[days], waiting)
            yield days, share
        waiting -= left[days]


def median(waits: Iterable[Waits]) -> int | None:
    """Days after which half or more have ended; None where the curve does not fall to one half."""
    return next((days for days, share in curve(waits) if share <= _HALF), None)

"""Totals that offices declared: each is kept, and no day is counted twice.

Of totals for one metric whose periods overlap only the first that was entered counts, and the others wait. When it is
withdrawn, those that waited are looked at in the order in which they were entered: each that overlaps none that counts
takes its place.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from app.domain.metrics import Metric, Precision
from app.domain.records import Period

MOST = 2_000_000_000
WEB_ADDRESS = r"^https?://[^\s<>\"]{1,2040}$"
_WEB_ADDRESS = re.compile(WEB_ADDRESS)


def is_web_address(text: str) -> bool:
    """A page that may be shown as a link."""
    return _WEB_ADDRESS.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Declared:
    """That a source said: so many, on these days."""

    metric: Metric
    period: Period
    source: str
    amount: int
    precision: Precision
    published_on: date
    url: str | None
    id: UUID | None = None
    """None for one that is not kept yet."""
    edition: int = 1
    """Of what this source said of these days: one more than were withdrawn before."""
    counted: bool = False
    """The ledger has it."""
    withdrawn: bool = False

    def says_of_the_same(self, other: "Declared") -> bool:
        return (self.metric, self.period, self.source) == (other.metric, other.period, other.source)

    def collides(self, other: "Declared") -> bool:
        return self.metric is other.metric and self.period.overlaps(other.period)


class Register:
    """All declared totals of a city, in the order in which they were entered."""

    def __init__(self, known: Iterable[Declared]) -> None:
        self._all = list(known)

    def by_id(self, declared_id: UUID) -> Declared | None:
        return next((each for each in self._all if each.id == declared_id), None)

    def standing(self, said: Declared) -> Declared | None:
        """What the same source said of the same days, if it was not withdrawn."""
        return next((each for each in self._all if each.says_of_the_same(said) and not each.withdrawn), None)

    def latest(self, said: Declared) -> Declared | None:
        """What the same source said of the same days at last, also if it was withdrawn."""
        return next((each for each in reversed(self._all) if each.says_of_the_same(said)), None)

    def declare(self, said: Declared) -> Declared:
        """As it is to be kept; that nothing of the same source stands was seen to."""
        edition = 1 + sum(each.says_of_the_same(said) for each in self._all)
        kept = replace(said, edition=edition, counted=self._is_free(said))
        self._all.append(kept)
        return kept

    def withdraw(self, declared_id: UUID) -> list[Declared]:
        """Those that take its place, in the order in which they were entered."""
        self._all = [
            replace(each, withdrawn=True, counted=False) if each.id == declared_id else each for each in self._all
        ]
        return [promoted for place, each in enumerate(self._all) if (promoted := self._promoted(place, each))]

    def _promoted(self, place: int, each: Declared) -> Declared | None:
        if each.counted or each.withdrawn or not self._is_free(each):
            return None
        self._all[place] = replace(each, counted=True)
        return self._all[place]

    def _is_free(self, said: Declared) -> bool:
        return not any(each.counted and each.collides(said) for each in self._all)

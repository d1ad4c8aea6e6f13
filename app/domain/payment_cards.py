"""A payment card on which a seller takes money: named to a bank or an authority, which answers that it froze it."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import combinations

from app.domain.flow import Flow

MOST_KZT = 10_000_000_000
"""More tenge than any one card holds: beyond it somebody has slipped by some noughts."""
_DIGITS = re.compile(r"[1-9][0-9]{14,18}")
_SEPARATORS = re.compile(r"[\s-]")
_LETTERS, _GROUP = re.compile(r"[^\W\d_]+"), re.compile(r"[0-9]+")
_SHORTEST_GROUP, _MOST_GROUPS = 4, 5


class CardStatus(StrEnum):
    REPORTED = "reported"
    REFERRED = "referred"
    FROZEN = "frozen"
    REFUSED = "refused"


class CardAction(StrEnum):
    REFER = "refer"
    FREEZE = "freeze"
    REFUSE = "refuse"


PAYMENT_CARD_FLOW = Flow(
    "payment_card",
    {
        (CardStatus.REPORTED, CardAction.REFER): CardStatus.REFERRED,
        (CardStatus.REFERRED, CardAction.FREEZE): CardStatus.FROZEN,
        (CardStatus.REFERRED, CardAction.REFUSE): CardStatus.REFUSED,
    },
)


def digits_of(typed: str) -> str | None:
    """The 15 to 19 digits of a card number, typed with or without spaces and hyphens; None for what is none."""
    digits = _SEPARATORS.sub("", typed)
    return digits if _DIGITS.fullmatch(digits) and _is_sound(digits) else None


def has_card_number(text: str) -> bool:
    """Whether a card number stands in a text that is about something else: in one piece, or as cards are embossed."""
    groups = [_GROUP.findall(piece) for piece in _LETTERS.split(unicodedata.normalize("NFKC", text))]
    return any(digits_of("".join(part)) for piece in groups for part in _neighbours(piece))


def _neighbours(groups: Sequence[str]) -> Iterator[Sequence[str]]:
    """Up to five that follow each other; all but the last of four digits or more, as no date has them and no phone."""
    for first, last in combinations(range(len(groups) + 1), 2):
        part = groups[first:last]
        if len(part) <= _MOST_GROUPS and all(len(group) >= _SHORTEST_GROUP for group in part[:-1]):
            yield part


def _is_sound(digits: str) -> bool:
    """The last digit checks the others: Luhn's formula, ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0

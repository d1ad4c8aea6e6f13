"""A payment card on which a seller takes money: named to a bank or an authority, which answers that it froze it."""

import re
import unicodedata
from enum import StrEnum

from app.domain.flow import Flow

MOST_KZT = 10_000_000_000
"""More tenge than any one card holds: beyond it somebody has slipped by some noughts."""
_DIGITS = re.compile(r"[2-9][0-9]{14,18}")
_SEPARATORS = re.compile(r"[\s-]")
_NO_DIGIT = re.compile(r"[^0-9]")
_IBAN = re.compile(r"KZ[0-9]{2}(?:\s?[0-9A-Z]{4}){4}")


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
    """Whether a card number stands in a text that is about something else: in one piece, or as cards are embossed.

    Dates, prices, phones, accounts (IBAN) and the numbers of people, letters and posts are let through.
    """
    plain = _IBAN.sub("", unicodedata.normalize("NFKC", text))
    found = (match for pattern in _IN_TEXT for match in pattern.findall(plain))
    return any(_is_sound(_NO_DIGIT.sub("", match)) for match in found)


def _in_text(*groups: str) -> re.Pattern[str]:
    """Groups of digits with one or two signs between, such as a space, a dot or a dash; not as lists are written."""
    first, *others = (f"[0-9]{{{digits}}}" for digits in groups)
    rest = "".join(rf"[^\w,;()\[\]]{{1,2}}{other}" for other in others)
    # Posts of one platform are numbered from 7 on.
    return re.compile(rf"(?<![0-9])(?=[2-689]){first}{rest}(?![0-9])")


_IN_TEXT = (
    _in_text("15,19"),
    _in_text("4", "4", "4", "4"),
    _in_text("4", "4", "4", "4", "1,3"),
    _in_text("4", "6", "5"),
    _in_text("8", "8"),
    _in_text("4", "12"),
)


def _is_sound(digits: str) -> bool:
    """The last digit checks the others: Luhn's formula, ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0

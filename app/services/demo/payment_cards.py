"""Payment cards that sellers of the demonstration city took money on.

No real card has such a number: it begins with 000000, and what it would be compared by is thrown with dice.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random

from app.domain.payment_cards import CardStatus
from app.models.payment_cards import PaymentCard
from app.models.resources import Resource
from app.services.demo.almanac import Almanac
from app.services.demo.people import MODERATOR, SECOND_MODERATOR, People

CARDS = {CardStatus.FROZEN: 214, CardStatus.REFUSED: 38, CardStatus.REFERRED: 46, CardStatus.REPORTED: 22}
SUSPENDED_KZT = (2_000, 900_000)
_BANKS = ("Demo bank A (made up)", "Demo bank B (made up)", "Demo bank C (made up)")
_LONG_AGO, _OF_LATE = slice(0, -40), slice(-40, -12)
"""Of the days of the year: an answer takes up to 25 days after a letter that takes up to 12."""
_SEEN_ON_RESOURCE, _BANK_KNOWN, _SUM_TOLD = 0.6, 0.8, 0.85


def invent(almanac: Almanac, people: People, resources: Sequence[Resource]) -> list[PaymentCard]:
    dice = almanac.dice("payment cards")
    moderators = [people.staff(MODERATOR).id, people.staff(SECOND_MODERATOR).id]
    in_order = sorted(resources, key=lambda resource: resource.created_at)
    made: list[PaymentCard] = []
    for number, (status, day) in enumerate(_reports(almanac, dice)):
        at = almanac.by_day(dice, day)
        found = bisect_left(in_order, at, key=lambda resource: resource.created_at)
        bank = dice.choice(_BANKS)
        card = PaymentCard(
            **almanac.new(dice, at),
            number_digest=dice.randbytes(32),
            first_six="000000",
            last_four=f"{number:04}",
            bank=bank if dice.random() < _BANK_KNOWN else None,
            resource_id=in_order[dice.randrange(found)].id if dice.random() < _SEEN_ON_RESOURCE and found else None,
            reported_by=dice.choice(moderators),
        )
        if status is not CardStatus.REPORTED:
            _refer(dice, card, bank, day, number)
        if status in {CardStatus.FROZEN, CardStatus.REFUSED}:
            _answer(dice, card, status)
        made.append(card)
    return made


def _reports(almanac: Almanac, dice: Random) -> Iterator[tuple[CardStatus, date]]:
    for status, count in CARDS.items():
        is_answered = status in {CardStatus.FROZEN, CardStatus.REFUSED}
        days = almanac.days[_LONG_AGO if is_answered else _OF_LATE]
        yield from ((status, dice.choice(days)) for _ in range(count))


def _refer(dice: Random, card: PaymentCard, bank: str, reported_on: date, number: int) -> None:
    card.status, card.version = CardStatus.REFERRED, 2
    card.authority = bank
    card.referred_on = reported_on + timedelta(days=dice.randint(1, 12))
    card.outgoing_number = f"DEMO-C-{card.referred_on.year}/{number + 1:03}"


def _answer(dice: Random, card: PaymentCard, status: CardStatus) -> None:
    assert card.referred_on
    answered_on = card.referred_on + timedelta(days=dice.randint(2, 25))
    card.status, card.version = status, 3
    if status is CardStatus.REFUSED:
        card.refused_on = answered_on
        return
    card.frozen_on = answered_on
    card.amount_kzt = round(dice.uniform(*SUSPENDED_KZT)) if dice.random() < _SUM_TOLD else None

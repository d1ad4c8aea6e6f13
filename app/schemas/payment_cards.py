from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.domain.payment_cards import MOST_KZT, CardStatus, digits_of
from app.schemas.base import Count, Day, In, Moment, NewId, Note, Out, PageQuery, Text


def _digits(typed: str) -> str:
    digits = digits_of(typed)
    if digits is None:
        raise PydanticCustomError("not_a_card_number", "15 to 19 digits, the last of which checks the others")
    return digits


CardNumber = Annotated[
    Text,
    Field(
        # What is printed while looking for a fault must not have it.
        repr=False,
        max_length=40,
        description="Digits, perhaps with spaces and hyphens; compared, never kept and never answered",
        json_schema_extra={"writeOnly": True},
        examples=["4111 1111 1111 1111"],
    ),
    AfterValidator(_digits),
]
Name = Annotated[Note, Field(max_length=200)]


class PaymentCardReport(NewId):
    number: CardNumber
    bank: Annotated[Name, Field(examples=["Example Bank"])] | None = None
    resource_id: Annotated[UUID | None, Field(description="The site, channel or account where it was seen")] = None


class CardReferral(In):
    """That the card was named to a bank or an authority, in a letter with this number."""

    authority: Annotated[Name, Field(examples=["Ministry of Internal Affairs"])]
    outgoing_number: Annotated[Note, Field(max_length=64, examples=["02-14/318"])]
    referred_on: Annotated[Day, Field(examples=["2026-05-04"])]


class CardFreezing(In):
    frozen_on: Annotated[Day, Field(examples=["2026-05-11"])]
    amount_kzt: Annotated[
        Annotated[Count, Field(ge=1, le=MOST_KZT)] | None,
        Field(description="Whole tenge on the card; null where the bank does not say", examples=[245_000]),
    ]


class CardRefusal(In):
    refused_on: Annotated[Day, Field(examples=["2026-05-11"])]


class PaymentCardRead(Out):
    id: UUID
    version: int
    status: CardStatus
    first_six: Annotated[str, Field(description="Which bank issued it", examples=["411111"])]
    last_four: Annotated[str, Field(examples=["1111"])]
    bank: str | None
    resource_id: UUID | None
    authority: str | None
    outgoing_number: str | None
    referred_on: Day | None
    frozen_on: Day | None
    amount_kzt: int | None
    refused_on: Day | None
    created_at: Moment


class PaymentCardPage(Out):
    items: list[PaymentCardRead]
    next: UUID | None


class PaymentCardQuery(PageQuery):
    status: CardStatus | None = None

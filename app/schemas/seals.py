from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.base import Moment, Out

Hex = Annotated[
    str,
    Field(
        pattern="^[0-9a-f]{64}$",
        description="SHA-256, in hexadecimal",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]
# As it is hashed: always UTC, always six digits.
_MOMENT_TEXT = Annotated[str, Field(examples=["2026-03-01T04:05:06.000000Z"])]


class SealRead(Out):
    """One closed batch of the ledger, chained to the one before."""

    id: UUID
    number: Annotated[int, Field(description="From 1, without gaps")]
    entries: int
    root: Annotated[Hex, Field(description="Of the Merkle tree (RFC 6962) over the entries")]
    previous: Annotated[Hex | None, Field(description="Digest of the seal before; null for the first")]
    complete_until: Annotated[
        Moment | None,
        Field(description="What was recorded up to then is in this seal or an earlier one; null: not known yet"),
    ]
    sealed_at: Moment
    digest: Annotated[Hex, Field(description="Of everything above but the id, and of the city; see docs/seals.md")]


class SealPage(Out):
    items: list[SealRead]
    next: UUID | None


class SealText(Out):
    """What a seal's digest is computed from, written as it is hashed, and the digest itself."""

    city_id: str
    number: int
    entries: int
    root: Hex
    previous: Hex | None
    complete_until: _MOMENT_TEXT | None
    sealed_at: _MOMENT_TEXT
    digest: Hex

"""A seal closes a batch of the ledger: the root of a Merkle tree over its entries, chained to the seal before.

Trees and proofs are those of RFC 6962, section 2.1, with SHA-256.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from app.domain.ledger import canonical_json, moment_text

MOST_ENTRIES = 10_000
"""Of one seal; what is left goes into the next."""
EVERY = timedelta(hours=1)
"""So old is a city's newest seal at least when the job makes the next one."""


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree's root; of no leaves the hash of nothing."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else sha256().digest()


def path(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """The inclusion proof of the leaf at `position`, from 0: the hashes beside its way up, lowest first."""
    level, beside = list(leaves), list[bytes]()
    while len(level) > 1:
        neighbour = position ^ 1
        if neighbour < len(level):
            beside.append(level[neighbour])
        level, position = _above(level), position // 2
    return beside


def _above(level: list[bytes]) -> list[bytes]:
    """Pairs become nodes. A last one without a neighbour goes up as it is, which gives the RFC's unbalanced tree."""
    nodes = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return [*nodes, *level[2 * len(nodes) :]]


@dataclass(frozen=True, slots=True)
class SealText:
    """What a seal says, and its digest covers."""

    city_id: str
    number: int
    entries: int
    root: bytes
    previous: bytes | None
    """The digest of the city's seal before; None for the first."""
    complete_until: datetime | None
    """Whatever was recorded up to this moment is in this seal or in an earlier one; None while that is not known."""
    sealed_at: datetime

    def digest(self) -> bytes:
        return sha256(canonical_json(self.members())).digest()

    def members(self) -> dict[str, str | int | None]:
        """As it is hashed: hashes in hexadecimal, moments in UTC to the microsecond."""
        return {
            "city_id": self.city_id,
            "complete_until": moment_text(self.complete_until) if self.complete_until else None,
            "entries": self.entries,
            "number": self.number,
            "previous": self.previous.hex() if self.previous else None,
            "root": self.root.hex(),
            "sealed_at": moment_text(self.sealed_at),
        }

"""Merkle trees and canonical bytes, against RFC 6962 itself."""

from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.ledger import SUBJECTS, Entry
from app.domain.metrics import Metric, Origin
from app.domain.seals import SealText, leaf_hash, node_hash, path, root

LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def defined_root(entries: list[bytes]) -> bytes:
    """MTH as section 2.1 writes it down: the left half is the largest power of two below n."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    half = 1 << (len(entries) - 1).bit_length() - 1
    return sha256(b"\x01" + defined_root(entries[:half]) + defined_root(entries[half:])).digest()


def defined_path(position: int, entries: list[bytes]) -> list[bytes]:
    """PATH as section 2.1.1 writes it down."""
    if len(entries) == 1:
        return []
    half = 1 << (len(entries) - 1).bit_length() - 1
    if position < half:
        return [*defined_path(position, entries[:half]), defined_root(entries[half:])]
    return [*defined_path(position - half, entries[half:]), defined_root(entries[:half])]


# The example of section 2.1.3, a tree of seven: a = MTH({d0}) … j = MTH({d6}), and what the RFC names around them.
SEVEN = [bytes([n]) for n in range(7)]
A, B, C, D, E, F, J = map(leaf_hash, SEVEN)
G, H, I = node_hash(A, B), node_hash(C, D), node_hash(E, F)  # noqa: E741 the RFC's own letters
K, L = node_hash(G, H), node_hash(I, J)


@pytest.mark.parametrize(("position", "beside"), [(0, [B, H, L]), (3, [C, G, L]), (4, [F, J, K]), (6, [I, K])])
def test_the_rfcs_tree_of_seven_has_the_rfcs_paths(position: int, beside: list[bytes]):
    leaves = [A, B, C, D, E, F, J]
    assert root(leaves) == node_hash(K, L)
    assert path(leaves, position) == beside


def test_the_smallest_trees_have_their_known_hashes():
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root([leaf_hash(b"")]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@given(LEAVES, st.data())
@settings(max_examples=60, deadline=None)
def test_any_tree_and_any_path_is_the_rfcs(entries: list[bytes], data: st.DataObject):
    leaves = [leaf_hash(entry) for entry in entries]
    position = data.draw(st.integers(0, len(entries) - 1))
    assert root(leaves) == defined_root(entries)
    assert path(leaves, position) == defined_path(position, entries)


ENTRY = Entry(
    amount=-7,
    city_id="almaty",
    district_id=None,
    id=UUID(int=1),
    metric=Metric.GRAFFITI_PAINTED,
    occurred_on=date(2026, 3, 1),
    origin=Origin.RECORDED,
    recorded_at=datetime(2026, 3, 1, 9, 5, 6, tzinfo=timezone(timedelta(hours=5))),
    recorded_by=None,
    reverses_id=UUID(int=2),
    subject_id=UUID(int=3),
)


def test_an_entry_has_these_bytes_for_ever():
    assert ENTRY.canonical() == (
        b'{"amount":-7,"city_id":"almaty","district_id":null,"id":"00000000-0000-0000-0000-000000000001",'
        b'"metric":"graffiti_painted","occurred_on":"2026-03-01","origin":"recorded",'
        b'"recorded_at":"2026-03-01T04:05:06.000000Z","recorded_by":null,'
        b'"reverses_id":"00000000-0000-0000-0000-000000000002","subject_id":"00000000-0000-0000-0000-000000000003"}'
    )
    assert ENTRY._replace(district_id="Алатау").canonical().decode().count("Алатау") == 1


def test_a_seals_digest_covers_all_that_it_says():
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    seal = SealText("almaty", 2, 7, root([A]), leaf_hash(b"1"), moment, moment)
    others = [
        SealText("astana", 2, 7, root([A]), leaf_hash(b"1"), moment, moment),
        SealText("almaty", 3, 7, root([A]), leaf_hash(b"1"), moment, moment),
        SealText("almaty", 2, 8, root([A]), leaf_hash(b"1"), moment, moment),
        SealText("almaty", 2, 7, root([B]), leaf_hash(b"1"), moment, moment),
        SealText("almaty", 2, 7, root([A]), None, moment, moment),
        SealText("almaty", 2, 7, root([A]), leaf_hash(b"1"), None, moment),
        SealText("almaty", 2, 7, root([A]), leaf_hash(b"1"), moment, moment + timedelta(microseconds=1)),
    ]
    assert len({seal.digest(), *(other.digest() for other in others)}) == 8


def test_every_metric_says_what_its_subject_is():
    assert set(SUBJECTS) == set(Metric)

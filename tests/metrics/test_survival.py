"""Kaplan-Meier against examples worked out by hand, and against what must hold of every curve."""

from fractions import Fraction
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.survival import Waits, curve, median

WAITS = st.lists(st.builds(Waits, st.integers(0, 50), st.integers(0, 5), st.integers(0, 5)), max_size=20)
# Ten waits: ended after 6 (three), 7, 10, 13 and 16 days; last seen open after 6, 9 and 10.
BY_HAND = [
    *(Waits(6, ended=3, open=1), Waits(7, ended=1), Waits(9, open=1)),
    *(Waits(10, ended=1, open=1), Waits(13, ended=1), Waits(16, ended=1)),
]


def test_the_curve_is_the_one_worked_out_by_hand():
    assert list(curve(BY_HAND)) == [
        (6, Fraction(7, 10)),  # 7 of 10 last longer
        (7, Fraction(7, 12)),  # 5 of 6
        (10, Fraction(7, 16)),  # 3 of 4: the one last seen open after 9 is no longer waited for
        (13, Fraction(7, 32)),  # 1 of 2
        (16, Fraction(0)),
    ]
    assert median(BY_HAND) == 10


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ([], None),
        ([Waits(3, open=9)], None),
        ([Waits(3, ended=1)], 3),
        ([Waits(0, ended=1)], 0),
        ([Waits(2, ended=1), Waits(4, ended=1)], 2),
        ([Waits(1, ended=4), Waits(30, open=5)], None),
        ([Waits(1, ended=5), Waits(30, open=5)], 1),
        # Without those that still wait it would be 1: they are what makes it longer.
        ([Waits(1, ended=2), Waits(5, ended=1, open=2), Waits(8, ended=1, open=1)], 8),
    ],
)
def test_the_median_is_where_the_curve_has_fallen_to_one_half(waits: list[Waits], expected: int | None):
    assert median(waits) == expected


@given(WAITS)
def test_the_curve_falls_from_one_and_never_below_zero(waits: list[Waits]):
    shares = [share for _, share in curve(waits)]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share < 1 for share in shares)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40))
def test_where_nobody_waits_any_more_it_is_the_plain_lower_median(days: list[int]):
    assert median(Waits(each, ended=1) for each in days) == median_low(days)


@given(WAITS, st.integers(0, 50))
def test_one_more_who_still_waits_never_makes_it_shorter(waits: list[Waits], days: int):
    before, after = median(waits), median([*waits, Waits(days, open=1)])
    assert after is None or (before is not None and before <= after)


@given(WAITS)
def test_neither_the_order_nor_the_grouping_matters(waits: list[Waits]):
    apart = [Waits(wait.days, ended=1) for wait in waits for _ in range(wait.ended)]
    apart += [Waits(wait.days, open=1) for wait in waits for _ in range(wait.open)]
    assert list(curve(apart)) == list(curve(reversed(waits))) == list(curve(waits))

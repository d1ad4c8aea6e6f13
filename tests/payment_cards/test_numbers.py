import pytest

from app.domain.payment_cards import digits_of, has_card_number


@pytest.mark.parametrize("typed", ["4111111111111111", "4111 1111-1111 1111", " 4111\u00a01111 1111 1111\t"])
def test_spaces_and_hyphens_do_not_matter(typed: str):
    assert digits_of(typed) == "4111111111111111"


@pytest.mark.parametrize("typed", ["378282246310005", "6304950600000000007"])
def test_a_number_has_15_to_19_digits(typed: str):
    assert digits_of(typed) == typed


@pytest.mark.parametrize(
    "typed",
    [
        "4111111111111112",
        "1411111111111111",
        "18",
        "63049506000000",
        "63049506000000000000",
        "4111 1111 1111 1111 x",
        "4111.1111.1111.1111",
        "٤١١١١١١١١١١١١١١١",
        "",
    ],
)
def test_what_is_no_card_number_is_none(typed: str):
    assert digits_of(typed) is None


def test_a_card_number_within_a_text_is_found():
    assert has_card_number("card 4111 1111 1111 1111, branch 7")
    assert not has_card_number("02-14/318 of 2026-05-04, branch 4111 1111 1111 1112")

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
        "0000000000000000",
        "63049506000000000000",
        "4111 1111 1111 1111 x",
        "4111.1111.1111.1111",
        "٤١١١١١١١١١١١١١١١",
        "",
    ],
)
def test_what_is_no_card_number_is_none(typed: str):
    assert digits_of(typed) is None


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1111, branch 7",
        "5 4111 1111 1111 1111",
        "318 4111111111111111",
        "No4111111111111111 8",
        "4111  1111  1111  1111",
        "4111.1111/1111–1111",
        "4111. 1111. 1111. 1111",
        "41111111 11111111",
        "４１１１ １１１１ １１１１ １１１１",
        "3782 822463 10005 or 6304 9506 0000 0000 007",
    ],
)
def test_a_card_number_within_a_text_is_found(text: str):
    assert has_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "02-14/318 of 2026-05-04, branch 4111 1111 1111 1112",
        "2026-05-04 12:30 +7 701 123 45 67",
        "+77011234567, +77011234568",
        "4111 1111 and 1111 1111",
        "2022, 2023, 2024, 2025, 2026",
        "4000, 2000, 3000, 5008",
        "KZ86 1111 1111 1111 1111",
        "vm.example/7111111111111111112",
        "1784 1111 1111 1111",
        "0000 0000 0000 0000",
    ],
)
def test_other_numbers_may_stand_in_a_text(text: str):
    assert not has_card_number(text)

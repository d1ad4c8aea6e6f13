"""How names are sorted and found, as rules; through HTTP in test_search.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.names import KAZAKH_ALPHABET, end_of_prefix, folded, name_words, sort_name

LETTERS = KAZAKH_ALPHABET + KAZAKH_ALPHABET.upper() + "abchkmoptxyzABCHKMOPTXYZ"
names = st.text(st.sampled_from(LETTERS + " -'"), max_size=12) | st.text(max_size=12)


def in_order(*family_names: str) -> bool:
    """Whether the keys put them in this order, however they stood before, by bytes as PostgreSQL compares them."""
    backwards = reversed(family_names)
    return sorted(backwards, key=lambda name: sort_name(name, "").encode()) == [*family_names]


def test_the_alphabet_is_the_kazakh_one_with_latin_after_it():
    assert in_order(*KAZAKH_ALPHABET.upper(), *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.mark.parametrize(
    "family_names",
    [
        ("Абай", "Абайұлы", "Әбдіров", "Бекова"),
        ("Ким", "Ким Ли", "Кимов"),
        ("Есімов", "Ёлкин", "Жаров"),
        ("Ығыс", "Іңкәр", "Эмиль"),
        ("Кузнецов", "Күмісбек", "Қайрат"),
        ("Яров", "Abdi", "Zhan"),
        ("7 Сұлу", "Абай"),
    ],
)
def test_names_stand_as_in_a_kazakh_telephone_book(family_names: tuple[str, ...]):
    assert in_order(*family_names)


def test_the_family_name_decides_before_the_given_name():
    people = [("Ким", "Яна"), ("Кимова", "Анна"), ("Кимова", "Яна")]
    assert sorted(people, key=lambda person: sort_name(*person)) == people


@pytest.mark.parametrize(
    ("one", "other"),
    [("САЯ", "Сая"), ("José", "Jose"), ("Ким-Ли", "Ким Ли"), ("О’Нил", "О'Нил"), ("ﬁn", "fin"), ("Işık", "Isik")],
)
def test_case_accents_and_punctuation_do_not_order(one: str, other: str):
    assert sort_name(one, "") == sort_name(other, "")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("семенов", "Семёнов"),
        ("эсем", "Эсем"),
        ("асем", "Әсем"),
        ("шынгыс", "Шыңғыс"),
        ("нурсултан", "Нұрсұлтан"),
        ("динмухамед", "Дінмұхамед"),
        ("карлыгаш", "Қарлығаш"),
        ("умбетов", "Үмбетов"),
        ("толеген", "Төлеген"),
        ("аигерим", "Айгерім"),
        ("capa", "Сара"),
        ("Cергей", "Сергей"),
        ("Hурлан", "Нурлан"),
        ("AHHA", "AHHA"),
        ("НAТАЛЬЯ", "Наталья"),
        ("жаһан", "Жахан"),
        ("Игорь", "Игор"),
        ("JOSÉ", "Jose"),
    ],
)
def test_a_name_is_found_however_it_is_typed(typed: str, stored: str):
    assert folded(typed) == folded(stored)
    assert len(folded(typed)) == 1


def test_each_part_of_a_double_name_is_a_word_and_an_apostrophe_ends_none():
    assert name_words("Иванова-Ким", "Анна Мария") == ["иванова", "ким", "анна", "мария"]
    assert folded("О'Нил") == ["онил"]
    assert name_words("Али", "Әли") == ["али"]


@given(names)
@settings(max_examples=300)
def test_folding_twice_is_folding_once(text: str):
    once = folded(text)
    assert folded(" ".join(once)) == once


@given(names, names, names, names)
@settings(max_examples=300)
def test_the_order_does_not_depend_on_python_or_postgresql(one: str, first: str, other: str, second: str):
    keys = sort_name(one, first), sort_name(other, second)
    assert (keys[0] < keys[1]) == (keys[0].encode() < keys[1].encode())
    assert "\0" not in "".join(keys)


@given(st.text(st.sampled_from(KAZAKH_ALPHABET), min_size=1, max_size=8), st.integers(1, 8))
def test_a_word_is_found_by_each_of_its_beginnings(word: str, length: int):
    for stored in folded(word):
        typed = stored[:length]
        assert typed <= stored < end_of_prefix(typed)

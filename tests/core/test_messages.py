"""What is said to people: every code in three languages, with the same details, and no status or action unnamed."""

import ast
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from string import Formatter

import pytest

from app import messages
from app.domain.assignments import AssignmentAction, AssignmentStatus
from app.domain.figures import FigureAction, FigureStatus
from app.domain.funnel import FunnelStep
from app.domain.payment_cards import CardAction, CardStatus
from app.domain.plans import ItemStatus, PlanAction, PlanStatus, Standing
from app.domain.raids import RaidAction, RaidStatus, StopOutcome
from app.domain.referrals import ReferralAction, ReferralStatus
from app.domain.resources import ResourceAction, ResourceStatus
from app.domain.spots import SpotAction, SpotStatus
from app.domain.volunteers import Skill, VolunteerAction, VolunteerStatus
from app.messages import CATALOGUE, preferred_language

APP = Path(messages.__file__).parent
SPOKEN: list[type[StrEnum]] = [
    AssignmentAction,
    AssignmentStatus,
    CardAction,
    CardStatus,
    FigureAction,
    FigureStatus,
    FunnelStep,
    ItemStatus,
    PlanAction,
    PlanStatus,
    RaidAction,
    RaidStatus,
    ReferralAction,
    ReferralStatus,
    ResourceAction,
    ResourceStatus,
    Skill,
    SpotAction,
    SpotStatus,
    Standing,
    StopOutcome,
    VolunteerAction,
    VolunteerStatus,
]
ENTRIES = {
    (section, code): CATALOGUE[section][code]
    for section in ("problems", "faults", "columns", "words", "citations")
    for code in CATALOGUE[section]
}


def test_each_wording_stands_in_three_languages_with_the_same_details():
    for entry, wordings in ENTRIES.items():
        assert set(wordings) == {"kk", "ru", "en"}, entry
        assert all(text == text.strip() != "" for text in wordings.values()), entry
        assert len({frozenset(placeholders(text)) for text in wordings.values()}) == 1, entry


def test_a_sentence_is_in_its_own_language():
    for entry in (entry for entry in ENTRIES if entry[0] in {"problems", "faults"}):
        kazakh, russian, english = (ENTRIES[entry][language] for language in ("kk", "ru", "en"))
        assert len({kazakh, russian, english}) == 3, entry
        assert any("а" <= letter <= "я" for letter in russian.lower()), entry
        assert not any("а" <= letter <= "я" for letter in english.lower()), entry


@pytest.mark.parametrize("enum", SPOKEN, ids=lambda enum: enum.__name__)
def test_every_status_and_action_has_words(enum: type[StrEnum]):
    assert {member.value for member in enum} <= CATALOGUE["words"].keys()


def test_every_code_that_is_raised_has_words():
    assert raised("Conflict", "Forbidden", "Unauthenticated") <= CATALOGUE["problems"].keys()
    assert raised("Fault", "PydanticCustomError") <= CATALOGUE["faults"].keys()
    assert raised("NotFound") <= CATALOGUE["words"].keys()


def placeholders(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name]


def raised(*names: str) -> set[str]:
    """The literal first argument of each call of these names in app/."""
    calls = (call for path in APP.rglob("*.py") for call in _calls(path))
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in names
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def _calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("kk", "kk"),
        ("kk-KZ", "kk"),
        ("KK-kz", "kk"),
        ("ru-RU,ru;q=0.9,kk;q=0.8", "ru"),
        ("ru;q=0.5,kk;q=0.8", "kk"),
        ("ru;q=0,en", "en"),
        ("ru;q=0", "en"),
        ("de,fr;q=0.9,ru;q=0.1", "ru"),
        ("kk_KZ", "en"),
        ("ru;q=nan", "en"),
        ("ru;q=-1", "en"),
        ("ru;level=1", "en"),
        (",,,;;;=q", "en"),
        ("*", "en"),
        ("de," * 20 + "ru", "en"),
        ("\x00kk", "en"),
    ],
)
def test_the_language_is_the_one_preferred(header: str, language: str):
    assert preferred_language(header) == language

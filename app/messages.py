"""The words for people, from messages.toml, in the language that the request prefers."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.domain.metrics import Metric

LANGUAGES = ("kk", "ru", "en")
DEFAULT = "en"

# Details that are nouns, statuses or actions of the domain; anything else is said as it is.
_NAMED = frozenset({"noun", "status", "action", "precision"})
CATALOGUE: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


@lru_cache(maxsize=256)
def preferred_language(accept_language: str) -> str:
    """The first of kk, ru, en that the header (RFC 9110) puts highest; English if it names none of them."""
    ranked = sorted((_ranked(part) for part in accept_language.lower().split(",")[:20]), key=lambda rank: -rank[0])
    return next((tag for quality, tag in ranked if tag in LANGUAGES and quality > 0), DEFAULT)


def _ranked(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    try:
        quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
    except ValueError:
        quality = 0.0
    return quality, tag.strip().split("-")[0]


def metrics_by_name() -> dict[str, Metric]:
    """Each metric by its code and by its name in every language, casefolded: as people write it in a table."""
    return {
        name.casefold(): metric
        for metric in Metric
        for name in (metric.value, *CATALOGUE["metrics"][metric]["name"].values())
    }


def title(status: int, language: str) -> str:
    return CATALOGUE["titles"][str(status)][language]


def problem(code: str, language: str, details: dict[str, str | int]) -> str:
    return _say("problems", code, language, details)


def fault(code: str, language: str, details: dict[str, str | int]) -> str:
    return _say("faults", code, language, details)


def _say(section: str, code: str, language: str, details: dict[str, str | int]) -> str:
    words = {name: word(str(value), language) if name in _NAMED else value for name, value in details.items()}
    return CATALOGUE[section][code][language].format_map(words)


def column(code: str, language: str) -> str:
    """The heading of a table's column."""
    return CATALOGUE["columns"][code][language]


def metric(name: str, language: str) -> str:
    return CATALOGUE["metrics"][name]["name"][language]


def word(name: str, language: str) -> str:
    """A status, action or noun of the domain in words; anything else as it is."""
    known = CATALOGUE["words"].get(name)
    return known[language] if known else name

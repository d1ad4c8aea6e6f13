"""The lists in app/data/demo.json."""

from importlib.resources import files
from random import Random

from app.schemas.base import In


class Names(In):
    given_female: tuple[str, ...]
    given_male: tuple[str, ...]
    family: tuple[str, ...]
    """Such as women take with a closing а."""

    def person(self, dice: Random) -> tuple[str, str]:
        """Given name and family name."""
        given, ending = dice.choice(((self.given_male, ""), (self.given_female, "а")))
        return dice.choice(given), dice.choice(self.family) + ending


class Words(In):
    note: str
    kazakh: Names
    russian: Names
    raid_titles: tuple[str, ...]
    meeting_points: tuple[str, ...]
    cancel_reasons: tuple[str, ...]
    surfaces: tuple[str, ...]
    sighting_notes: tuple[str, ...]
    rejection_reasons: tuple[str, ...]
    dismiss_reasons: tuple[str, ...]
    dispute_reasons: tuple[str, ...]
    merge_reasons: tuple[str, ...]
    stop_notes: tuple[str, ...]


WORDS = Words.model_validate_json((files("app") / "data" / "demo.json").read_bytes())

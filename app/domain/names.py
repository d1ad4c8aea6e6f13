"""How people's names are sorted and found. See docs/adr/0013-names-sorted-and-found.md.

Both keys are made from the name and say as much of a person as the name does: they are never shown or logged.
"""

import re
import unicodedata
from collections.abc import Iterator

KAZAKH_ALPHABET = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"
"""All 42 letters of Kazakh Cyrillic; the 33 of Russian stand in it in their own order."""
SORT_NAME_MAX = 240
WORD_MAX = 64
"""Characters; what is longer is cut, and names that differ later are as good as equal."""

_RANKED = "0123456789" + KAZAKH_ALPHABET + "abcdefghijklmnopqrstuvwxyz"
# One ASCII character each, in order, so that PostgreSQL may compare bytes (COLLATE "C").
_RANKS = {letter: chr(ord("0") + place) for place, letter in enumerate(_RANKED)}
_FAMILY_ENDS, _WORD_ENDS, _OTHER_SCRIPT = " ", "!", "~"
# Letters of neighbours that Unicode does not take apart.
_NEAREST = {"ı": "i", "ҳ": "х", "ҷ": "ч", "є": "е"}
_APOSTROPHES = dict.fromkeys(map(ord, "'`’ʼʻ´"))
# After accents are gone (ё is е by then, й is и, ї is і): Kazakh letters as they are written without a Kazakh
# keyboard, and Latin letters as they look among Cyrillic ones.
_TWINS = str.maketrans(
    "әғқңөұүһі" + "ҳҷє" + "abcehikmoptxyı",
    "агкноуухи" + "хче" + "авсехикмортхуи",
    "ъь",
)
_WORD = re.compile(r"\w+")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")


def sort_name(family_name: str, given_name: str) -> str:
    """A key whose order by bytes is the alphabet's: family name first, then given name; Latin after Cyrillic.

    Names that differ only in case, accents or punctuation have the same key.
    """
    return f"{_ranked(family_name)}{_FAMILY_ENDS}{_ranked(given_name)}"[:SORT_NAME_MAX]


def name_words(family_name: str, given_name: str) -> list[str]:
    """What the name is found by, each word once."""
    return list(dict.fromkeys((*folded(family_name), *folded(given_name))))


def folded(text: str) -> list[str]:
    """The words of a name, or of a search for one, alike however they were typed.

    Without case and accents, Kazakh letters as their Russian twins, Latin letters as the Cyrillic ones they look like.
    """
    text = _WORD.sub(_cyrillic_capital, text.translate(_APOSTROPHES))
    plain = "".join(char for char in _caseless(text) if not unicodedata.combining(char))
    words = "".join(char if char.isalnum() else " " for char in plain.translate(_TWINS)).split()
    return [word[:WORD_MAX] for word in words]


def end_of_prefix(word: str) -> str:
    """Every word that begins with `word`, and no other, is from it on and less than this, by bytes of UTF-8."""
    return word + "\U0010ffff"


def _cyrillic_capital(word: re.Match[str]) -> str:
    # Among Cyrillic letters a Latin H is an Н; its small letter looks like һ, and no case can be told afterwards.
    return word[0].replace("H", "Н") if _CYRILLIC.search(word[0]) else word[0]


def _ranked(name: str) -> str:
    name = unicodedata.normalize("NFC", name.translate(_APOSTROPHES).casefold())
    ranks = (_rank(char) if char.isalnum() or unicodedata.combining(char) else " " for char in name)
    return _WORD_ENDS.join("".join(ranks).split())


def _rank(char: str) -> str:
    """Of one letter; of one with an accent that the alphabet does not know, that of the letter beneath."""
    if char in _RANKS:
        return _RANKS[char]
    return "".join(_ranks_beneath(char))


def _ranks_beneath(char: str) -> Iterator[str]:
    for part in _caseless(char):
        letter = _NEAREST.get(part, part)
        if letter in _RANKS:
            yield _RANKS[letter]
        elif letter.isalnum():
            yield _OTHER_SCRIPT + letter


def _caseless(text: str) -> str:
    """Compatibility caseless matching (Unicode 16, section 3.13, D146)."""
    once = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKD", once.casefold())

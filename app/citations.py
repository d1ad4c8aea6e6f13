"""A figure in the form in which it is quoted: a sentence in three languages, and a badge for a web page."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from app import messages
from app.schemas.figures import Citation, FigurePublic
from app.schemas.metrics import Words
from app.services.figures import Cited

# Of all that separates words, the narrow space within a number stays.
_BREAKS = re.compile(r"[^\S\u202f]+")
# Of Verdana at 11 px, about; wider letters only make the badge a little tight.
_LETTER_PX = 7
_MARGIN_PX = 12
_BADGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}: {value}">\
<title>{label}: {value}</title>\
<rect width="{left}" height="20" fill="#444"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/>\
<g fill="#fff" text-anchor="middle" font-family="Verdana,sans-serif" font-size="11">\
<text x="{left_middle}" y="14">{label}</text><text x="{right_middle}" y="14">{value}</text></g></svg>
"""
_STANDS, _WITHDRAWN = "#1a6b3c", "#8a1c1c"


def citation(cited: Cited, url: str) -> Citation:
    figure = cited.figure
    assert figure.value is not None
    assert figure.digest is not None
    return Citation(
        id=figure.id,
        status=figure.status,
        value=figure.value,
        as_of=figure.as_of,
        digest=figure.digest,
        url=url,
        overlap=bool(figure.overlap),
        sentence=Words(**{language: sentence(cited, url, language) for language in messages.LANGUAGES}),
    )


def sentence(cited: Cited, url: str, language: str) -> str:
    """On one line, whatever the title or the reason have in them."""
    figure = cited.figure
    said = _say(
        "sentence",
        language,
        title=getattr(figure.titles, language),
        value=_grouped(figure.value, language),
        scope="; ".join(_scope(cited, language)),
        city=cited.city[language],
        url=url,
    )
    if figure.withdrawn_at:
        day = _local(figure.withdrawn_at, cited.time_zone)[:10]
        said = _say("withdrawn", language, day=day, reason=figure.withdrawal_reason or "", sentence=said)
    return _BREAKS.sub(" ", said)


def badge(figure: FigurePublic, language: str) -> str:
    """SVG of its own text alone: no script, no style, nothing from elsewhere."""
    assert figure.words is not None
    label = getattr(figure.words.name, language)
    is_withdrawn = figure.withdrawn_at is not None
    value = _say("badge_withdrawn", language) if is_withdrawn else _grouped(figure.value, language)
    left, right = (len(text) * _LETTER_PX + _MARGIN_PX for text in (label, value))
    return _BADGE.format(
        width=left + right,
        left=left,
        right=right,
        left_middle=left // 2,
        right_middle=left + right // 2,
        colour=_WITHDRAWN if is_withdrawn else _STANDS,
        label=escape(label, {'"': "&quot;"}),
        value=escape(value, {'"': "&quot;"}),
    )


def _scope(cited: Cited, language: str) -> Iterator[str]:
    figure = cited.figure
    assert figure.words is not None
    name, unit = (getattr(words, language) for words in (figure.words.name, figure.words.unit))
    yield _say("counted", language, name=name, unit=unit)
    for part, day in (("from_day", figure.from_day), ("to_day", figure.to_day)):
        if day:
            yield _say(part, language, day=day)
    if cited.district:
        yield _say("district", language, district=cited.district[language])
    yield from _origins(figure, language)
    yield _say("as_of", language, moment=f"{_local(figure.as_of, cited.time_zone)} ({cited.time_zone})")


def _origins(figure: FigurePublic, language: str) -> Iterator[str]:
    if figure.origin:
        yield _say(figure.origin, language)
    elif figure.declared:
        parts = {"recorded": _grouped(figure.recorded, language), "declared": _grouped(figure.declared, language)}
        yield _say("parts", language, **parts)
        if figure.overlap:
            yield _say("overlap", language)


def _local(moment: datetime, time_zone: str) -> str:
    return moment.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M:%S")


def _grouped(value: int | None, language: str) -> str:
    return f"{value or 0:,}".replace(",", "," if language == "en" else "\N{NARROW NO-BREAK SPACE}")


def _say(phrase: str, language: str, **details: Any) -> str:
    return messages.CATALOGUE["citations"][phrase][language].format_map(details)

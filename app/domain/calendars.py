"""iCalendar (RFC 5545), as far as a list of raids needs it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

_LINE_OCTETS = 75
"""RFC 5545, 3.1: longer lines are folded."""


@dataclass(frozen=True, slots=True)
class Event:
    """One raid; nothing about a person."""

    id: UUID
    version: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    title: str
    place: str
    point: tuple[float, float] | None
    state: str
    """CONFIRMED, TENTATIVE or CANCELLED (RFC 5545, 3.8.1.11)."""


def calendar(name: str, events: Iterable[Event]) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Narkostop//Raids//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        *(line for event in events for line in _lines(event)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def escaped(text: str) -> str:
    """RFC 5545, 3.3.11."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(plain, written)
    return text


def folded(line: str) -> str:
    """At most 75 octets a line, and never within a letter: a folded line goes on after a space."""
    parts: list[str] = []
    part, room = "", _LINE_OCTETS
    for letter in line:
        if (size := len(letter.encode())) > room:
            parts.append(part)
            part, room = "", _LINE_OCTETS - 1
        part, room = part + letter, room - size
    return "\r\n ".join([*parts, part])


def _lines(event: Event) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{event.id}@narkostop"
    yield f"SEQUENCE:{event.version}"
    yield f"DTSTAMP:{_utc(event.changed_at)}"
    yield f"DTSTART:{_utc(event.starts_at)}"
    yield f"DTEND:{_utc(event.ends_at)}"
    yield f"SUMMARY:{escaped(event.title)}"
    yield f"LOCATION:{escaped(event.place)}"
    if event.point:
        yield "GEO:{:.6f};{:.6f}".format(*event.point)
    yield f"STATUS:{event.state}"
    yield "END:VEVENT"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

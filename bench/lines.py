"""What is measured: one line each, with the goals it has to meet."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from uuid import uuid4

from bench.city import COORDINATORS, DISTRICTS, Size
from bench.ids import row_id
from bench.volunteers import SEARCHES

PAGE = 50
# So many different requests are made before a round and sent again and again; with more, making them would cost more.
VARIETY = 1_024
_ON_AN_EVENING = 780
"""A raid of `city._raids`, one a minute from Monday 2024-01-01: at 18:00 in the city."""
H = "hello, FastAPI (H)"

Tokens = Sequence[str]
Requests = Callable[[Tokens], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Goal:
    """At least `least` times as many answers a second as the line `than`."""

    least: float
    than: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """`city` is whose volunteers ask."""

    name: str
    requests: Requests
    goals: tuple[Goal, ...] = ()
    status: int = 200
    server: str = "service"
    city: str = "many"


def lines(size: Size) -> list[Line]:
    return [
        Line("hello, bare ASGI", _always("/hello"), server="bare"),
        Line(H, _always("/hello"), server="hello"),
        Line("one raid", _any_raid(size.many_raids), (_part_of_hello(0.5),)),
        *_pages("few", size.few_raids),
        *_pages("many", size.many_raids),
        *_searches(size),
        Line("report a sighting", _sightings, (_part_of_hello(0.15),), status=201),
        Line("report a sighting, Idempotency-Key", _sightings_with_key, status=201),
        Line("metrics, unchanged", _each("/v1/metrics", "If-None-Match: *\r\n"), (_part_of_hello(4),), status=304),
        Line("metrics", _each("/v1/metrics"), (_part_of_hello(3.5),)),
        Line("metrics, as browsers ask", _each("/v1/metrics", "Accept-Encoding: gzip\r\n"), (_part_of_hello(3.5),)),
        Line("metrics of a month", _each("/v1/metrics?from=2024-03-05&to=2024-04-04")),
        Line("metrics, public", _always("/v1/public/many/metrics")),
    ]


def _part_of_hello(least: float) -> Goal:
    return Goal(least, H, f"at least {least} H")


def _pages(city: str, raids: int) -> Iterator[Line]:
    """The first page, one in the middle, and one close to the oldest raid."""
    for depth, after in (("first", None), ("middle", raids // 2), ("last", 3 * PAGE)):
        name = f"page of {PAGE}, {city} raids, {depth}"
        few = f"page of {PAGE}, few raids, {depth}"
        goals = (_part_of_hello(0.25), Goal(1 / 1.3, few, "at most 1.3 x the time among few raids"))
        path = f"/v1/raids?limit={PAGE}" + (f"&after={row_id(after)}" if after else "")
        yield Line(name, _each(path), goals if city == "many" else (), city=city)


def _searches(size: Size) -> Iterator[Line]:
    """The same question among few and among many; a search may not cost more because the city has grown."""
    asked = {words: f"/v1/volunteers?limit={PAGE}&{query}" for words, query in SEARCHES.items()}
    for city, volunteers in (("few", size.few_volunteers), ("many", size.many_volunteers)):
        deep = f"/v1/volunteers?limit={PAGE}&after={row_id(volunteers // 2)}"
        raid = f"/v1/raids/{row_id(_ON_AN_EVENING)}/suggestions"
        for words, path in (*asked.items(), ("all, a deep page", deep), ("suggestions for a raid", raid)):
            goals = (Goal(1 / 3, f"volunteers, few: {words}", "at most 3 x the time among few volunteers"),)
            name, people = f"volunteers, {city}: {words}", COORDINATORS + city
            yield Line(name, _each(path), goals if city == "many" else (), city=people)


def _always(path: str) -> Requests:
    return lambda _: cycle([_request("GET", path)])


def _each(path: str, headers: str = "") -> Requests:
    return lambda tokens: cycle([_request("GET", path, _bearer(token) + headers) for token in tokens])


def _any_raid(raids: int) -> Requests:
    """Any but the drafts, which are every twentieth: see city._raids."""

    def requests(tokens: Tokens) -> Iterator[bytes]:
        chance = Random(VARIETY)  # noqa: S311 the same raids in each round
        ids = [row_id(chance.randrange(raids // 20) * 20 + 3) for _ in range(VARIETY)]
        headers = map(_bearer, cycle(tokens))
        return cycle([_request("GET", f"/v1/raids/{each}", header) for each, header in zip(ids, headers, strict=False)])

    return requests


def _sightings(tokens: Tokens) -> Iterator[bytes]:
    return cycle(
        [_request("POST", "/v1/sightings", _bearer(token), _sighting(number)) for number, token in _varied(tokens)]
    )


def _sightings_with_key(tokens: Tokens) -> Iterator[bytes]:
    unkeyed = [
        _request("POST", "/v1/sightings", f"{_bearer(token)}Idempotency-Key: %s\r\n", _sighting(number)).split(b"%s")
        for number, token in _varied(tokens)
    ]
    for before, after in cycle(unkeyed):
        yield before + uuid4().hex.encode() + after


def _varied(tokens: Tokens) -> Iterator[tuple[int, str]]:
    return zip(range(VARIETY), cycle(tokens), strict=False)


def _sighting(number: int) -> bytes:
    point = {"latitude": 43 + number / VARIETY, "longitude": 76.5 + number % DISTRICTS}
    sighting = {
        "point": point,
        "kind": "stencil",
        "surface": "brick wall",
        "address": f"Abay avenue {number}",
        "seen_at": "2026-05-01T18:20:00+05:00",
        "note": "Beside the school's back gate",
    }
    return json.dumps(sighting).encode()


def _bearer(token: str) -> str:
    return f"Authorization: Bearer {token}\r\n"


def _request(method: str, path: str, headers: str = "", body: bytes = b"") -> bytes:
    if body:
        headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode() + body

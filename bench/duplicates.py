"""`python -m bench.duplicates FILE.csv` asks whether "joins an earlier spot" is what a city calls a duplicate.

Reads the City of Chicago's "311 Service Requests - Graffiti Removal", where staff closed some requests as "Dup", and
lets each request join a spot as app/services/spots does: the nearest whose first report lies within the radius. The
window says for how many days after its last report a spot is still joined. The file's points are geocoded addresses;
`--scatter` moves each as a phone's position would be.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from app.core.points import box_around, metres_between, tiles_near

RADII_M = (5, 10, 15, 25, 50)
WINDOWS_DAYS = (1, 3, 7, 14, 31)


class Request(NamedTuple):
    number: str
    day: date
    point: tuple[float, float]
    is_duplicate: bool
    done_on: date | None


@dataclass(slots=True)
class Spot:
    point: tuple[float, float]
    last_seen: date
    done_on: date | None = None
    """Of its last report, so that the next one can be told from graffiti that came back."""


@dataclass(slots=True)
class Score:
    """Of requests that joined, how many the city marked; of those it marked, how many joined."""

    joined: int = 0
    marked: int = 0
    both: int = 0
    came_back: int = 0
    """Of those that joined without a mark: made on a later day than the report before was done with."""

    @property
    def precision(self) -> float:
        return self.both / self.joined if self.joined else 0.0

    @property
    def recall(self) -> float:
        return self.both / self.marked if self.marked else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.both / (self.joined + self.marked) if self.both else 0.0


def requests(file: Path) -> list[Request]:
    """Those with a point, in the order in which they were made: days, and within a day the city's numbers."""
    with file.open(newline="", encoding="utf-8-sig") as lines:
        return sorted((_request(row) for row in csv.DictReader(lines) if row["Latitude"]), key=lambda r: r[1::-1])


def _request(row: dict[str, str]) -> Request:
    point = float(row["Latitude"]), float(row["Longitude"])
    done_on = _day(row["Completion Date"]) if row["Completion Date"] else None
    is_duplicate = row["Status"].endswith("Dup")
    return Request(row["Service Request Number"], _day(row["Creation Date"]), point, is_duplicate, done_on)


def _day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 a day has no zone


def scattered(made: Iterable[Request], metres: float) -> Iterator[Request]:
    """Each point moved, by `metres` of standard deviation to the north and to the east."""
    dice = random.Random(1)  # noqa: S311 the same figures each time
    for request in made:
        latitude, longitude = request.point
        _, _, east, north = box_around(latitude, longitude, metres)
        point = dice.gauss(latitude, north - latitude), dice.gauss(longitude, east - longitude)
        yield request._replace(point=point)


def score(made: Iterable[Request], radius: int, window: timedelta) -> Score:
    spots: dict[str, list[Spot]] = defaultdict(list)
    result = Score()
    for request in made:
        near = _live(spots, request, radius, window)
        spot = min(near, key=lambda spot: metres_between(spot.point, request.point), default=None)
        _count(result, request, spot)
        if spot is None:
            spot = Spot(request.point, request.day)
            spots[tiles_near(*request.point, 0)[0]].append(spot)
        spot.last_seen, spot.done_on = request.day, request.done_on
    return result


def _count(result: Score, request: Request, joined: Spot | None) -> None:
    result.marked += request.is_duplicate
    if joined:
        result.joined += 1
        result.both += request.is_duplicate
        was_done = joined.done_on is not None and joined.done_on < request.day
        result.came_back += was_done and not request.is_duplicate


def _live(spots: dict[str, list[Spot]], request: Request, radius: int, window: timedelta) -> Iterator[Spot]:
    for tile in tiles_near(*request.point, radius):
        for spot in spots.get(tile, ()):
            if request.day - spot.last_seen <= window and metres_between(spot.point, request.point) <= radius:
                yield spot


def table(made: list[Request]) -> Iterator[str]:
    """A row for each radius, precision / recall / F1 in per cent for each window."""
    yield "| radius | " + " | ".join(f"{days} d" for days in WINDOWS_DAYS) + " |"
    yield "|---:|" + "---:|" * len(WINDOWS_DAYS)
    for radius in RADII_M:
        scores = (score(made, radius, timedelta(days=days)) for days in WINDOWS_DAYS)
        cells = (f"{s.precision:.1%} / {s.recall:.1%} / {s.f1:.1%}" for s in scores)
        yield f"| {radius} m | " + " | ".join(cells) + " |"


def main(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    *,
    scatter: Annotated[float, typer.Option(help="Metres of standard deviation to each side.", min=0)] = 0,
) -> None:
    """Print precision / recall / F1 of joining against the city's marks, by radius and window."""
    made = list(scattered(requests(file), scatter))
    print(
        f"{len(made):,} requests with a point, {sum(request.is_duplicate for request in made):,} marked as duplicates"
    )
    print("\n".join(table(made)))
    for radius in RADII_M:
        found = score(made, radius, timedelta(days=WINDOWS_DAYS[-1]))
        unmarked = found.joined - found.both
        print(
            f"{radius} m: {unmarked:,} joined without a mark, {found.came_back:,} of them after it had been done with"
        )


if __name__ == "__main__":
    typer.run(main)

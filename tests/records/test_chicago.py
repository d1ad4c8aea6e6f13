"""The acceptance run: 8,844 real rows of August 2017, which no clone of ours carries."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.domain.permissions import Role
from app.models.spots import Removal, Spot
from tests.city import found_city
from tests.records.files import figures, send

FILE = Path(__file__).parents[2].parent / "shared" / "data" / "chicago-graffiti-2017-08.csv"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="../shared/data/chicago-graffiti-2017-08.csv is not here")


def completed_by_day() -> dict[str, int]:
    """Of the service request that the file has twice, the first row."""
    with FILE.open() as file:
        first = {row["Service Request Number"]: row["Completion Date"] for row in reversed(list(csv.DictReader(file)))}
    days = Counter(f"{day[6:]}-{day[:2]}-{day[3:5]}" for day in first.values())
    return dict(days)


async def test_a_month_of_a_city_comes_in_and_comes_in_once(app: FastAPI):
    async with found_city(app, "America/Chicago") as chicago:
        first = await send(chicago, FILE.read_bytes(), mapping="chicago")
        assert figures(first) == {"rows": 8844, "imported": 8843, "without_point": 4, "refused": 1}
        (refused,) = first.json()["refused_rows"]
        assert (refused["row"], refused["code"]) == (6938, "id_twice")

        expected = completed_by_day()
        painted = (await chicago.totals(days=366, to=max(expected)))["graffiti_painted"]
        assert painted["total"] == painted["recorded"] == 8843
        assert {part["day"]: part["total"] for part in painted["days"] if part["total"]} == expected

        again = await send(chicago, FILE.read_bytes(), mapping="chicago")
        assert figures(again) == {"rows": 8844, "already_there": 8843, "refused": 1}
        assert (await chicago.totals())["graffiti_painted"]["total"] == 8843
        assert await chicago.count(Removal) == 8843
        assert await chicago.count(Spot) == 7388 + 4

        admin = await chicago.as_(Role.ADMIN)
        runs = (await admin.get("/imports")).json()["items"]
        assert [run["imported"] for run in runs] == [0, 8843]
        assert len({run["sha256"] for run in runs}) == 1

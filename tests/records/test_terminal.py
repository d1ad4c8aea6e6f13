"""`narkostop import graffiti`: what the person at the terminal reads."""

from pathlib import Path

import pytest

from app.models.spots import Removal, Spot
from tests.city import TestCity
from tests.records.files import row, table

MAPPING = """
date_format = "%d.%m.%Y %H:%M"

[columns]
external_id = "№"
removed_on = "Закрашено"
latitude = "Широта"
longitude = "Долгота"
kind = "Вид"

[kinds]
"трафарет" = "stencil"

[only]
column = "Статус"
values = ["выполнено"]
"""
AKIMAT = """№;Закрашено;Широта;Долгота;Вид;Статус
1;31.05.2025 18:20;43,5;76,5;трафарет;выполнено
2;31.05.2025 18:40;43,5;77,5;qr;выполнено
3;;43,5;77,5;трафарет;в работе
4;31.05.2025 18:50;43,5;77,5;мурал;выполнено
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(name: str, content: str, encoding: str = "utf-8") -> str:
        (tmp_path / name).write_text(content, encoding)
        return str(tmp_path / name)

    return write


async def test_a_mapping_of_one_s_own(city: TestCity, told, written):
    file, mapping = written("akimat.csv", AKIMAT, "cp1251"), written("akimat.toml", MAPPING)
    said = await told("import", "graffiti", file, "--city", city.id, "--source", "akimat", "--map", mapping)

    assert [line.split() for line in said.splitlines()[1:7]] == [
        ["4", "rows"],
        ["2", "imported"],
        ["0", "already", "there"],
        ["0", "without", "point"],
        ["1", "refused"],
        ["1", "left", "out"],
    ]
    assert "Row 5: kind Must be one of: stencil, tag, sticker, qr, трафарет." in said
    kinds = {spot.id: spot.kind for spot in await city.rows(Spot)}
    removals = {removal.external_id: removal for removal in await city.rows(Removal)}
    assert {key: kinds[removal.spot_id] for key, removal in removals.items()} == {"1": "stencil", "2": "qr"}
    assert removals["1"].removed_at.isoformat() == "2025-05-31T13:20:00+00:00"


async def test_a_dry_run_writes_nothing(city: TestCity, told, written):
    file = written("removals.csv", table(row()))
    said = await told("import", "graffiti", file, "--city", city.id, "--source", "311", "--dry-run")

    assert said.startswith("Nothing was written.")
    assert "1 imported" in said
    assert await city.count(Removal) == 0


GOOD = table(row())


@pytest.mark.parametrize(
    ("content", "option", "value", "reason"),
    [
        (GOOD, "--city", "nowhere", "Not found: city."),
        (GOOD, "--source", " ", "--source"),
        (GOOD, "--map", "berlin", "there is no mapping berlin"),
        (GOOD, "--map", "chicago", "The file has no column “Service Request Number”"),
        ("[b],[/c]\n1,2\n", "--source", "x", "The file has no column"),
        ("", "--source", "x", "The file is empty"),
    ],
)
async def test_what_cannot_be_done_is_said(refused_here, content, option, value, reason):
    assert reason in await refused_here(content, {option: value})


@pytest.fixture
def refused_here(city: TestCity, refused, written):
    async def run(content: str, options: dict[str, str]) -> str:
        words = [word for option in {"--city": city.id, "--source": "311", **options}.items() for word in option]
        return await refused("import", "graffiti", written("removals.csv", content), *words)

    return run


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("columns = ", "is not TOML"),
        ('[columns]\nexternal_id = "№"', "is not a mapping: columns.removed_on"),
        (MAPPING.replace("%Y", ""), "is not a mapping: date_format"),
        (MAPPING.replace("stencil", "mural"), "is not a mapping: kinds.трафарет"),
        (MAPPING.replace("[only]", "[olny]"), "is not a mapping: olny"),
    ],
)
async def test_a_mapping_that_is_none_is_said_to_be(city: TestCity, refused, written, toml, reason):
    file, mapping = written("akimat.csv", AKIMAT), written("akimat.toml", toml)

    assert reason in await refused("import", "graffiti", file, "--city", city.id, "--source", "x", "--map", mapping)

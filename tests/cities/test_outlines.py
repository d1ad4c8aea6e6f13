import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from shapely.geometry import shape

from app.domain.errors import Invalid, NotFound
from app.models.cities import City, District
from app.models.spots import Spot
from app.services import cities, districts
from app.services.districts import Redrawn
from tests.cities.almaty import almaty, district_at, found
from tests.city import IN_EAST, TestCity
from tests.commands import said_by, started

BIGGER_WEST = [[76, 43], [77.6, 43], [77.6, 44], [76, 44], [76, 43]]


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def feature(geometry: object, **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties or {"id": "west"}}


def collection(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


async def redraw(city: TestCity, document: bytes) -> Redrawn:
    async with city.database.transaction() as session:
        return await districts.redraw(session, city.id, document, "outlines.geojson")


async def as_stored(city: TestCity) -> object:
    async with city.database.transaction() as session:
        version = (await cities.get(session, city.id)).districts_version
    return version, sorted((row.id, json.dumps(row.outline), row.source) for row in await city.rows(District))


async def test_the_district_named_is_redrawn_and_the_other_stays(city: TestCity):
    redrawn = await redraw(city, collection(feature(polygon(BIGGER_WEST))))

    assert redrawn == Redrawn(replaced=("west",), kept=("east",))
    assert {row.id: row.source for row in await city.rows(District)} == {
        "west": "imported from outlines.geojson",
        "east": "made up",
    }


async def test_what_was_counted_keeps_its_district_and_what_is_new_gets_the_new_one(city: TestCity):
    point = {"latitude": 43.5, "longitude": 77.5}
    await city.add(Spot(city_id=city.id, district_id="east", **point))
    assert await district_at(city.database, city.id, **point) == "east"
    east = [[77.6, 43], [78, 43], [78, 44], [77.6, 44], [77.6, 43]]

    await redraw(city, collection(feature(polygon(BIGGER_WEST)), feature(polygon(east), name="EAST")))

    assert await district_at(city.database, city.id, **point) == "west"
    assert [spot.district_id for spot in await city.rows(Spot)] == ["east"]


async def test_a_running_server_uses_what_another_process_imported(
    city: TestCity, environment: dict[str, str], tmp_path: Path
):
    async def place_of_a_new_raid() -> str:
        return (await city.open_raid(point=IN_EAST))["district_id"]

    assert await place_of_a_new_raid() == "east"
    file = tmp_path / "outlines.geojson"
    east = [[77.6, 43], [78, 43], [78, 44], [77.6, 44], [77.6, 43]]
    file.write_bytes(collection(feature(polygon(BIGGER_WEST)), feature(polygon(east), id="east")))

    said = await said_by(await started(environment, "city", "import", file, "--city", city.id))

    assert (said.status, said.out) == (0, "Outlines replaced: east, west.\nAs they were: none.\n"), said.error
    assert await place_of_a_new_raid() == "west"


@pytest.mark.parametrize(
    "properties",
    [
        {"id": "zhetysu"},
        {"slug": "zhetysu"},
        {"name": "Жетісу ауданы"},
        {"name": "жетысуский район"},
        {"name:en": "Zhetysu district"},
        {"name": "Jetysu", "osm_name": "Жетісу ауданы, Алматы, Қазақстан"},
        {"name": "Jetysu", "osm_id": 3072130},
        {"name": "Jetysu", "@id": "relation/3072130"},
    ],
    ids=str,
)
async def test_what_a_district_is_known_by(city: TestCity, properties: dict[str, object]):
    new = almaty()
    await found(city.database, new)
    outline = next(district.outline for district in new.districts if district.id == "zhetysu")
    async with city.database.transaction() as session:
        redrawn = await districts.redraw(session, new.id, collection(feature(outline, **properties)), "x")
    assert redrawn.replaced == ("zhetysu",)


async def test_the_feature_s_own_id_counts_and_an_altitude_is_dropped(city: TestCity):
    ring = [[*position, 700] for position in BIGGER_WEST]
    named = {"type": "Feature", "id": "west", "geometry": polygon(ring), "properties": None, "bbox": [0]}
    assert (await redraw(city, collection(named))).replaced == ("west",)
    west = next(row for row in await city.rows(District) if row.id == "west")
    assert {len(position) for position in west.outline["coordinates"][0]} == {2}


async def test_a_crossing_that_hardly_matters_is_mended(city: TestCity):
    crossed = [*BIGGER_WEST[:3], [76.4999, 44.0001], [76.5, 44.0002], [76.5001, 44], *BIGGER_WEST[3:]]
    assert not shape(polygon(crossed)).is_valid

    await redraw(city, collection(feature(polygon(crossed))))

    west = next(row for row in await city.rows(District) if row.id == "west")
    assert shape(west.outline).is_valid
    assert shape(west.outline).area == pytest.approx(1.6, rel=0.001)


def _bad_files() -> Iterator[Any]:
    good = feature(polygon(BIGGER_WEST))
    swapped = [[latitude, longitude] for longitude, latitude in BIGGER_WEST]
    bow_tie = [[76, 43], [77, 44], [77, 43], [76, 44], [76, 43]]
    overshoot = [[76, 43], [77, 43], [77, 44], [76, 44], [76, 430], [76, 43]]
    elsewhere = [[10, 43], [11, 43], [11, 44], [10, 44], [10, 43]]
    a_neighbour = [[77, 43], [78, 43], [78, 44], [77, 44], [77, 43]]
    line = {"type": "LineString", "coordinates": BIGGER_WEST}
    yield pytest.param(b"", ["not_geojson"], id="nothing")
    yield pytest.param(b"\xff\xfe{}", ["not_geojson"], id="not UTF-8")
    yield pytest.param(b"west,76,43\n", ["not_geojson"], id="not JSON")
    yield pytest.param(b"[" * 100_000, ["not_geojson"], id="deep")
    yield pytest.param(b"[]", ["not_geojson"], id="a list")
    yield pytest.param(json.dumps(good).encode(), ["not_geojson"] * 2, id="one feature")
    yield pytest.param(collection(), ["not_geojson"], id="no features")
    yield pytest.param(collection(feature(None)), ["not_geojson"], id="no geometry")
    yield pytest.param(collection(feature(line)), ["not_geojson"], id="a line")
    yield pytest.param(collection(feature(polygon())), ["not_geojson"], id="no ring")
    yield pytest.param(collection(feature(polygon(BIGGER_WEST[:3]))), ["not_geojson"], id="three positions")
    yield pytest.param(collection(good).replace(b"77.6", b"NaN"), ["not_geojson"], id="NaN")
    yield pytest.param(collection(good).replace(b"77.6", b"-Infinity"), ["not_geojson"], id="infinite")
    yield pytest.param(collection(good).replace(b"77.6", b"1e999"), ["not_geojson"] * 2, id="beyond a double")
    yield pytest.param(collection(good).replace(b"77.6", b'"77.6"'), ["not_geojson"] * 2, id="text")
    yield pytest.param(collection(feature(polygon(swapped))), ["outline_swapped"], id="swapped")
    yield pytest.param(collection(feature(polygon(overshoot))), ["outline_out_of_range"], id="no latitude")
    yield pytest.param(collection(feature(polygon(bow_tie))), ["outline_unsound"], id="crosses itself")
    upon_itself = [
        *BIGGER_WEST[:3],
        [76.4999, 44],
        [76.5001, 44.0001],
        [76.4999, 44.0001],
        [76.5001, 44],
        *BIGGER_WEST[3:],
    ]
    yield pytest.param(collection(feature(polygon(upon_itself))), ["outline_unsound"], id="lies upon itself")
    yield pytest.param(collection(feature(polygon([[76, 43]] * 5))), ["outline_unsound"], id="a point")
    yield pytest.param(collection(feature(polygon(elsewhere))), ["outline_elsewhere"], id="elsewhere")
    yield pytest.param(collection(feature(polygon(a_neighbour))), ["outline_elsewhere"], id="a neighbour's")
    yield pytest.param(collection(good, feature(polygon(BIGGER_WEST), name="North")), ["feature_unknown"], id="unknown")
    yield pytest.param(collection(good, feature(polygon(BIGGER_WEST), x=1)), ["feature_unknown"], id="nameless")
    yield pytest.param(collection(good, good), ["feature_twice"], id="twice")


@pytest.mark.parametrize(("document", "codes"), list(_bad_files()))
async def test_a_bad_file_leaves_everything_as_it_was(city: TestCity, document: bytes, codes: list[str]):
    before = await as_stored(city)
    with pytest.raises(Invalid) as refused:
        await redraw(city, document)
    assert [fault.code for fault in refused.value.faults] == codes
    assert await as_stored(city) == before


async def test_an_unknown_city(city: TestCity):
    async with city.database.transaction() as session:
        with pytest.raises(NotFound):
            await districts.redraw(session, "nowhere", collection(feature(polygon(BIGGER_WEST))), "x")


async def test_the_command_names_each_feature_that_is_wrong(city: TestCity, narkostop, tmp_path: Path):
    file = tmp_path / "outlines.geojson"
    file.write_bytes(
        collection(feature(polygon(BIGGER_WEST), name="North"), feature(polygon(BIGGER_WEST), name="South"))
    )

    said = await narkostop("city", "import", file, "--city", city.id)

    assert said.status == 1
    assert said.error == (
        "narkostop: /features/0 The city has no district “north”.\n  /features/1 The city has no district “south”.\n"
    )


async def test_the_full_boundaries_of_almaty(city: TestCity, narkostop, osm_file: Path):
    new = almaty()
    await found(city.database, new)
    document = json.loads(await asyncio.to_thread(osm_file.read_bytes))
    outlines = {item["properties"]["osm_id"]: shape(item["geometry"]) for item in document["features"]}
    ids = {district.osm_relation: district.id for district in new.districts}
    moved = _moved_point(new.districts, outlines)
    before = await district_at(city.database, new.id, moved.y, moved.x)

    said = await narkostop("city", "import", osm_file, "--city", new.id)

    assert said.status == 0, said.error
    assert await district_at(city.database, new.id, moved.y, moved.x) != before
    for relation, outline in outlines.items():
        centre = outline.representative_point()
        assert await district_at(city.database, new.id, centre.y, centre.x) == ids[relation]


def _moved_point(coarse: Any, full: dict[int, Any]) -> Any:
    """In a district by its full outline, but not by its coarse one."""
    district = coarse[0]
    gained = full[district.osm_relation] - shape(district.outline)
    return max(gained.geoms, key=lambda part: part.area).representative_point()


async def test_coarse_and_full_outlines_mostly_agree(city: TestCity, osm_file: Path):
    new = almaty()
    await found(city.database, new)
    document = await asyncio.to_thread(osm_file.read_bytes)
    dice = Random(1)  # noqa: S311 any points will do
    longitudes = [dice.uniform(76.74, 77.15) for _ in range(20_000)]
    latitudes = [dice.uniform(43.03, 43.41) for _ in range(20_000)]

    async def placed() -> list[str | None]:
        async with city.database.transaction() as session:
            return (await cities.districts(session, await cities.get(session, new.id))).at_each(latitudes, longitudes)

    coarse = await placed()
    async with city.database.transaction() as session:
        await districts.redraw(session, new.id, document, osm_file.name)
    full = await placed()
    inside = [(one, other) for one, other in zip(coarse, full, strict=True) if one or other]
    share = sum(one == other for one, other in inside) / len(inside)
    everywhere = sum(one == other for one, other in zip(coarse, full, strict=True)) / len(full)
    print(f"same district: {share:.1%} of points in the city, {everywhere:.1%} of all")  # noqa: T201 shown with -rP
    assert everywhere > 0.93


async def test_the_version_rises_by_one_even_when_two_import_at_once(city: TestCity):
    document = collection(feature(polygon(BIGGER_WEST)))
    await asyncio.gather(*(redraw(city, document) for _ in range(4)))
    async with city.database.transaction() as session:
        row = await session.get(City, city.id)
    assert row
    assert row.districts_version == 5

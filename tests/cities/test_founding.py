import pytest
from fastapi import FastAPI
from shapely.geometry import shape

from app.core.database import Database
from app.domain.errors import Conflict, Invalid
from app.models.cities import District
from app.schemas.cities import NamesGiven, NewCity
from app.services import cities
from tests.cities.almaty import almaty, district_at, found, slug
from tests.city import TestCity

NAMES = NamesGiven(kk="Чикаго", ru="Чикаго", en="Chicago")


@pytest.fixture
def database(app: FastAPI) -> Database:
    return app.state.database


async def test_each_district_of_almaty_has_its_centre_point(database: Database):
    new = almaty()
    await found(database, new)

    assert len(new.districts) == 8
    for district in new.districts:
        centre = shape(district.outline).representative_point()
        assert await district_at(database, new.id, centre.y, centre.x) == district.id


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(41.3, 69.2), (43.0, 76.5), (76.9, 43.2), (-43.2, 76.9), (90.0, 180.0)],
    ids=["Tashkent", "the mountains", "swapped", "south", "the pole"],
)
async def test_a_point_outside_has_no_district(database: Database, latitude: float, longitude: float):
    new = almaty()
    await found(database, new)
    assert await district_at(database, new.id, latitude, longitude) is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "district"),
    [
        (43.5, 77.0, "east"),  # on the border that both share: the first by id
        (43.0, 77.0, "east"),  # at the corner of both
        (43.5, 76.0, "west"),
        (44.0, 76.5, "west"),
        (43.5, 78.0, "east"),
        (43.5, 78.000001, None),
    ],
)
async def test_borders_belong_to_a_district(city: TestCity, latitude: float, longitude: float, district: str | None):
    assert await district_at(city.database, city.id, latitude, longitude) == district


async def test_a_city_needs_no_districts(database: Database):
    new = NewCity(id=slug(), names=NAMES, time_zone="America/Chicago")
    await found(database, new)
    assert await district_at(database, new.id, 41.88, -87.63) is None


async def test_the_outlines_name_their_source(city: TestCity):
    new = almaty()
    await found(city.database, new)
    async with city.database.transaction() as session:
        row = await session.get(District, (new.id, "zhetysu"))
    assert row
    assert row.source == "OpenStreetMap relation 3072130, © OpenStreetMap contributors, ODbL"


@pytest.mark.parametrize(
    "short", ["", "a", "Almaty", "1a", "-a", "a_b", "алматы", "a" * 33, "al maty", "almaty\n", "../x"]
)
async def test_a_short_name_that_is_none(database: Database, short: str):
    assert cities.bundled(short) is None
    with pytest.raises(Invalid) as refused:
        await found(database, NewCity(id=short, names=NAMES, time_zone="UTC"))
    assert [fault.code for fault in refused.value.faults] == ["not_a_slug"]


@pytest.mark.parametrize(
    "zone", ["", "Asia", "Asia/Alma-Ata-2", "../../etc/passwd", "/etc/localtime", "+05:00", "a\0b"]
)
async def test_a_zone_that_is_none(database: Database, zone: str):
    with pytest.raises(Invalid) as refused:
        await found(database, NewCity(id=slug(), names=NAMES, time_zone=zone))
    assert [fault.code for fault in refused.value.faults] == ["no_such_zone"]


async def test_a_city_is_founded_once(database: Database):
    new = almaty()
    await found(database, new)
    with pytest.raises(Conflict, match="city_exists"):
        await found(database, new)


async def test_the_command(narkostop, database: Database):
    zone = ("--time-zone", "America/Chicago")
    names = ("--name-kk", "Чикаго", "--name-ru", "Чикаго", "--name-en", "Chicago")
    chicago = slug()

    nameless = await narkostop("city", "create", chicago, *zone)
    created = await narkostop("city", "create", chicago, *names, *zone)
    again = await narkostop("city", "create", chicago, *names, *zone)
    renamed = await narkostop("city", "create", "almaty", *names)
    wrong = await narkostop("city", "create", "Chicago", *names, "--time-zone", "Chicago")

    assert nameless.status == 1
    assert "name it with --name-kk, --name-ru, --name-en" in nameless.error
    assert (created.status, created.out) == (0, f"City {chicago} created: America/Chicago, 0 districts.\n")
    assert (again.status, again.error) == (1, "narkostop: A city with this short name exists already.\n")
    assert "leave the options out" in renamed.error
    assert "begins with a letter" in wrong.error
    assert "“Chicago” is not a time zone" in wrong.error

from app.models.cities import City
from tests.city import TestCity, found_city


async def test_anybody_can_read_the_city(city: TestCity):
    answer = await city.anonymous.get(f"/public/{city.id}")
    assert answer.json() == {
        "id": city.id,
        "names": {"kk": "Қала", "ru": "Город", "en": "City"},
        "time_zone": "Asia/Almaty",
        "is_demo": False,
        "districts": [
            {"id": "east", "names": {"kk": "east", "ru": "east", "en": "east"}},
            {"id": "west", "names": {"kk": "west", "ru": "west", "en": "west"}},
        ],
        "version": 1,
    }


async def test_the_outlines_are_geojson_with_their_source(city: TestCity):
    answer = (await city.anonymous.get(f"/public/{city.id}/districts")).json()
    assert answer["type"] == "FeatureCollection"
    assert [feature["id"] for feature in answer["features"]] == ["east", "west"]
    assert answer["features"][1]["properties"]["source"] == "made up"
    assert answer["features"][1]["geometry"]["coordinates"][0][0] == [76, 43]


async def test_a_city_without_districts_has_empty_lists(city: TestCity):
    bare = City(id=f"{city.id}-b", name_kk="Б", name_ru="Б", name_en="B", time_zone="America/Chicago")
    await city.add(bare)
    assert (await city.anonymous.get(f"/public/{bare.id}")).json()["districts"] == []
    assert (await city.anonymous.get(f"/public/{bare.id}/districts")).json()["features"] == []


async def test_a_city_that_does_not_exist(city: TestCity):
    for path in ("/public/nowhere", "/public/nowhere/districts"):
        answer = await city.anonymous.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_one_city_shows_nothing_of_another(city: TestCity, app):
    async with found_city(app) as other:
        assert len((await other.anonymous.get(f"/public/{city.id}/districts")).json()["features"]) == 2

"""What a row must say; one that does not is named with its reason, and the others come in all the same."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.models.ledger import LedgerEntry
from app.models.records import RecordsImport
from app.models.spots import Removal, Spot
from tests.city import IN_EAST, IN_WEST, OUTSIDE, TestCity
from tests.records.files import figures, row, send, table

IN_TWO_DAYS = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
REFUSED = [
    ({"external_id": ""}, "external_id", "missing"),
    ({"external_id": "x" * 121}, "external_id", "too_long"),
    ({"external_id": "a\0b"}, "external_id", "text_control"),
    ({"removed_on": ""}, "removed_on", "missing"),
    ({"removed_on": "31.05.2025"}, "removed_on", "not_in_date_form"),
    ({"removed_on": "2025-02-30"}, "removed_on", "not_in_date_form"),
    ({"removed_on": "1999-12-31"}, "removed_on", "date_range"),
    ({"removed_on": "2100-01-01"}, "removed_on", "date_range"),
    ({"removed_on": "9999-12-31"}, "removed_on", "date_range"),
    ({"removed_on": IN_TWO_DAYS}, "removed_on", "in_future"),
    ({"latitude": "nan"}, "latitude", "not_a_number"),
    ({"longitude": "-inf"}, "longitude", "not_a_number"),
    ({"latitude": "1e1"}, "latitude", "not_a_number"),
    ({"latitude": "4_3"}, "latitude", "not_a_number"),
    ({"latitude": "٤٣"}, "latitude", "not_a_number"),
    ({"latitude": "90.01"}, "latitude", "too_big"),
    ({"longitude": "-180.01"}, "longitude", "too_small"),
    ({"latitude": ""}, "latitude", "missing"),
    ({"longitude": ""}, "longitude", "missing"),
    ({"latitude": "0", "longitude": "0.0"}, "latitude", "point_null_island"),
    ({"latitude": IN_WEST["longitude"], "longitude": IN_WEST["latitude"]}, "latitude", "point_swapped"),
    ({"latitude": "", "longitude": ""}, "address", "point_or_address"),
    ({"address": "x" * 301}, "address", "too_long"),
    ({"surface": "x" * 121}, "surface", "too_long"),
    ({"kind": "mural"}, "kind", "not_listed"),
    ({"inscriptions": "0"}, "inscriptions", "too_small"),
    ({"inscriptions": "1001"}, "inscriptions", "too_big"),
    ({"inscriptions": "2.5"}, "inscriptions", "not_whole"),
    ({"inscriptions": "-1"}, "inscriptions", "not_whole"),
    ({"surface": "brick,wall"}, "", "ragged"),
]


@pytest.mark.parametrize(("cells", "field", "code"), REFUSED)
async def test_a_bad_row_is_named_and_the_good_ones_come_in(city: TestCity, cells, field, code):
    answer = await send(city, table(row("1"), row("2", **cells), row("3")))

    assert figures(answer) == {"rows": 3, "imported": 2, "refused": 1}
    (refused,) = answer.json()["refused_rows"]
    assert (refused["row"], refused["field"], refused["code"]) == (3, field, code)
    assert "{" not in refused["detail"]
    assert {removal.external_id for removal in await city.rows(Removal)} == {"1", "3"}
    assert (await city.totals())["graffiti_painted"]["recorded"] == 6


async def test_a_good_row_becomes_a_painted_spot_a_removal_and_a_ledger_entry(city: TestCity):
    answer = await send(city, table(row(address="Abay  52", surface="brick", kind="stencil")), source="akimat")

    (spot,), (removal,), (entry,) = [await city.rows(model) for model in (Spot, Removal, LedgerEntry)]
    assert (spot.status, spot.kind, spot.district_id) == ("painted", "stencil", "west")
    assert (spot.latitude, spot.longitude) == (IN_WEST["latitude"], IN_WEST["longitude"])
    assert (spot.address, spot.surface) == ("Abay 52", "brick")
    assert (removal.spot_id, removal.raid_id, str(removal.import_id)) == (spot.id, None, answer.json()["id"])
    assert (removal.source, removal.external_id, removal.inscriptions) == ("akimat", "1", 3)
    assert removal.removed_at == datetime(2025, 5, 31, 7, tzinfo=UTC), "noon in Almaty"
    assert (entry.metric, entry.origin, entry.amount) == ("graffiti_painted", "recorded", 3)
    assert (entry.subject_id, entry.occurred_on.isoformat(), entry.district_id) == (removal.id, "2025-05-31", "west")
    assert entry.recorded_by == removal.recorded_by is not None


async def test_a_day_that_has_only_begun_is_not_in_future(city: TestCity):
    before = datetime.now(UTC)
    answer = await send(city, table(row(removed_on=before.astimezone(ZoneInfo("Asia/Almaty")).date().isoformat())))

    assert figures(answer) == {"rows": 1, "imported": 1}
    (removal,) = await city.rows(Removal)
    assert removal.removed_at <= datetime.now(UTC)


async def test_an_equal_point_is_the_same_spot_and_a_near_one_is_another(city: TestCity):
    near = {**IN_WEST, "latitude": IN_WEST["latitude"] + 0.000001}
    await send(city, table(row("1"), row("2", **IN_EAST), row("3"), row("4", **near)))
    await send(city, table(row("5"), row("6", **OUTSIDE)))

    assert sorted(str(spot.district_id) for spot in await city.rows(Spot)) == ["None", "east", "west", "west"]
    by_id = {removal.external_id: removal.spot_id for removal in await city.rows(Removal)}
    assert by_id["1"] == by_id["3"] == by_id["5"] != by_id["4"]


async def test_a_known_spot_keeps_its_status_and_gets_the_removal(city: TestCity):
    live = Spot(city_id=city.id, status="confirmed", **IN_WEST)
    await city.add(live)

    await send(city, table(row()))

    (spot,) = await city.rows(Spot)
    assert (spot.id, spot.status) == (live.id, "confirmed")
    assert [removal.spot_id for removal in await city.rows(Removal)] == [live.id]


async def test_rows_without_a_point_are_told_and_share_a_spot_by_address(city: TestCity):
    nowhere = {"latitude": "", "longitude": "", "address": "Abay 52"}
    first = await send(city, table(row("1", **nowhere), row("2", **nowhere), row("3", address="Abay 52")))
    second = await send(city, table(row("4", **nowhere)))

    assert figures(first) == {"rows": 3, "imported": 3, "without_point": 2}
    assert figures(second) == {"rows": 1, "imported": 1, "without_point": 1}
    assert sorted(spot.latitude is None for spot in await city.rows(Spot)) == [False, True]


async def test_only_the_first_hundred_refused_rows_are_named(city: TestCity):
    answer = await send(city, table(*(row(str(number), kind="mural") for number in range(130)), row("good")))

    assert figures(answer) == {"rows": 131, "imported": 1, "refused": 130}
    assert [refused["row"] for refused in answer.json()["refused_rows"]] == list(range(2, 102))


async def test_an_id_that_a_file_has_twice_comes_in_once_as_it_stands_first(city: TestCity):
    rows = [row("1", inscriptions=5), row("2"), *(row("1", inscriptions=9) for _ in range(150))]
    answer = await send(city, table(*rows))

    assert figures(answer) == {"rows": 152, "imported": 2, "refused": 150}
    refused = answer.json()["refused_rows"]
    assert [item["row"] for item in refused] == list(range(4, 104))
    assert refused[0]["detail"] == "The file has this id in row 2 already."
    assert {removal.inscriptions for removal in await city.rows(Removal)} == {5, 3}


async def test_reasons_are_in_the_reader_s_language(city: TestCity):
    answer = await send(city, table(row(inscriptions="many")), {"Accept-Language": "ru"})

    assert answer.headers["content-language"] == "ru"
    assert answer.json()["refused_rows"][0]["detail"] == "Нужно целое число."


async def test_a_dry_run_says_the_same_and_writes_nothing(city: TestCity):
    await send(city, table(row("1")))
    answer = await send(city, table(row("1"), row("2"), row("3", kind="mural")), dry_run=True)

    assert answer.status_code == 200
    assert answer.json()["id"] is None
    assert figures(answer) == {"rows": 3, "imported": 1, "already_there": 1, "refused": 1}
    assert [await city.count(model) for model in (Spot, Removal, LedgerEntry, RecordsImport)] == [1, 1, 1, 1]

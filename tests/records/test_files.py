"""Files as people have them; one that cannot be read is refused as a whole, and nothing of it stays."""

import pytest

from app.domain.permissions import Role
from app.models.records import RecordsImport
from app.models.spots import Removal, Spot
from app.services.records import graffiti
from app.services.records import table as table_module
from tests.city import TestCity
from tests.records.files import HEADER, figures, row, send, table

ADDRESS = "улица Абая 52"
CONTINUES = "Ж".encode()[1]
MANY = table(*(row(str(number)) for number in range(3_000)))
UNREADABLE = [
    ("", "missing"),
    ("\r\n\r\n", "csv_empty"),
    (",".join(HEADER), "csv_empty"),
    ("external_id,latitude,longitude\n1,43.5,76.5\n", "column_missing"),
    ("external_id,external_id,removed_on,address\n1,1,2025-05-31,here\n", "column_twice"),
    (table(row()).encode("utf-16"), "csv_unreadable"),
    (b"external_id,removed_on,address\n1,2025-05-31,\x98\n", "csv_unreadable"),
    (MANY + '"3001,2025-05-31', "csv_quote"),
    (MANY + '"' + "3001,2025-05-31\n" * 20_000, "csv_quote"),
    (MANY + 'a,"b"c,d\n', "csv_quote"),
    ("x" * 200_000, "csv_quote"),
    (MANY + "x" * 200_000, "csv_quote"),
]


@pytest.mark.parametrize(("content", "code"), UNREADABLE)
async def test_a_file_that_cannot_be_read_leaves_nothing(city: TestCity, content, code):
    answer = await send(city, content)

    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == [code]
    assert [await city.count(model) for model in (Spot, Removal, RecordsImport)] == [0, 0, 0]


async def test_the_row_of_a_stray_quotation_mark_is_named(city: TestCity):
    answer = await send(city, table(row("1"), row("2")) + '"3,2025-05-31')

    assert answer.json()["errors"][0]["detail"].startswith("A quotation mark near row 4")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_encodings_and_delimiters(city: TestCity, encoding, delimiter):
    answer = await send(city, table(row(address=ADDRESS), delimiter=delimiter).encode(encoding))

    assert figures(answer) == {"rows": 1, "imported": 1}
    assert [spot.address for spot in await city.rows(Spot)] == [ADDRESS]


async def test_a_letter_that_two_pieces_of_the_file_share_is_one_letter(city: TestCity):
    rows = table(*(row(str(number), address="Ж" * 290) for number in range(2_000))).encode()
    content = next(shifted for pad in range(1_000) if (shifted := b" " * pad + rows)[table_module._CHUNK] == CONTINUES)
    answer = await send(city, content)

    assert figures(answer)["imported"] == 2_000
    assert {spot.address for spot in await city.rows(Spot)} == {"Ж" * 290}


async def test_a_decimal_comma_and_a_quoted_line_break(city: TestCity):
    content = 'external_id;removed_on;latitude;longitude;address\n1;2025-05-31;43,5;76,5;"Abay\n52"\n\n;;;;\n'
    answer = await send(city, content)

    assert figures(answer) == {"rows": 1, "imported": 1}
    (spot,) = await city.rows(Spot)
    assert (spot.latitude, spot.longitude, spot.address) == (43.5, 76.5, "Abay 52")


async def test_a_mapping_that_we_do_not_ship_is_refused(city: TestCity):
    answer = await send(city, table(row()), mapping="../chicago")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "Must be one of: chicago."


async def test_a_column_that_a_mapping_names_must_be_there(city: TestCity):
    answer = await send(city, table(row()), mapping="chicago")

    assert answer.json()["errors"][0]["code"] == "column_missing"


async def test_a_file_larger_than_allowed_is_refused(city: TestCity):
    answer = await send(city, b"x" * 33_554_433)

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_only_csv_is_taken(city: TestCity):
    answer = await send(city, table(row()), {"Content-Type": "application/json"})

    assert answer.status_code == 415


async def test_runs_are_listed_and_belong_to_their_city(city: TestCity, other_city: TestCity):
    imported = await send(city, table(row("1"), row("2", kind="mural")))
    admin, stranger = await city.as_(Role.ADMIN), await other_city.as_(Role.ADMIN)

    run = (await admin.get(imported.headers["location"].removeprefix("/v1"))).json()
    assert (run["kind"], run["source"], run["imported"], run["refused"]) == ("graffiti", "311", 1, 1)
    assert (await admin.get("/imports")).json()["items"] == [run]
    assert (await stranger.get(f"/imports/{run['id']}")).status_code == 404
    assert (await stranger.get("/imports")).json()["items"] == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_only_an_admin_takes_records_over(city: TestCity, role):
    client = await city.as_(role)
    answer = await client.post(
        "/imports?source=311", content=table(row()).encode(), headers={"Content-Type": "text/csv"}
    )

    assert answer.status_code == 403
    assert await city.count(Removal) == 0


@pytest.mark.parametrize(("many", "times"), [(2, 1), (3, 0)])
async def test_after_many_rows_the_planner_is_told(
    city: TestCity, monkeypatch: pytest.MonkeyPatch, many: int, times: int
):
    async def told() -> int:
        asked = "SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'ledger_entry'"
        return (await city.database.fetch(asked))[0]["analyze_count"]

    monkeypatch.setattr(graffiti, "MANY", many)
    before = await told()
    assert figures(await send(city, table(row("1"), row("2"))))["imported"] == 2
    assert await told() - before == times

"""The same numbers in a spreadsheet: in the reader's language, and nothing in it comes alive."""

import csv
import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from app.domain.metrics import Metric
from app.domain.permissions import Role
from app.exports import as_csv, as_xlsx
from app.models.cities import District
from app.services.reports.sheets import Sheet
from tests.city import DISTRICTS, TestCity
from tests.metrics.facts import DAY, entry

SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REPORTS = ("", "/funnel", "/map", "/leaderboard", "/findings/series")
PUBLIC = ("", "/map", "/leaderboard", "/findings/series")
EVIL = ("=1+1", "+1", "-1", "@A1", "\tx", "\rx", "＝1+1", "https://shop.example", '=HYPERLINK("x")', 'plain, "quoted"')


def rows_of_csv(body: bytes) -> list[list[str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def rows_of_xlsx(body: bytes) -> list[list[Any]]:
    """Texts as text, and numbers and days as the numbers that they are in a spreadsheet; empty cells are left out."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        assert book.testzip() is None
        page = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 made a moment ago
        texts = [
            "".join(part.text or "" for part in item.iter(f"{SPREADSHEET}t"))
            for item in ET.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314 see above
        ]
        assert not [name for name in book.namelist() if "externalLink" in name or name.endswith(".bin")]
        assert b"hyperlink" not in book.read("xl/worksheets/sheet1.xml")
    assert list(page.iter(f"{SPREADSHEET}f")) == []
    return [[_value(cell, texts) for cell in row] for row in page.iter(f"{SPREADSHEET}row")]


def _value(cell: ET.Element, texts: list[str]) -> Any:
    value = cell.findtext(f"{SPREADSHEET}v") or ""
    return texts[int(value)] if cell.get("t") == "s" else float(value)


async def exported(city: TestCity, path: str, form: str, language: str = "en", **query: Any) -> httpx.Response:
    analyst = await city.as_(Role.ANALYST)
    answer = await analyst.get(
        f"/metrics{path}", params={"format": form, **query}, headers={"Accept-Language": language}
    )
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_table_has_the_numbers_of_the_document(city: TestCity):
    await city.add(entry(city, 5, district_id="west"), entry(city, -2), entry(city, metric=Metric.FINDINGS))
    asked = {"from": f"{DAY}", "to": f"{DAY}", "by_district": True}
    found = (await (await city.as_(Role.ANALYST)).get("/metrics/graffiti_painted/series", params=asked)).json()
    header, *rows = rows_of_csv((await exported(city, "/graffiti_painted/series", "csv", **asked)).content)
    assert header[:4] == ["Metric", "Metric code", "District", "Period"]
    assert [row[2:] for row in rows] == [
        ["", "2026-03-01", "2026-03-01", "2026-03-01", "3", "3", "0", ""],
        ["district not known", "2026-03-01", "2026-03-01", "2026-03-01", "-2", "-2", "0", ""],
        ["west", "2026-03-01", "2026-03-01", "2026-03-01", "5", "5", "0", ""],
    ]
    assert found["total"] == 3
    _, *rows = rows_of_xlsx((await exported(city, "/graffiti_painted/series", "xlsx", **asked)).content)
    assert [row[-3:] for row in rows] == [[3, 3, 0], [-2, -2, 0], [5, 5, 0]]


async def test_the_table_of_all_metrics(city: TestCity):
    await city.add(entry(city, 5, district_id="west"))
    answer = await exported(city, "", "csv", by_district=True, days=1, to=f"{DAY}")
    _, *rows = rows_of_csv(answer.content)
    assert {row[1] for row in rows} == set(Metric)
    assert [row[2:5] for row in rows if row[1] == "graffiti_painted"] == [
        ["", "", "5"],
        ["west", "", "5"],
        ["", "2026-03-01", "5"],
    ]


@pytest.mark.parametrize("path", REPORTS)
async def test_every_report_is_a_table_in_each_language(city: TestCity, path: str):
    await city.add(entry(city, 7, district_id="west"), entry(city, metric=Metric.FINDINGS))
    headers = set()
    for language in ("kk", "ru", "en"):
        plain, book = [await exported(city, path, form, language) for form in ("csv", "xlsx")]
        assert plain.headers["Content-Language"] == book.headers["Content-Language"] == language
        assert re.fullmatch(r'attachment; filename="[a-z_-]+\.xlsx"', book.headers["Content-Disposition"])
        assert "Accept-Language" in plain.headers["Vary"]
        header, first = rows_of_csv(plain.content)[0], rows_of_xlsx(book.content)[0]
        assert header == first
        headers.add(tuple(header))
    assert len(headers) == 3


@pytest.mark.parametrize("path", PUBLIC)
async def test_everybody_may_have_the_public_tables(city: TestCity, path: str):
    for form in ("csv", "xlsx"):
        answer = await city.anonymous.get(f"/public/{city.id}/metrics{path}", params={"format": form})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=1")
        rows = rows_of_csv(answer.content) if form == "csv" else rows_of_xlsx(answer.content)
        assert rows[0]


async def test_of_people_the_public_table_has_totals_only(city: TestCity):
    await city.add(entry(city, 5, metric=Metric.VOLUNTEERS_STREET, district_id="west"))
    asked = {"format": "csv", "by_district": True, "days": 3}
    _, *rows = rows_of_csv((await city.anonymous.get(f"/public/{city.id}/metrics", params=asked)).content)
    street = [row[2:] for row in rows if row[1] == "volunteers_street"]
    assert street == [["", "", "5", "5", "0", *[""] * 10]]


async def test_nothing_in_a_table_comes_alive(city: TestCity):
    sheet = Sheet("x", ("district",), [(text,) for text in EVIL])
    cells = [row[0] for row in rows_of_csv(as_csv(sheet, "en"))[1:]]
    assert cells == [text if text.startswith(("https", "plain")) else f"'{text}" for text in EVIL]
    assert [row[0].replace("_x000D_", "\r") for row in rows_of_xlsx(as_xlsx(sheet, "en"))[1:]] == list(EVIL)


async def test_a_districts_name_that_is_a_formula_stays_a_name(city: TestCity):
    names = dict.fromkeys(("name_kk", "name_ru", "name_en"), "=cmd|' /C calc'!A0")
    outline = {"type": "Polygon", "coordinates": [[[78, 43], [79, 43], [79, 44], [78, 43]]]}
    await city.add(District(city_id=city.id, id="evil", outline=outline, source="made up", **names))
    plain = rows_of_csv((await exported(city, "/leaderboard", "csv", "kk")).content)
    assert [row[1] for row in plain[1:]] == ["east", "'=cmd|' /C calc'!A0", "west"]
    assert len(rows_of_xlsx((await exported(city, "/leaderboard", "xlsx")).content)) == len(DISTRICTS) + 2


async def test_a_table_has_an_etag_of_its_own_in_each_language(city: TestCity):
    analyst = await city.as_(Role.ANALYST)
    for path in REPORTS:
        asked = [("json", "en"), *((form, language) for form in ("csv", "xlsx") for language in ("kk", "en"))]
        etags = [(await exported(city, path, form, language)).headers["ETag"] for form, language in asked]
        assert len(set(etags)) == len(asked)
        for (form, language), etag in zip(asked, etags, strict=True):
            headers = {"If-None-Match": etag, "Accept-Language": language}
            again = await analyst.get(f"/metrics{path}", params={"format": form}, headers=headers)
            assert again.status_code == 304

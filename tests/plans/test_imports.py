"""A plan from a workbook: its good rows come in, each bad one is told by its number, and no file can do harm."""

import random
import zipfile
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from app.domain.errors import Invalid
from app.domain.permissions import Role
from app.messages import CATALOGUE
from app.models.plans import Plan, PlanItem
from app.services.plans import workbook
from tests.city import TestCity
from tests.plans.books import RUSSIAN, SHEET, book, refusals, repacked, saved, send

WALLS = ("Чистые стены", "1.1", "Закрасить трафареты", "Управление молодёжи", date(2026, 11, 30))
TARGET = ("Закрашенные надписи", 18_000, "west", None, None)


async def progress(city: TestCity, plan_id: str) -> list[tuple[str, list[str]]]:
    """The directions, each with its items' numbers."""
    found = (await (await city.as_(Role.ANALYST)).get(f"/plans/{plan_id}/progress")).json()
    return [(each["title"], [item["number"] for item in each["items"]]) for each in found["directions"]]


def metric_names(metric: str = "graffiti_painted") -> list[str]:
    return [metric.upper(), *CATALOGUE["metrics"][metric]["name"].values()]


async def test_a_plan_comes_in_as_a_draft_with_its_directions_items_and_targets(city: TestCity):
    answer = await send(
        city,
        book(
            (*WALLS, metric_names()[2], 18_000, "WEST", "2026-03-01", "31.10.2026"),
            (None, None, "Снять объявления", None, "30.06.2026"),
            ("Интернет", 2, "Проверить каналы", "Акимат", datetime(2026, 12, 1, 10, 0)),  # noqa: DTZ001 as Excel has it
        ),
        language="ru",
    )

    report = answer.json()
    assert answer.status_code == 201, report
    assert (report["rows"], report["directions"], report["items"], report["refused"]) == (3, 2, 3, 0)
    assert answer.headers["location"] == f"/v1/plans/{report['plan_id']}"
    assert await progress(city, report["plan_id"]) == [("Чистые стены", ["1.1", "1.2"]), ("Интернет", ["2"])]
    items = {item.number: item for item in await city.rows(PlanItem)}
    assert (items["1.1"].metric, items["1.1"].amount, items["1.1"].district_id) == ("graffiti_painted", 18_000, "west")
    assert (str(items["1.1"].counted_from), str(items["1.1"].counted_to)) == ("2026-03-01", "2026-10-31")
    assert (items["1.1"].owner, str(items["1.2"].due_on), str(items["2"].due_on)) == (
        "Управление молодёжи",
        "2026-06-30",
        "2026-12-01",
    )
    (plan,) = await city.rows(Plan)
    assert (plan.status, plan.title, plan.language) == ("draft", "Plan", "en")


@pytest.mark.parametrize(
    "header",
    [
        RUSSIAN,
        ("Бағыты", "Р/с", "Іс-шара", "Жауапты орган", "Мерзімі"),
        ("Direction", "No.", "Item", "Responsible", "Due date"),
        ("НАПРАВЛЕНИЕ ", "№", "Наименование мероприятия", "Исполнитель", "Срок\nисполнения"),
    ],
)
async def test_headings_are_known_in_each_language_below_a_title(city: TestCity, header: tuple[str, ...]):
    content = book(("на 2026 год",), (), header, WALLS, header=("Программа «Наркостоп»",))
    report = (await send(city, content)).json()

    assert (report["items"], report["refused"]) == (1, 0)
    (item,) = await city.rows(PlanItem)
    assert (item.number, item.owner) == ("1.1", "Управление молодёжи")


async def test_a_metric_is_known_by_its_code_and_by_its_names(city: TestCity):
    rows = [
        ("Стены", f"1.{n}", "Закрасить", None, "2026-11-30", name, "1 000") for n, name in enumerate(metric_names(), 1)
    ]
    report = (await send(city, book(*rows))).json()

    assert (report["items"], report["refused_rows"]) == (4, [])
    assert {(item.metric, item.amount) for item in await city.rows(PlanItem)} == {("graffiti_painted", 1_000)}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("Стены", "1.1", None, None, "2026-11-30"), ("title", "missing")),
        (("Стены", "1.1", "Закрасить", None, None), ("due_on", "missing")),
        (("Стены", "1.1", "Закрасить", None, "IV квартал"), ("due_on", "not_a_day")),
        (("Стены", "1.1", "Закрасить", None, "2025-12-31"), ("due_on", "before_plan")),
        (("Стены", "1.1", "Закрасить", None, date(1999, 1, 1)), ("due_on", "date_range")),
        (("Стены", "первый", "Закрасить", None, "2026-11-30"), ("number", "wrong_pattern")),
        (("Стены", "1.1", "x" * 501, None, "2026-11-30"), ("title", "too_long")),
        (("Стены", "1.1", "Закрасить", "8 701 123 45 67", "2026-11-30"), ("owner", "contact")),
        ((*WALLS, "Стены", 5), ("metric", "no_such_metric")),
        ((*WALLS, "raids_held", None), ("amount", "missing")),
        ((*WALLS, None, 5), ("metric", "missing")),
        ((*WALLS, "raids_held", 5.5), ("amount", "not_whole")),
        ((*WALLS, "raids_held", "много"), ("amount", "not_whole")),
        ((*WALLS, "raids_held", True), ("amount", "not_whole")),
        ((*WALLS, "raids_held", 0), ("amount", "too_small")),
        ((*WALLS, "raids_held", 5, "north"), ("district", "no_such_district")),
        ((*WALLS, "raids_held", 5, None, "2026-10-02", "2026-10-01"), ("to", "ends_before_start")),
        ((*WALLS, "raids_held", "=2+3"), ("amount", "formula")),
        (("Стены", "1.1", '=HYPERLINK("http://evil.example","x")', None, "2026-11-30"), ("title", "formula")),
    ],
)
async def test_a_bad_row_is_told_and_the_good_ones_come_in(
    city: TestCity, row: tuple[Any, ...], expected: tuple[str, str]
):
    answer = await send(city, book(row, ("Интернет", "9", "Проверить", None, "2026-11-30")))

    assert refusals(answer) == [(2, *expected)]
    assert all(told["detail"] for told in answer.json()["refused_rows"])
    assert [item.number for item in await city.rows(PlanItem)] == ["9"]


async def test_a_number_that_stands_twice_and_a_row_before_any_direction_are_refused(city: TestCity):
    answer = await send(city, book((None, *WALLS[1:]), WALLS, WALLS), language="kk")

    assert refusals(answer) == [(2, "direction", "missing"), (4, "number", "id_twice")]
    assert "3-жолында" in answer.json()["refused_rows"][1]["detail"]


async def test_a_dry_run_judges_and_writes_nothing(city: TestCity):
    answer = await send(city, book(WALLS, (None, "x")), dry_run=True)

    report = answer.json()
    assert (answer.status_code, report["plan_id"], report["items"], report["refused"]) == (200, None, 1, 0)
    assert await city.count(Plan) == 0


async def test_without_a_good_row_there_is_no_plan(city: TestCity):
    answer = await send(city, book(("Стены", "1", "Закрасить", None, "скоро")))

    assert (answer.status_code, answer.json()["plan_id"], answer.json()["refused"]) == (200, None, 1)
    assert await city.count(Plan) == 0


async def test_the_same_title_does_not_come_in_twice(city: TestCity):
    assert (await send(city, book(WALLS))).status_code == 201
    again = await send(city, book(WALLS))
    assert (again.status_code, again.json()["code"]) == (409, "title_taken")


async def test_more_rows_than_a_plan_has_items_are_refused_by_number(city: TestCity, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.domain.plan_rows.MOST_ITEMS", 3)
    rows = [("Стены", None, f"Дом {number}", None, "2026-11-30") for number in range(5)]
    answer = await send(city, book(*rows))

    assert refusals(answer) == [(5, "", "too_long"), (6, "", "too_long")]
    assert await city.count(PlanItem) == 3


GOOD = book(WALLS)
# A few kB when it is packed.
BOMB = repacked(GOOD, {"xl/bomb.xml": b" " * 9 * 1024 * 1024})
DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'
FAR = repacked(
    GOOD,
    {
        SHEET: b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<dimension ref="A1:XFD1048576"/><sheetData><row r="1048576">'
        b'<c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    },
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no workbook", "xlsx_unreadable"),
        (GOOD[: len(GOOD) // 2], "xlsx_unreadable"),
        (repacked(GOOD, {"[Content_Types].xml": b"<a>"}), "xlsx_unreadable"),
        (repacked(GOOD, {"xl/evil.xml": DOCTYPE}), "xlsx_unreadable"),
        (repacked(GOOD, {"xl/evil.xml": DOCTYPE.decode().encode("utf-16")}), "xlsx_unreadable"),
        (repacked(GOOD, {}, zipfile.ZIP_BZIP2), "xlsx_unreadable"),
        (BOMB, "xlsx_too_large"),
        (repacked(GOOD, {SHEET: b"<c/>" * 200_001}), "xlsx_too_large"),
        (repacked(GOOD, {SHEET: b"<c " + b'a="" ' * 200_001 + b"/>"}), "xlsx_too_large"),
        (repacked(GOOD, {f"xl/{n}.xml": b" " for n in range(200)}), "xlsx_too_large"),
        (FAR, "xlsx_no_table"),
        (saved(Workbook()), "xlsx_no_table"),
        (book(WALLS, header=(*RUSSIAN, "Срок")), "column_twice"),
        (book(WALLS, header=RUSSIAN[:4]), "xlsx_no_table"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_file_that_is_no_plan_or_means_harm_is_refused_whole(city: TestCity, content: bytes, code: str):
    refused = await send(city, content)

    assert (refused.status_code, [error["code"] for error in refused.json()["errors"]]) == (422, [code])
    assert await city.count(Plan) == 0


async def test_a_file_beyond_the_bound_and_another_type_are_refused_before_they_are_opened(city: TestCity):
    assert (await send(city, b"x" * (workbook.MOST_BYTES + 1))).status_code == 413
    coordinator = await city.as_(Role.COORDINATOR)
    other = await coordinator.post("/plans/imports", content=GOOD, headers={"Content-Type": "text/csv"})
    assert other.status_code == 415


def test_whatever_is_wrong_in_a_workbook_it_is_read_or_refused():
    dice = random.Random(9)  # noqa: S311 made the same each time
    outcomes = set[str]()
    with zipfile.ZipFile(BytesIO(GOOD)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(300):
        name = dice.choice([*files])
        broken = bytearray(files[name])
        for _ in range(dice.randint(1, 3)):
            broken[dice.randrange(len(broken))] = dice.choice(b'<>/"=0aA\xff')
        try:
            outcomes.add(f"{len(workbook.read(repacked(GOOD, {name: bytes(broken)})))} rows")
        except Invalid as refused:
            outcomes.add(refused.faults[0].code)
    assert {"1 rows", "xlsx_unreadable", "xlsx_no_table"} <= outcomes


async def test_the_terminal_does_the_same(city: TestCity, told, refused, tmp_path: Path):
    file = tmp_path / "plan.xlsx"
    file.write_bytes(book(WALLS, ("Стены", "7", "Закрасить", None, "скоро")))
    command = ("import", "plan", str(file), "--city", city.id, "--title", "Year", "--days", "2026-01-01", "2026-12-31")

    tried = await told(*command, "--dry-run")
    assert "Nothing was written" in tried
    assert await city.count(Plan) == 0
    done = await told(*command)
    assert "1 items" in done
    assert "Row 3: due_on A date is needed" in done
    (plan,) = await city.rows(Plan)
    assert (plan.title, plan.language, plan.drafted_by) == ("Year", "ru", None)
    assert "another plan with this title" in await refused(*command)
    file.write_bytes(b"no workbook")
    assert "not a workbook" in await refused(*command[:6], "Other", *command[7:])
    assert "starts_on" in await refused(*command[:6], "Other", "--days", "1999-01-01", "2026-12-31")

"""Small workbooks, as offices write them."""

import zipfile
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from httpx import Response
from openpyxl import Workbook

from app.domain.permissions import Role
from app.routers.plans import XLSX
from tests.city import TestCity, plan_draft

RUSSIAN = ("Направление", "№ п/п", "Мероприятие", "Ответственный исполнитель", "Срок исполнения")
TARGETS = ("Показатель", "Целевое значение", "Район", "Начало", "Окончание")
SHEET = "xl/worksheets/sheet1.xml"


def book(*rows: Sequence[Any], header: Sequence[Any] = (*RUSSIAN, *TARGETS)) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet
    for row in (header, *rows):
        sheet.append(row)
    return saved(workbook)


def saved(workbook: Workbook) -> bytes:
    content = BytesIO()
    workbook.save(content)
    return content.getvalue()


def repacked(content: bytes, replaced: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """With other files in place of its own, or beside them."""
    packed = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as before, zipfile.ZipFile(packed, "w", method) as after:
        for name in {*before.namelist(), *replaced}:
            after.writestr(name, replaced.get(name) or before.read(name))
    return packed.getvalue()


async def send(city: TestCity, content: bytes, language: str = "en", **query: Any) -> Response:
    coordinator = await city.as_(Role.COORDINATOR)
    headers = {"Content-Type": XLSX, "Accept-Language": language}
    return await coordinator.post("/plans/imports", params=plan_draft(**query), content=content, headers=headers)


def refusals(response: Response) -> list[tuple[int, str, str]]:
    return [(row["row"], row["field"], row["code"]) for row in response.json()["refused_rows"]]

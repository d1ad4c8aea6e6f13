"""Small tables of removals, as offices write them."""

from collections.abc import Mapping
from typing import Any

from httpx import Response

from app.domain.permissions import Role
from tests.city import IN_WEST, TestCity

HEADER = ("external_id", "removed_on", "latitude", "longitude", "address", "surface", "kind", "inscriptions")


def row(external_id: str = "1", /, **cells: Any) -> dict[str, Any]:
    """A good one, in the western district, unless told otherwise."""
    return {"external_id": external_id, "removed_on": "2025-05-31", **IN_WEST, "inscriptions": 3, **cells}


def table(*rows: Mapping[str, Any], delimiter: str = ",") -> str:
    lines = [HEADER, *([str(cells.get(name, "")) for name in HEADER] for cells in rows)]
    return "".join(delimiter.join(line) + "\r\n" for line in lines)


async def send(
    city: TestCity, content: str | bytes, headers: Mapping[str, str] | None = None, **query: Any
) -> Response:
    admin = await city.as_(Role.ADMIN)
    body = content.encode() if isinstance(content, str) else content
    asked = {"source": "311", **query}
    return await admin.post(
        "/imports", params=asked, content=body, headers={"Content-Type": "text/csv", **(headers or {})}
    )


def figures(response: Response) -> dict[str, int]:
    """Those that are not 0."""
    assert response.status_code in {200, 201}, response.text
    names = ("rows", "imported", "already_there", "without_point", "refused", "left_out")
    return {name: response.json()[name] for name in names if response.json()[name]}

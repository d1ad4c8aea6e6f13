import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.config import Settings

DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    error: str


@pytest.fixture
def narkostop(settings: Settings) -> Callable[..., Awaitable[Said]]:
    """The command as a process of its own, on the database of these tests."""
    assert settings.secret_key
    environment = {
        "DATABASE_URL": settings.database_url or "",
        "NARKOSTOP_SECRET_KEY": settings.secret_key.get_secret_value(),
        "COLUMNS": "200",
    }

    async def run(*arguments: str | Path) -> Said:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("narkostop"),
            *arguments,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        return Said(process.returncode or 0, out.decode(), error.decode())

    return run


@pytest.fixture
def osm_file() -> Path:
    file = DATA / "almaty-districts-osm.geojson"
    if not file.exists():
        pytest.skip("the full boundaries are not in this clone: ../shared/data/almaty-districts-osm.geojson")
    return file

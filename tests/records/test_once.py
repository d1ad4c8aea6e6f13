"""Once the count: sent again, sent by two at a time, and begun again after it was killed in the middle."""

import asyncio
from pathlib import Path

import pytest
from asyncpg import Connection

from app.models.ledger import LedgerEntry
from app.models.records import RecordsImport
from app.models.spots import Removal, Spot
from app.services.records import staging
from tests.city import TestCity
from tests.commands import started
from tests.records.conftest import Watcher
from tests.records.files import figures, row, send, table

# More than are written at once.
ROWS = 2_500
FILE = table(*(row(str(number), latitude=43 + number / ROWS) for number in range(ROWS)))
WRITTEN = (Spot, Removal, LedgerEntry, RecordsImport)


async def test_the_same_file_again_changes_nothing(city: TestCity):
    assert figures(await send(city, FILE)) == {"rows": ROWS, "imported": ROWS}
    before = await city.totals()

    assert figures(await send(city, FILE)) == {"rows": ROWS, "already_there": ROWS}
    assert (await city.totals())["graffiti_painted"] == before["graffiti_painted"]
    assert before["graffiti_painted"]["recorded"] == ROWS * 3


async def test_the_same_id_of_another_source_or_city_is_another_removal(city: TestCity, other_city: TestCity):
    for where, source in ((city, "311"), (city, "akimat"), (other_city, "311")):
        assert figures(await send(where, table(row()), source=source)) == {"rows": 1, "imported": 1}

    assert [await where.count(Removal) for where in (city, other_city)] == [2, 1]
    assert [await where.count(Spot) for where in (city, other_city)] == [1, 1]


async def test_a_retry_with_its_key_gets_the_first_answer(city: TestCity):
    first, second = [await send(city, table(row()), {"Idempotency-Key": "k-1"}) for _ in range(2)]

    assert first.json() == second.json()
    assert await city.count(RecordsImport) == 1


async def test_two_importers_at_one_time_count_once(city: TestCity, holder: Connection, watcher: Watcher):
    async with holder.transaction():
        await holder.execute("SELECT 1 FROM city WHERE id = $1 FOR NO KEY UPDATE", city.id)
        both = [asyncio.create_task(send(city, FILE)) for _ in range(2)]
        await watcher.blocked(2)
    second, first = sorted([figures(answer) for answer in await asyncio.gather(*both)], key=sorted)

    assert first == {"rows": ROWS, "imported": ROWS}
    assert second == {"rows": ROWS, "already_there": ROWS}
    assert [await city.count(model) for model in WRITTEN] == [ROWS, ROWS, ROWS, 2]


async def test_another_city_does_not_wait(city: TestCity, other_city: TestCity, holder: Connection):
    async with holder.transaction():
        await holder.execute("SELECT 1 FROM city WHERE id = $1 FOR NO KEY UPDATE", city.id)
        async with asyncio.timeout(5):
            assert figures(await send(other_city, table(row()))) == {"rows": 1, "imported": 1}


async def test_who_waits_too_long_is_told_to_come_back(city: TestCity, holder: Connection, monkeypatch):
    monkeypatch.setattr(staging, "_LARGE_SETS", staging._LARGE_SETS.replace("30s", "100ms"))
    async with holder.transaction():
        await holder.execute("SELECT 1 FROM city WHERE id = $1 FOR NO KEY UPDATE", city.id)
        answer = await send(city, table(row()))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert await city.count(Removal) == 0


HELD = {
    "while it waits for its turn": "SELECT 1 FROM city WHERE id = '{city}' FOR NO KEY UPDATE",
    "when its spots are written": "LOCK TABLE removal IN SHARE MODE",
    "when its removals are written": "LOCK TABLE ledger_entry IN SHARE MODE",
}


@pytest.fixture
def killed(city: TestCity, holder: Connection, watcher: Watcher, environment: dict[str, str]):
    """Runs a command until it needs what is held, and kills it there with SIGKILL."""

    async def run(hold: str, *command: str) -> None:
        async with holder.transaction():
            await holder.execute(hold.format(city=city.id))
            importer = await started(environment, *command)
            try:
                (backend,) = await watcher.blocked(1)
            finally:
                importer.kill()
                await importer.communicate()
        await watcher.gone(backend)

    return run


@pytest.mark.parametrize("moment", HELD)
async def test_killed_in_the_middle_and_run_again_it_counts_once(city: TestCity, killed, told, tmp_path: Path, moment):
    file = tmp_path / "removals.csv"
    file.write_text(FILE)
    command = ("import", "graffiti", str(file), "--city", city.id, "--source", "311")

    await killed(HELD[moment], *command)
    assert [await city.count(model) for model in WRITTEN] == [0, 0, 0, 0]

    assert f"{ROWS:,} imported" in await told(*command)
    assert [await city.count(model) for model in WRITTEN] == [ROWS, ROWS, ROWS, 1]
    assert (await city.totals())["graffiti_painted"]["recorded"] == ROWS * 3

"""A sealer that is killed leaves no half of a seal, and its entries to the next one."""

import signal

from app.models.seals import Seal, SealedEntry
from app.services import reconciling
from tests.city import TestCity
from tests.killed import having_said
from tests.seals.sealing import fact, sealed, verified

SEAL_AND_WAIT = """
import asyncio, sys
from app.core.database import Database, DatabaseOptions
from app.jobs import sealing
from app.services import moments, seals

async def main():
    async with Database.opened(DatabaseOptions(sys.argv[1])) as database:
        marked = await sealing.mark(database)
        while True:
            async with database.transaction() as session:
                if await moments.has_settled(session, sys.argv[2], marked):
                    print(await seals.close(session, sys.argv[2], marked), flush=True)
                    await asyncio.sleep(60)
            await asyncio.sleep(0.05)

asyncio.run(main())
"""


async def test_killed_before_its_commit_it_has_sealed_nothing(city: TestCity):
    for _ in range(5):
        await fact(city)
    url = city.app.state.settings.database_url
    async with having_said(5, SEAL_AND_WAIT, url, city.id) as process:
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL

    assert (await city.count(Seal), await city.count(SealedEntry)) == (0, 0)
    assert await sealed(city) == 1
    assert await city.count(SealedEntry) == 5
    verdict = await verified(city)
    assert (verdict.seals, verdict.entries, verdict.misfit) == (1, 5, None)
    async with city.database.transaction() as session:
        assert await reconciling.differences(session, city.id) == []

"""`narkostop ledger reconcile`, as somebody runs it who does not trust the numbers."""

import subprocess
import sys
from pathlib import Path

from tests.city import TestCity
from tests.metrics.test_polling import sighting
from tests.metrics.test_sums import start_again

NARKOSTOP = Path(sys.executable).with_name("narkostop")


def reconcile(city: TestCity) -> "subprocess.CompletedProcess[str]":
    environment = {"DATABASE_URL": city.app.state.settings.database_url, "NARKOSTOP_SECRET_KEY": "x" * 32}
    command = [NARKOSTOP, "ledger", "reconcile", "--city", city.id]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


async def test_it_says_that_all_is_well_or_what_is_not(city: TestCity):
    await city.add(sighting(city))
    await start_again(city)
    well = reconcile(city)
    assert (well.returncode, well.stdout) == (0, f"{city.id}: 0 differences\n"), well.stderr

    connection = await city.connect()
    wrong = "UPDATE tally SET sightings_recorded = 6 WHERE city_id = $1 AND area = '*' AND span = 'ever'"
    await connection.execute(wrong, city.id)
    await connection.close()
    found = reconcile(city)
    assert found.returncode == 1
    assert "sightings_recorded is 6, the entries say 1" in found.stdout
    assert "the tally does not fit the ledger" in found.stderr

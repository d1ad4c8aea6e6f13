"""`narkostop ledger reconcile`, as somebody runs it who does not trust the numbers."""

from tests.city import TestCity
from tests.commands import Narkostop
from tests.metrics.test_polling import sighting
from tests.metrics.test_sums import start_again


async def test_it_says_that_all_is_well_or_what_is_not(city: TestCity, narkostop: Narkostop):
    await city.add(sighting(city))
    await start_again(city)
    well = await narkostop("ledger", "reconcile", "--city", city.id)
    assert (well.status, well.out) == (0, f"{city.id}: 0 differences\n"), well.error

    connection = await city.connect()
    wrong = "UPDATE tally SET sightings_recorded = 6 WHERE city_id = $1 AND area = '*' AND span = 'ever'"
    await connection.execute(wrong, city.id)
    await connection.close()
    found = await narkostop("ledger", "reconcile", "--city", city.id)
    assert found.status == 1
    assert "*, ever 2000-01-01, first page: sightings_recorded is 6, the entries say 1" in found.out
    assert "the tally does not fit the ledger" in found.error

from app.domain.permissions import Role
from app.models.ledger import LedgerEntry
from tests.city import TestCity, removal


async def test_a_removal_counts_when_its_raid_is_finished(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    await coordinator.post(f"/raids/{raid['id']}/removals", json=removal(inscriptions=7))
    assert (await city.totals())["graffiti_painted"]["total"] == 0

    finished = await coordinator.post(f"/raids/{raid['id']}/finish")

    assert finished.json()["status"] == "done"
    painted = (await city.totals(by_district=True))["graffiti_painted"]
    assert (painted["total"], painted["recorded"], painted["declared"]) == (7, 7, 0)
    assert [part["district_id"] for part in painted["districts"]] == ["west"]
    assert (await city.totals())["raids_held"]["total"] == 1


async def test_a_refused_step_writes_nothing(city: TestCity):
    raid = await city.open_raid()
    coordinator = await city.as_(Role.COORDINATOR)

    refused = await coordinator.post(f"/raids/{raid['id']}/finish")

    assert refused.status_code == 409
    assert refused.json()["detail"] == "This raid is “open”: finishing is not possible."
    assert await city.count(LedgerEntry) == 0

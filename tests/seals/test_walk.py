"""From a total down to the entries that it is the sum of."""

from datetime import timedelta

import pytest

from app.core.ids import new_id
from app.domain.metrics import Metric, Origin
from app.domain.permissions import Role
from tests.city import TestCity, removal
from tests.metrics.facts import DAY, entry
from tests.seals.sealing import fact, sealed


async def test_a_total_is_the_sum_of_the_entries_that_the_same_filters_list(city: TestCity):
    await city.add(
        entry(city, 5, district_id="west"),
        entry(city, 7, occurred_on=DAY + timedelta(days=1)),
        entry(city, 100, origin=Origin.DECLARED),
        entry(city, 3, metric=Metric.SIGHTINGS),
    )
    analyst = await city.as_(Role.ANALYST)
    asked = {"metric": "graffiti_painted", "limit": 2}
    first = (await analyst.get("/ledger", params=asked)).json()
    second = (await analyst.get("/ledger", params={**asked, "after": first["next"]})).json()
    assert second["next"] is None
    items = first["items"] + second["items"]
    assert sum(item["amount"] for item in items) == (await city.totals())["graffiti_painted"]["total"] == 112
    assert [item["subject_kind"] for item in items] == ["declared_count", "removal", "removal"]
    assert {item["seal_id"] for item in items} == {None}


@pytest.mark.parametrize(
    ("asked", "amounts"),
    [
        ({"district": "west"}, [5]),
        ({"has_district": "true"}, [5]),
        ({"has_district": "false"}, [100, 7]),
        ({"has_district": "false", "district": "west"}, []),
        ({"from_day": "2026-03-02"}, [7]),
        ({"to_day": "2026-03-01", "origin": "recorded"}, [5]),
        ({"as_of": "2026-01-01T00:00:00Z"}, []),
    ],
)
async def test_each_filter_narrows(city: TestCity, asked: dict[str, str], amounts: list[int]):
    await city.add(
        entry(city, 5, district_id="west"),
        entry(city, 7, occurred_on=DAY + timedelta(days=1)),
        entry(city, 100, origin=Origin.DECLARED),
    )
    listed = await (await city.as_(Role.COORDINATOR)).get("/ledger", params=asked)
    assert [item["amount"] for item in listed.json()["items"]] == amounts


async def test_an_entry_leads_to_its_removal_and_to_its_reversal(city: TestCity):
    raid = await city.raid_under_way()
    coordinator = await city.as_(Role.COORDINATOR)
    painted = (await coordinator.post(f"/raids/{raid['id']}/removals", json=removal())).json()
    await coordinator.post(f"/raids/{raid['id']}/finish")
    admin = await city.as_(Role.ADMIN)
    await admin.post(f"/checks/{painted['id']}/dispute", json={"reason": "Still there"})
    await sealed(city)
    listed = (await coordinator.get("/ledger", params={"subject_id": painted["id"]})).json()["items"]
    undone, done = [item for item in listed if item["metric"] == "graffiti_painted"]
    assert (done["subject_kind"], done["amount"], undone["amount"]) == ("removal", 7, -7)
    assert undone["reverses_id"] == done["id"]
    assert done["seal_id"] is not None


async def test_another_citys_entries_are_not_listed(city: TestCity):
    await fact(city, subject_id=(subject := new_id()))
    republic = await city.client_of(await city.account(Role.ANALYST, city_id=None))
    mine = await republic.get("/ledger", params={"subject_id": str(subject)}, headers={"X-City": city.id})
    assert len(mine.json()["items"]) == 1
    other = await republic.get("/ledger", params={"subject_id": str(subject)}, headers={"X-City": "almaty"})
    assert other.status_code == 404 or other.json()["items"] == []

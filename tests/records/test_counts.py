"""Totals that offices declared: each kept with its source, none added to another one of the same days."""

from pathlib import Path

import pytest
from asyncpg import Connection

from app.domain.permissions import Role
from app.models.ledger import DeclaredCount, LedgerEntry
from app.models.records import RecordsImport
from app.services.records import staging
from tests.city import TestCity
from tests.records.files import row, send, table

ALMATY = Path(__file__).parents[2] / "data" / "almaty-2025.csv"
HEADER = "metric,period_from,period_to,amount,precision,source,published_on,url"
POLICE = "graffiti_painted,2025-01-01,2025-12-31,15000,at_least,police,2026-01-20,"
YOUTH = "graffiti_painted,2025-01-01,2025-12-07,18000,at_least,youth policy,2025-12-07,https://example.org/a"


@pytest.fixture
def declared(city: TestCity, told, tmp_path: Path):
    """What `narkostop import counts` says to these rows."""

    async def run(*lines: str, header: str = HEADER) -> str:
        file = tmp_path / "declared.csv"
        file.write_text("\n".join((header, *lines)) + "\n")
        return await told("import", "counts", str(file), "--city", city.id)

    return run


async def test_almaty_2025_as_it_was_published(city: TestCity, told):
    command = ("import", "counts", str(ALMATY), "--city", city.id)
    first, again = await told(*command), await told(*command)

    assert "7 imported" in first
    assert "1 kept beside another total for the same days, and not counted." in first
    assert "7 already there" in again
    totals = {
        metric: (item["recorded"], item["declared"], item["total"])
        for metric, item in (await city.totals()).items()
        if item["total"]
    }
    assert totals == {
        "graffiti_painted": (0, 18000, 18000),
        "activities_held": (0, 210, 210),
        "volunteers_street": (0, 3500, 3500),
        "volunteers_online": (0, 3000, 3000),
        "resources_referred": (0, 3000, 3000),
        "resources_blocked": (0, 797, 797),
    }
    said = [
        (item["amount"], item["precision"], item["counted"]) for item in await declarations(city, "graffiti_painted")
    ]
    assert said == [(18000, "at_least", True), (15000, "at_least", False)]


async def test_a_total_is_kept_with_its_source_and_counts_on_its_last_day(city: TestCity, declared):
    await declared(YOUTH)

    (count,), (entry,), (run,) = [await city.rows(model) for model in (DeclaredCount, LedgerEntry, RecordsImport)]
    assert (count.source, count.url, count.published_on.isoformat()) == (
        "youth policy",
        "https://example.org/a",
        "2025-12-07",
    )
    assert (entry.origin, entry.amount, entry.subject_id) == ("declared", 18000, count.id)
    assert (entry.occurred_on.isoformat(), entry.district_id) == ("2025-12-07", None)
    assert (run.kind, run.source, run.imported, count.import_id) == ("counts", "declared.csv", 1, run.id)


async def test_the_first_of_overlapping_totals_counts_whichever_file_it_came_in(city: TestCity, declared):
    await declared(POLICE)
    await declared(YOUTH)

    assert (await city.totals())["graffiti_painted"]["declared"] == 15000
    assert {item["source"]: item["counted"] for item in await declarations(city, "graffiti_painted")} == {
        "police": True,
        "youth policy": False,
    }


async def test_totals_of_other_days_or_of_another_metric_are_added(city: TestCity, declared):
    await declared(
        YOUTH,
        "graffiti_painted,2025-12-08,2025-12-31,100,exact,police,2026-01-20,",
        "resources_blocked,2025-01-01,2025-12-31,797,exact,police,2026-01-20,",
    )

    assert (await city.totals())["graffiti_painted"]["declared"] == 18100
    assert (await city.totals())["resources_blocked"]["declared"] == 797


async def test_a_changed_number_of_the_same_source_is_refused_with_both(city: TestCity, declared):
    await declared(YOUTH)
    changed = await declared(YOUTH.replace("18000", "19000"), YOUTH.replace("at_least", "exact"), POLICE)

    assert "2 refused" in changed
    assert "Row 2: amount This source declared 18000 (at least) for these days before" in changed
    assert sorted(count.amount for count in await city.rows(DeclaredCount)) == [15000, 18000]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            YOUTH.replace("graffiti_painted", "graffiti"),
            "metric Must be one of: sightings, spots_reported, graffiti_painted",
        ),
        (YOUTH.replace("graffiti_painted", ""), "metric This is required"),
        (YOUTH.replace("18000", ""), "amount This is required"),
        (YOUTH.replace("18000", "0"), "amount Too small"),
        (YOUTH.replace("18000", "2000000001"), "amount Too big"),
        (YOUTH.replace("18000", "18 000"), "amount A whole number is needed"),
        (YOUTH.replace("at_least", "roughly"), "precision Must be one of: exact, at_least, about"),
        (YOUTH.replace("2025-01-01", "2025-12-08"), "period_to The end must be after the start"),
        (YOUTH.replace("2025-01-01", "1.1.2025"), "period_from A date is needed"),
        (YOUTH.replace("2025-12-07,18000", "2099-12-07,18000"), "period_to This cannot be in the future"),
        (YOUTH.replace("graffiti_painted", "volunteers_street_active"), "metric This says how many there are at a"),
        (YOUTH.replace("2025-12-07,https", "2099-12-07,https"), "published_on This cannot be in the future"),
        (YOUTH.replace("youth policy", ""), "source This is required"),
        (YOUTH.replace("youth policy", "x" * 201), "source Too long: at most 200"),
        (YOUTH + ",more", "The row has 9 cells and the header 8"),
    ],
)
async def test_a_bad_row_is_named_and_the_good_ones_come_in(city: TestCity, declared, line, reason):
    said = await declared(line, POLICE)

    assert f"Row 2: {reason}" in said
    assert [count.source for count in await city.rows(DeclaredCount)] == ["police"]


async def test_precision_and_url_may_be_left_out(city: TestCity, declared):
    header = "metric,period_from,period_to,amount,source,published_on"
    await declared("raids_held,2025-01-01,2025-12-31,210,press,2026-01-20", header=header)

    (count,) = await city.rows(DeclaredCount)
    assert (count.precision, count.url) == ("exact", None)


async def test_a_declared_total_for_days_with_recorded_facts_says_so(city: TestCity, declared):
    await declared(YOUTH, YOUTH.replace("graffiti_painted", "raids_held"))
    assert [item["overlaps_recorded"] for item in await declarations(city, "graffiti_painted")] == [False]

    await send(city, table(row(removed_on="2025-12-08")))
    assert [item["overlaps_recorded"] for item in await declarations(city, "graffiti_painted")] == [False]

    await send(city, table(row("2", removed_on="2025-12-07")))
    assert [item["overlaps_recorded"] for item in await declarations(city, "graffiti_painted")] == [True]
    assert [item["overlaps_recorded"] for item in await declarations(city, "raids_held")] == [False]


async def test_totals_wait_for_another_import_and_are_told_when_it_takes_too_long(
    city: TestCity, refused, holder: Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(staging, "_LARGE_SETS", staging._LARGE_SETS.replace("30s", "100ms"))
    async with holder.transaction():
        await holder.execute("SELECT 1 FROM city WHERE id = $1 FOR NO KEY UPDATE", city.id)
        reason = await refused("import", "counts", str(ALMATY), "--city", city.id)

    assert "narkostop: The service is busy. Nothing was changed" in reason
    assert await city.count(DeclaredCount) == 0


async def declarations(city: TestCity, metric: str) -> list[dict[str, object]]:
    answer = (await (await city.as_(Role.ANALYST)).get("/metrics", params={"days": 0})).json()
    return [item for item in answer["declared"] if item["metric"] == metric]

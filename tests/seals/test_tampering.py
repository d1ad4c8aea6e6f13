"""Whoever owns the server can change what the triggers protect. Then it shows, and where."""

from uuid import UUID

import pytest
from fastapi import FastAPI

from app.core.ids import new_id
from app.domain.seals import SealText
from app.models.seals import Seal, SealedEntry
from app.services.seal_checks import Misfit
from tests.city import TestCity
from tests.commands import Narkostop
from tests.seals.sealing import fact, sealed, tamper, verified

ADD = """
    INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, subject_id, recorded_at)
    SELECT city_id, $3, metric, origin, 5, occurred_on, $3, recorded_at
    FROM ledger_entry WHERE city_id = $1 AND id = $2
"""


@pytest.fixture
async def chain(city: TestCity) -> list[UUID]:
    """Three seals over two entries each."""
    ids: list[UUID] = []
    for _ in range(3):
        ids += [await fact(city), await fact(city)]
        assert await sealed(city) == 1
    return ids


@pytest.mark.parametrize(
    ("statement", "misfit"),
    [
        ("UPDATE ledger_entry SET amount = 99 WHERE city_id = $1 AND id = $2", Misfit.ENTRY_CHANGED),
        ("UPDATE ledger_entry SET recorded_at = now() WHERE city_id = $1 AND id = $2", Misfit.ENTRY_CHANGED),
        ("DELETE FROM ledger_entry WHERE city_id = $1 AND id = $2", Misfit.ENTRY_DELETED),
    ],
)
async def test_an_entry_that_was_touched_is_named(
    app: FastAPI, city: TestCity, chain: list[UUID], statement: str, misfit: Misfit
):
    await tamper(app, statement, city.id, chain[3])
    verdict = await verified(city)
    assert (verdict.misfit, verdict.number, verdict.entry_id) == (misfit, 2, chain[3])


async def test_an_entry_put_in_with_an_old_date_is_named(app: FastAPI, city: TestCity, chain: list[UUID]):
    added = new_id()
    await tamper(app, ADD, city.id, chain[0], added)
    verdict = await verified(city)
    assert (verdict.misfit, verdict.entry_id) == (Misfit.ENTRY_ADDED, added)


async def test_an_entry_put_into_a_seal_does_not_fit_it(app: FastAPI, city: TestCity, chain: list[UUID]):
    added = new_id()
    await tamper(app, ADD, city.id, chain[0], added)
    (seal_id,) = [row.seal_id for row in await city.rows(SealedEntry) if row.id == chain[1]]
    put = "INSERT INTO sealed_entry (city_id, id, seal_id, position, leaf) VALUES ($1, $2, $3, 2, $4)"
    await tamper(app, put, city.id, added, seal_id, bytes(32))
    verdict = await verified(city)
    assert (verdict.misfit, verdict.number, verdict.entry_id) == (Misfit.ENTRY_CHANGED, 1, added)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE seal SET sealed_at = now() WHERE city_id = $1 AND number = 2", (Misfit.SEAL_CHANGED, 2)),
        ("UPDATE seal SET root = digest WHERE city_id = $1 AND number = 2", (Misfit.SEAL_CHANGED, 2)),
        ("DELETE FROM seal WHERE city_id = $1 AND number = 2", (Misfit.SEAL_MISSING, 3)),
        ("DELETE FROM seal WHERE city_id = $1 AND number = 3", (Misfit.SEAL_DELETED, None)),
        (
            "DELETE FROM sealed_entry WHERE city_id = $1 AND position = 1",
            (Misfit.ENTRIES_MOVED, 1),
        ),
    ],
)
async def test_a_seal_that_was_touched_is_named(
    app: FastAPI, city: TestCity, chain: list[UUID], statement: str, found: tuple[Misfit, int | None]
):
    await tamper(app, statement, city.id)
    verdict = await verified(city)
    assert (verdict.misfit, verdict.number) == found


async def test_a_seal_made_again_over_other_entries_does_not_follow(app: FastAPI, city: TestCity, chain: list[UUID]):
    """Its own digest is right, but the next seal has the one from before."""
    second = next(seal for seal in await city.rows(Seal) if seal.number == 2)
    names = ("city_id", "number", "entries", "previous", "complete_until", "sealed_at")
    forged = SealText(root=bytes(32), **{name: getattr(second, name) for name in names})
    change = "UPDATE seal SET root = $2, digest = $3 WHERE city_id = $1 AND number = 2"
    await tamper(app, change, city.id, forged.root, forged.digest())
    verdict = await verified(city)
    assert (verdict.misfit, verdict.number) == (Misfit.ENTRIES_MOVED, 2)


async def test_the_command_ends_with_an_error_that_names_the_entry(app: FastAPI, city: TestCity, narkostop: Narkostop):
    entry_id = await fact(city)
    made = await narkostop("ledger", "seal", "--city", city.id)
    assert (made.status, made.out) == (0, "1 seals made.\n"), made.error
    fits = await narkostop("ledger", "verify", "--city", city.id)
    assert fits.status == 0, fits.error
    assert fits.out.startswith(f"{city.id}: 1 seals over 1 entries fit. The last one's digest is ")
    await tamper(app, "UPDATE ledger_entry SET amount = 99 WHERE city_id = $1 AND id = $2", city.id, entry_id)
    found = await narkostop("ledger", "verify", "--city", city.id)
    assert found.status == 1
    assert found.error == f"narkostop: {city.id}: seal 1, entry {entry_id}: the entry was changed\n"

"""One entry is shown to be in its seal, with nothing but the proof and docs/check_inclusion.py."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.domain.permissions import Role
from tests.architecture.source import PROJECT
from tests.city import TestCity
from tests.metrics.facts import entry
from tests.seals.sealing import fact, sealed

Change = Callable[[dict[str, Any]], object]


def checked(folder: Path, proof: dict[str, Any], *digest: str) -> subprocess.CompletedProcess[str]:
    file = folder / "proof.json"
    file.write_text(json.dumps(proof))
    command = [sys.executable, "-I", PROJECT / "docs" / "check_inclusion.py", file, *digest]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


async def proofs(city: TestCity, entries: int) -> list[dict[str, Any]]:
    ids = [entry(city) for _ in range(entries)]
    await city.add(*ids)
    await sealed(city)
    moderator = await city.as_(Role.MODERATOR)
    return [(await moderator.get(f"/ledger/{made.id}/proof")).json() for made in ids]


async def test_every_entry_of_an_uneven_tree_is_proved(city: TestCity, tmp_path: Path):
    found = await proofs(city, 7)
    assert sorted(proof["position"] for proof in found) == [*range(7)]
    for proof in found:
        told = checked(tmp_path, proof, proof["seal"]["digest"])
        assert told.returncode == 0, told.stderr
        assert told.stdout.startswith(f"Entry {json.loads(proof['entry'])['id']} is in seal 1 of {city.id}")


async def test_a_tree_of_one_is_its_own_proof(city: TestCity, tmp_path: Path):
    (proof,) = await proofs(city, 1)
    assert proof["path"] == []
    assert checked(tmp_path, proof).returncode == 0


def _other_amount(proof: dict[str, Any]) -> None:
    proof["entry"] = proof["entry"].replace('"amount":1', '"amount":2')


WRONG: dict[str, Change] = {
    "another amount": _other_amount,
    "another place": lambda proof: proof.update(position=proof["position"] ^ 1),
    "no such place": lambda proof: proof.update(position=5),
    "a place before the first": lambda proof: proof.update(position=-1),
    "a path too short": lambda proof: proof["path"].pop(),
    "a path too long": lambda proof: proof["path"].append("00" * 32),
    "another path": lambda proof: proof["path"].reverse(),
    "another number": lambda proof: proof["seal"].update(number=2),
    "another root": lambda proof: proof["seal"].update(root="00" * 32),
}


async def test_nothing_about_a_proof_can_be_changed(city: TestCity, tmp_path: Path):
    whole = json.dumps((await proofs(city, 5))[2])
    assert checked(tmp_path, json.loads(whole)).returncode == 0
    for name, change in WRONG.items():
        proof = json.loads(whole)
        change(proof)
        told = checked(tmp_path, proof)
        assert (told.returncode, told.stderr) == (1, "NO: the entry is not in this seal\n"), name
    elsewhere = checked(tmp_path, json.loads(whole), "00" * 32)
    assert elsewhere.returncode == 1


async def test_an_entry_that_is_not_sealed_yet_has_no_proof(city: TestCity):
    entry_id = await fact(city)
    analyst = await city.as_(Role.ANALYST)
    refused = await analyst.get(f"/ledger/{entry_id}/proof")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_sealed")
    assert (await analyst.get(f"/ledger/{uuid4()}/proof")).status_code == 404


@pytest.mark.parametrize("place", ["docs/check_inclusion.py"])
def test_the_script_is_short_and_needs_python_alone(place: str):
    lines = (PROJECT / place).read_text().splitlines()
    assert len(lines) <= 30
    assert {line for line in lines if line.startswith(("import", "from"))} == {
        "import hashlib",
        "import json",
        "import sys",
    }

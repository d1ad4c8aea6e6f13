"""No statement of a write leaves the city out (rule 12). They are built where they run, so the source is judged."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import SQLModel

import app.models  # noqa: F401 makes the tables known
from tests.architecture.source import APP, Function, called, calls, functions, modules, plant

SERVICES = APP / "services"
EXEMPT = {
    "accounts.py _free Account": "a login is unique in the whole service",
    "accounts.py invited Account": "setting a password: no city is known yet",
    "accounts.py secret_hash Account": "signing in: no city is known yet",
    "accounts.py by_secret Account": "signing in: no city is known yet",
    "accounts.py own Account": "by the id in the actor's own token",
    "accounts.py own_card Account": "by the id in the actor's own token",
    "calendars.py feed Account": "by a feed of the city; its account may be of no city",
    "figures.py _refuse_services Account": "by the id in the actor's own token",
    "sign_in.py _locked Account": "by a refresh token: no city is known yet",
}
OF_CITY = [mapper for mapper in SQLModel._sa_registry.mappers if "city_id" in mapper.columns]
MODELS = {mapper.class_.__name__ for mapper in OF_CITY}
NAMED = re.compile(rf"\b(?:FROM|JOIN|USING|UPDATE) ({'|'.join(sorted(m.local_table.name for m in OF_CITY))})\b")
TIED = re.compile(r"\bcity_id = ")


def cityless(folder: Path) -> Iterator[str]:
    """`file function Model` for each statement on a city's table whose function does not compare its city_id."""
    for name, tree in modules(folder):
        for function in functions(tree):
            for model in sorted(_asked(function) - _compared(function)):
                yield f"{name} {function.name} {model}"


def _asked(function: Function) -> set[str]:
    """The models in `select(…)`, `select(reads.fields(…))`, `update`, `delete`, `.join(…)` and `session.get(…)`."""
    statements = [call for call in calls(function) if called(call) in {"select", "update", "delete", "join", "get"}]
    arguments = [call.args[0] for call in statements if call.args]
    return {part.id for item in arguments for part in ast.walk(item) if isinstance(part, ast.Name)} & MODELS


def _compared(function: Function) -> set[str]:
    compares = [
        part for part in ast.walk(function) if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.Eq)
    ]
    sides = [side for compare in compares for side in ast.walk(compare) if isinstance(side, ast.Attribute)]
    return {side.value.id for side in sides if side.attr == "city_id" and isinstance(side.value, ast.Name)}


def cityless_sql(folder: Path) -> Iterator[str]:
    """Written SQL that names more of a city's tables than it compares city_ids."""
    for name, tree in modules(folder):
        for line, text in _texts(tree):
            if len(tables := NAMED.findall(text)) > len(TIED.findall(text)):
                yield f"{name}:{line} {', '.join(tables)}"


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    joined = [part for part in ast.walk(tree) if isinstance(part, ast.JoinedStr)]
    within = {id(part) for whole in joined for part in ast.walk(whole)}
    for part in ast.walk(tree):
        if isinstance(part, ast.JoinedStr):
            yield part.lineno, "".join(str(piece.value) for piece in part.values if isinstance(piece, ast.Constant))
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in within:
            yield part.lineno, part.value


def test_every_statement_compares_the_city():
    assert set(cityless(SERVICES)) == EXEMPT.keys()


def test_every_written_statement_compares_the_city():
    assert list(cityless_sql(SERVICES)) == []


def test_a_statement_without_its_city_is_found(tmp_path: Path):
    plant(tmp_path, "good.py", "async def f(s): return select(Raid.id).where(col(Raid.city_id) == actor.city_id)")
    plant(tmp_path, "got.py", "async def f(s): return await s.get(Raid, raid_id)")
    plant(tmp_path, "bare.py", "async def f(s): return sa.select(*reads.fields(Raid, RaidRead)).where(Raid.id == 1)")
    plant(tmp_path, "join.py", "async def f(s): return visible_to(role).join(Spot, Spot.id == Raid.spot_id)")
    plant(tmp_path, "drop.py", "async def f(s): return delete(Raid).where(Raid.city_id != x)")

    assert list(cityless(tmp_path)) == ["bare.py f Raid", "drop.py f Raid", "got.py f Raid", "join.py f Spot"]


def test_written_sql_without_its_city_is_found(tmp_path: Path):
    plant(tmp_path, "good.py", '"SELECT 1 FROM raid WHERE city_id = $1 AND id = $2"')
    plant(tmp_path, "bad.py", 'f"UPDATE raid SET x = 1 FROM spot WHERE {a} spot.city_id = raid.city_id"')

    assert list(cityless_sql(tmp_path)) == ["bad.py:1 raid, spot"]

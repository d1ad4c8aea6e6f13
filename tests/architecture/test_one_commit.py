"""A unit of work ends in one place, so nothing can be half written (house rule 1)."""

from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import APP, called, calls, modules, plant

ENDS_OF_WORK = frozenset({"commit", "rollback", "begin", "begin_nested"})
ALLOWED = {
    "core/database.py": "the one place",
}
# `sign_in.begin(session, account)` begins a sign-in. A transaction is begun on a session, engine or connection.
OURS = frozenset({"sign_in"})


def transactions(folder: Path) -> Iterator[str]:
    for name, tree in modules(folder):
        for call in calls(tree):
            if called(call) in ENDS_OF_WORK and getattr(getattr(call.func, "value", None), "id", "") not in OURS:
                yield f"{name}:{call.lineno} {called(call)}"


def test_only_the_database_module_commits():
    assert {found.partition(":")[0] for found in transactions(APP)} == set(ALLOWED)


def test_a_commit_elsewhere_is_found(tmp_path: Path):
    plant(tmp_path, "services/raids.py", "async def finish(session):\n    await session.commit()\n")
    plant(tmp_path, "routers/auth.py", "sign_in.begin(session, account)\nengine.begin()\n")

    assert list(transactions(tmp_path)) == ["routers/auth.py:2 begin", "services/raids.py:2 commit"]

"""What is long is read by nobody."""

from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import APP, functions, modules, plant

MODULE_LINES = 300
FUNCTION_LINES = 40


def too_long(folder: Path) -> Iterator[str]:
    for name, tree in modules(folder):
        if (lines := len((folder / name).read_text().splitlines())) > MODULE_LINES:
            yield f"{name} has {lines} lines"
        for function in functions(tree):
            if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES:
                yield f"{name}: {function.name} has {lines} lines"


def test_modules_and_functions_are_short():
    assert list(too_long(APP)) == []


def test_one_line_more_is_found(tmp_path: Path):
    body = "    pass\n"
    plant(tmp_path, "fits.py", "def f():\n" + body * (FUNCTION_LINES - 1) + "#\n" * (MODULE_LINES - FUNCTION_LINES))
    assert list(too_long(tmp_path)) == []

    plant(tmp_path, "module.py", "#\n" * (MODULE_LINES + 1))
    plant(tmp_path, "function.py", "async def f():\n" + body * FUNCTION_LINES)

    assert list(too_long(tmp_path)) == ["function.py: f has 41 lines", "module.py has 301 lines"]

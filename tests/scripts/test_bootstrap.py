"""All that the script calls is faked here, so nothing is downloaded."""

import subprocess
from pathlib import Path
from shutil import copy, which

import pytest

BOOTSTRAP = Path(__file__).parents[2] / "scripts" / "bootstrap"
POSIX_TOOLS = ("cat", "chmod", "cksum", "dirname", "grep", "ln", "mkdir", "mktemp", "rm", "sed", "sh")

OLD_PYTHON = """
[ "$1" = --version ] && echo "Python 3.9.2"
"""
PYTHON_WITHOUT_ENSUREPIP = """
case "$*" in *ensurepip*) exit 1 ;; esac
"""
PYTHON_WITH_A_BROKEN_VENV = """
[ "$2" = venv ] || exit 0
mkdir .uv
echo "Error: Command '.uv/bin/python3 -m ensurepip' returned non-zero exit status 1."
exit 1
"""
# Its `python3 -m venv` makes a python that is the program `pip`.
PYTHON = """
[ "$2" = venv ] || exit 0
mkdir -p .uv/bin
ln -s "$(command -v pip)" .uv/bin/python
"""
PIP = """
ln -s "$(command -v downloaded-uv)" .uv/bin/uv
"""
PIP_OFFLINE = """
echo "ERROR: No matching distribution found for uv" >&2
exit 1
"""
UV = """
[ "$1" = sync ] || exit 0
echo "$*" >>syncs
mkdir -p .venv/bin
echo >.venv/bin/python
chmod +x .venv/bin/python
"""
UV_OFFLINE = """
[ "$1" = sync ] || exit 0
echo "error: Failed to download idna==3.20" >&2
echo "  cause: failed to lookup address information" >&2
echo "hint: idna was included because narkostop depends on it" >&2
exit 1
"""


class Machine:
    """A clone, and a PATH with nothing but POSIX tools and what a test installs."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir()
        for tool in POSIX_TOOLS:
            (self.programs / tool).symlink_to(str(which(tool)))
        self.clone = folder / "a clone"
        (self.clone / "scripts").mkdir(parents=True)
        copy(BOOTSTRAP, self.clone / "scripts")
        for name in ("uv.lock", "pyproject.toml"):
            (self.clone / name).touch()

    def install(self, program: str, script: str) -> None:
        path = self.programs / program
        path.write_text(f"#!/bin/sh{script}")
        path.chmod(0o755)

    def bootstrap(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.clone / "scripts" / "bootstrap"],
            cwd="/",
            env={"PATH": str(self.programs)},
            capture_output=True,
            text=True,
            check=False,
        )

    def syncs(self) -> list[str]:
        return (self.clone / "syncs").read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_python_it_says_which_to_install(machine: Machine) -> None:
    assert machine.bootstrap().stderr == "scripts/bootstrap: python3 is missing: install Python 3.11 or newer\n"


@pytest.mark.parametrize(
    ("python", "reason"),
    [
        (OLD_PYTHON, "Python 3.9.2 is too old: install Python 3.11 or newer"),
        (
            PYTHON_WITHOUT_ENSUREPIP,
            "python3 lacks its venv module: install it (Debian, Ubuntu: apt install python3-venv)",
        ),
        (PYTHON_WITH_A_BROKEN_VENV, "could not make .uv: Error: Command '.uv/bin/python3 -m ensurepip' returned"),
        (PYTHON, "could not download uv: ERROR: No matching distribution found for uv"),
    ],
    ids=["old", "without ensurepip", "broken venv", "offline"],
)
def test_a_python_that_will_not_do_is_refused_in_one_line(machine: Machine, python: str, reason: str) -> None:
    machine.install("python3", python)
    machine.install("pip", PIP_OFFLINE)
    run = machine.bootstrap()
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith(f"scripts/bootstrap: {reason}")
    assert not (machine.clone / ".uv").exists()


def test_without_uv_it_installs_one_of_its_own(machine: Machine) -> None:
    machine.install("python3", PYTHON)
    machine.install("pip", PIP)
    machine.install("downloaded-uv", UV)
    assert machine.bootstrap().returncode == 0
    assert machine.syncs() == ["sync --locked"]


def test_a_venv_made_by_hand_survives_a_failure(machine: Machine) -> None:
    by_hand = machine.clone / ".venv" / "bin" / "python"
    by_hand.parent.mkdir(parents=True)
    by_hand.touch()
    machine.install("python3", PYTHON)
    machine.install("pip", PIP_OFFLINE)
    assert machine.bootstrap().returncode == 1
    assert by_hand.exists()


def test_of_what_uv_says_when_it_fails_only_the_cause_is_shown(machine: Machine) -> None:
    machine.install("uv", UV_OFFLINE)
    run = machine.bootstrap()
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        "Installing what uv.lock lists into .venv: a minute, once.",
        "scripts/bootstrap: could not install the packages: cause: failed to lookup address information",
    ]


def test_what_failed_is_tried_again(machine: Machine) -> None:
    machine.install("uv", UV_OFFLINE)
    machine.bootstrap()
    machine.install("uv", UV)
    assert machine.bootstrap().returncode == 0
    assert machine.syncs() == ["sync --locked"]


def test_it_does_nothing_until_the_lock_changes(machine: Machine) -> None:
    machine.install("uv", UV)
    machine.bootstrap()
    assert machine.bootstrap().stderr == ""
    assert len(machine.syncs()) == 1
    (machine.clone / "uv.lock").write_text("changed")
    machine.bootstrap()
    assert len(machine.syncs()) == 2


def test_a_moved_clone_gets_a_new_venv(machine: Machine) -> None:
    machine.install("uv", UV)
    machine.bootstrap()
    of_the_old_place = machine.clone / ".venv" / "bin" / "narkostop"
    of_the_old_place.touch()
    machine.clone = machine.clone.rename(machine.clone.with_name("moved"))
    assert machine.bootstrap().returncode == 0
    assert not (machine.clone / ".venv" / "bin" / "narkostop").exists()
    assert len(machine.syncs()) == 2

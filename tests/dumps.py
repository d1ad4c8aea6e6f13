"""A database moved to another server, as an operator does it."""

import subprocess

from app.core.embedded import PROGRAMS

# pg_dump 17 writes it; PostgreSQL 16 and older do not know it.
_TOO_NEW = b"SET transaction_timeout = 0;\n"


def copied(source: str, target: str) -> None:
    dump = subprocess.run([PROGRAMS / "pg_dump", source], check=True, capture_output=True, timeout=60).stdout
    told = ["-q", "-v", "ON_ERROR_STOP=1", "-d", target]
    subprocess.run(
        [PROGRAMS / "psql", *told], input=dump.replace(_TOO_NEW, b""), check=True, capture_output=True, timeout=60
    )

"""Which program this is: two with different files may say the same in another form."""

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_OURS = frozenset({".py", ".toml"})


@cache
def build() -> str:
    """Eight hexadecimal digits of SHA-256 over the package's own code and texts."""
    files = sorted(file for file in _PACKAGE.rglob("*") if file.suffix in _OURS)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:8]

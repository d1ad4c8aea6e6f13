import asyncio
import unicodedata

from pwdlib import PasswordHash

# One hash takes about 0.13 s of one core and 64 MiB: more at once than cores only makes each slower.
_AT_ONCE = 2


class Passwords:
    """argon2id, off the event loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHash.recommended()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._decoy = self._hasher.hash("no account has this password")

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, _as_typed_anywhere(password))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """False for no hash too, after the same time: an unknown login must not answer faster."""
        async with self._slots:
            matches = await asyncio.to_thread(self._hasher.verify, _as_typed_anywhere(password), hashed or self._decoy)
        return matches and hashed is not None


def _as_typed_anywhere(password: str) -> str:
    """NFC (RFC 8265): one keyboard sends й as one character, another as two."""
    return unicodedata.normalize("NFC", password)

import asyncio

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
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """False for no hash too, after the same time: an unknown login must not answer faster."""
        async with self._slots:
            matches = await asyncio.to_thread(self._hasher.verify, password, hashed or self._decoy)
        return matches and hashed is not None

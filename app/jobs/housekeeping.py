"""Once a minute, in every process: key rotation, the outside issuer's keys, and what has passed its time."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress

import httpx
import structlog
from pydantic import BaseModel

from app.authentication import Identity
from app.core.cipher import Cipher
from app.core.clock import utc_now
from app.core.config import Settings
from app.core.database import Database, retried
from app.core.tokens import SigningKey
from app.services import idempotency, sign_in
from app.services import signing_keys as keys

EVERY_S = 60
FETCH_TIMEOUT_S = 5
MAX_JWKS_BYTES = 65_536

log = structlog.get_logger(__name__)


class KeySet(BaseModel):
    keys: list[Mapping[str, object]]


async def signing_keys(database: Database, cipher: Cipher) -> list[SigningKey]:
    async def work() -> list[SigningKey]:
        async with database.transaction() as session:
            return await keys.rotated(session, cipher, utc_now())

    return await retried(work)


@asynccontextmanager
async def running(database: Database, cipher: Cipher, identity: Identity, settings: Settings) -> AsyncGenerator[None]:
    """Runs beside the requests until the block ends."""
    await _outside_keys(identity, settings)
    task = asyncio.create_task(_forever(database, cipher, identity, settings))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _forever(database: Database, cipher: Cipher, identity: Identity, settings: Settings) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await once(database, cipher, identity, settings)
        except Exception as error:  # noqa: BLE001 whatever it was, in a minute is another chance
            log.warning("housekeeping put off", cause=type(error).__name__)


async def once(database: Database, cipher: Cipher, identity: Identity, settings: Settings) -> None:
    identity.use(await signing_keys(database, cipher))
    await _outside_keys(identity, settings)
    await _forget_old(database)


async def _forget_old(database: Database) -> None:
    async with database.transaction() as session:
        await idempotency.forget_old(session)
        await sign_in.forget_old(session)


async def _outside_keys(identity: Identity, settings: Settings) -> None:
    """The keys known before stay in use while the issuer cannot be reached."""
    if settings.external_jwks_url is None:
        return
    try:
        identity.use_outside(await _fetched(str(settings.external_jwks_url)))
    except (httpx.HTTPError, ValueError) as error:
        log.warning("outside keys not read", cause=type(error).__name__)


async def _fetched(url: str) -> list[Mapping[str, object]]:
    async with httpx.AsyncClient(timeout=FETCH_TIMEOUT_S, trust_env=False) as client:
        response = await client.get(url)
    response.raise_for_status()
    if len(response.content) > MAX_JWKS_BYTES:
        msg = "the outside issuer's key set is too large"
        raise ValueError(msg)
    return KeySet.model_validate_json(response.content).keys

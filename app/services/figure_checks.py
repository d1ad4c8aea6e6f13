"""Does a figure still hold? Its entries are gone through again: that is dear, so few are at it at a time."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.core.database import Database, retried
from app.domain.errors import NotFound
from app.domain.figures import Outcome
from app.domain.metrics import ABOUT_PEOPLE
from app.models.figures import Figure
from app.schemas.figures import FigureCheck, Reckoned
from app.services import overlaps, reckoning

FRESH_S = 10.0
TIMES_ITS_COST = 20
"""An answer that took long is kept so many times as long: asking for ever costs a twentieth of one core."""
MOST_KEPT = 500


async def checked(database: Database, city_id: str, figure_id: UUID, *, is_public: bool) -> FigureCheck:
    """Raises NotFound; for the public also for what was never signed."""

    async def work() -> FigureCheck:
        async with database.transaction() as session:
            return await _check(session, city_id, figure_id, is_public=is_public)

    return await retried(work)


async def _check(session: AsyncSession, city_id: str, figure_id: UUID, *, is_public: bool) -> FigureCheck:
    query = select(Figure).where(Figure.city_id == city_id, Figure.id == figure_id)
    if is_public:
        query = query.where(col(Figure.signed_at).is_not(None))
    figure = (await session.exec(query)).one_or_none()
    if figure is None:
        raise NotFound("figure")
    recomputed = await reckoning.as_signed(session, figure)
    added, count = await reckoning.since(session, figure)
    signed = _signed(figure)
    value_now = recomputed.value + added
    check = FigureCheck(
        id=figure.id,
        outcome=signed and _outcome(signed, recomputed, added),
        checked_at=utc_now(),
        as_of=figure.as_of,
        signed=signed,
        recomputed=recomputed,
        value_now=value_now,
        difference=value_now - (signed or recomputed).value,
        entries_since=count,
        overlaps=await overlaps.of_figure(session, figure, figure.as_of),
        overlaps_now=await overlaps.of_figure(session, figure),
        because=await reckoning.listed_since(session, figure),
    )
    return _for_everybody(check) if is_public and figure.metric in ABOUT_PEOPLE else check


def _for_everybody(check: FigureCheck) -> FigureCheck:
    """Whether it holds, and not how many people have come or gone since."""
    told = dict.fromkeys(("recomputed", "value_now", "difference", "entries_since"))
    return check.model_copy(update={**told, "overlaps": [], "overlaps_now": []})


def _signed(figure: Figure) -> Reckoned | None:
    if figure.digest is None:
        return None
    parts = figure.model_dump(include={"value", "recorded", "declared", "entries"})
    return Reckoned(**parts, digest=figure.digest.hex())


def _outcome(signed: Reckoned, recomputed: Reckoned, added: int) -> Outcome:
    if signed != recomputed:
        return Outcome.TAMPERED
    return Outcome.DIFFERS if added else Outcome.HOLDS


@dataclass(slots=True)
class _Kept:
    until: float
    answer: "asyncio.Task[FigureCheck]"


class FigureChecks:
    """For everybody: one check at a time, and its answer is given to all who ask while it is fresh."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Semaphore(1)
        self._kept: dict[tuple[str, UUID], _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, city_id: str, figure_id: UUID) -> FigureCheck:
        """Raises NotFound."""
        key = (city_id, figure_id)
        known = self._kept.get(key)
        if known is None or known.until < time.monotonic():
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            known = self._kept[key] = _Kept(float("inf"), asyncio.create_task(self._check(key)))
        # Shielded: others wait for the same answer when this one's caller has gone.
        return await asyncio.shield(known.answer)

    async def _check(self, key: tuple[str, UUID]) -> FigureCheck:
        async with self._turn:
            began, fresh_s = time.monotonic(), 0.0
            try:
                answer = await checked(self._database, *key, is_public=True)
                fresh_s = max(FRESH_S, TIMES_ITS_COST * (time.monotonic() - began))
            finally:
                # Whatever went wrong is not kept.
                self._keep(key, time.monotonic() + fresh_s)
        return answer

    def _keep(self, key: tuple[str, UUID], until: float) -> None:
        if known := self._kept.get(key):
            known.until = until

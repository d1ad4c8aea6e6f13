from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers
from app.deps import Allow, database_of
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router
from app.schemas.ledger import InclusionProof, LedgerEntryPage, LedgerQuery
from app.services import entries, reads, seals

router = Router("/v1/ledger", "ledger", SIGNED_IN)
Reader = Annotated[Actor, Depends(Allow(Permission.LEDGER_READ))]


@router.get("", response_model=LedgerEntryPage)
async def list_entries(query: Annotated[LedgerQuery, Query()], actor: Reader, request: Request) -> Response:
    """The entries that a total is the sum of, the newest first, each with the removal, raid, … that it counts."""
    return answers.page(await reads.page(database_of(request), actor, entries.cards, **query.model_dump()), request)


@router.get("/{entry_id}/proof", response_model=InclusionProof, responses=problems(NotFound, Conflict))
async def get_proof(entry_id: UUID, actor: Reader, request: Request) -> InclusionProof:
    """That the entry is in its seal; docs/check_inclusion.py checks it offline."""
    return await seals.proof(database_of(request), actor, entry_id)

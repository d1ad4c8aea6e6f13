from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers
from app.deps import Allow, database_of
from app.domain.permissions import Actor, Permission
from app.routing import SIGNED_IN, Router
from app.schemas.base import PageQuery
from app.schemas.seals import SealPage, SealRead
from app.services import reads, seals
from app.services.reads import Item

router = Router("/v1/seals", "ledger", SIGNED_IN)
Reader = Annotated[Actor, Depends(Allow(Permission.LEDGER_READ))]


@router.get("", response_model=SealPage)
async def list_seals(query: Annotated[PageQuery, Query()], actor: Reader, request: Request) -> Response:
    """The newest first; note down its digest, and nobody can change what came before unnoticed."""
    return answers.page(await reads.page(database_of(request), actor, seals.cards, **query.model_dump()), request)


@router.get("/{seal_id}", response_model=SealRead, responses=answers.ITEM)
async def get_seal(seal_id: UUID, actor: Reader, request: Request) -> Response:
    found = await reads.document(database_of(request), actor, seals.card, "seal", id=seal_id)
    # It never changes: its first version is its last.
    return answers.item(Item('"1"', found), request)

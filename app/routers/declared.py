from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers
from app.deps import Allow, Session, database_of
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router
from app.schemas.declared import (
    DeclaredCountPage,
    DeclaredCountRead,
    DeclaredDraft,
    DeclaredMistake,
    DeclaredQuery,
)
from app.services import declared, reads

router = Router("/v1/declared-counts", "declared counts", SIGNED_IN)
Reader = Annotated[Actor, Depends(Allow(Permission.DECLARED_READ))]
Keeper = Annotated[Actor, Depends(Allow(Permission.RECORDS_IMPORT))]


@router.get("", response_model=DeclaredCountPage)
async def list_declared_counts(query: Annotated[DeclaredQuery, Query()], actor: Reader, request: Request) -> Response:
    """The newest first, those that were withdrawn too."""
    return answers.page(await reads.page(database_of(request), actor, declared.cards, **query.model_dump()), request)


@router.post("", response_model=DeclaredCountRead, status_code=201, responses=problems(Conflict))
async def declare_count(drafted: DeclaredDraft, actor: Keeper, session: Session) -> Response:
    """Enter a total that an office published. Of totals for the same days only the first is counted."""
    declared_id = await declared.declare(session, actor, drafted)
    found = await reads.written(session, actor, declared.card, "declared_count", id=declared_id)
    return answers.item(found, status=201)


@router.get("/{declared_id}", response_model=DeclaredCountRead, responses=answers.ITEM)
async def get_declared_count(declared_id: UUID, actor: Reader, request: Request) -> Response:
    return answers.item(
        await reads.one(database_of(request), actor, declared.card, "declared_count", id=declared_id), request
    )


@router.post("/{declared_id}/withdraw", response_model=DeclaredCountRead, responses=problems(NotFound, Conflict))
async def withdraw_declared_count(
    declared_id: UUID, mistake: DeclaredMistake, actor: Keeper, session: Session
) -> Response:
    """It was a mistake. It stays and says so; the first total that waited for the same days is counted instead."""
    await declared.withdraw(session, actor, declared_id, mistake.reason)
    return answers.item(await reads.written(session, actor, declared.card, "declared_count", id=declared_id))

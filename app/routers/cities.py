from typing import Annotated

from fastapi import Depends, Request, Response

from app import answers
from app.deps import Allow, ExpectedVersion, Session, database_of
from app.domain.errors import NotFound, PreconditionFailed, PreconditionRequired
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router
from app.schemas.cities import SettingsChange, SettingsRead
from app.services import cities, reads

router = Router("/v1/city", "city", SIGNED_IN)
Setter = Annotated[Actor, Depends(Allow(Permission.CITY_SET))]


@router.get("/settings", response_model=SettingsRead, responses=answers.ITEM)
async def get_settings(actor: Setter, request: Request) -> Response:
    """What your city has decided for itself."""
    return answers.item(await reads.one(database_of(request), actor, cities.settings, "city"), request)


@router.patch(
    "/settings", response_model=SettingsRead, responses=problems(NotFound, PreconditionFailed, PreconditionRequired)
)
async def change_settings(
    changed: SettingsChange, actor: Setter, version: ExpectedVersion, session: Session
) -> Response:
    """From now on; spots that are there and removals that were drawn stay as they are."""
    await cities.change(session, actor, version, changed)
    return answers.item(await reads.written(session, actor, cities.settings, "city"))

from typing import Annotated

from fastapi import Depends, Path, Request, Response

from app.deps import Allow, Session, database_of
from app.domain.errors import NotFound
from app.domain.permissions import Actor, Permission
from app.problems import problems
from app.routing import PUBLIC, SIGNED_IN, Router, SecretRoute
from app.schemas.calendars import CalendarRead
from app.services import calendars

secret_router = Router("/v1/calendars", "calendars", SIGNED_IN, SecretRoute)
public_router = Router("/v1/public/{city_id}/calendars", "calendars", PUBLIC)
Reader = Annotated[Actor, Depends(Allow(Permission.RAID_READ))]
CityId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["almaty"])]
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$", description="Secret; ends when it is renewed")]
_TEXT = {"type": "string", "examples": ["BEGIN:VCALENDAR\r\nVERSION:2.0\r\n…\r\nEND:VCALENDAR\r\n"]}
_ICS = {"content": {"text/calendar": {"schema": _TEXT}}, "description": "iCalendar (RFC 5545)"}


@secret_router.post("/secret", response_model=CalendarRead, status_code=201)
async def renew_calendar(actor: Reader, session: Session) -> CalendarRead:
    """An address for your calendar app, shown once; the earlier one ends."""
    return CalendarRead(path=await calendars.renew(session, actor))


@public_router.get("/{token}/raids.ics", response_class=Response, responses={200: _ICS, **problems(NotFound)})
async def get_calendar(city_id: CityId, token: Token, request: Request) -> Response:
    """A volunteer's own raids, or all of a coordinator's city. No person is named in it."""
    text = await calendars.read(database_of(request), city_id, token)
    return Response(text, 200, {"Cache-Control": "private, max-age=300"}, "text/calendar")

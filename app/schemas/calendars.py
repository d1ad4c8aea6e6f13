from typing import Annotated

from pydantic import Field

from app.schemas.base import Out


class CalendarRead(Out):
    """Shown once: whoever has the address can read the calendar. Ask again and the earlier address ends."""

    path: Annotated[str, Field(examples=["/v1/public/almaty/calendars/4Zk…/raids.ics"])]

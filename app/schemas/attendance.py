from typing import Annotated

from pydantic import Field

from app.schemas.base import In, Moment, Out, Point


class HereNow(In):
    """The code stands on the lead's phone; the point is where the volunteer's own phone is."""

    code: Annotated[str, Field(strict=True, pattern=r"^[0-9]{6}$", examples=["204117"])]
    point: Annotated[Point, Field(examples=[{"latitude": 43.2421, "longitude": 76.9279}])]


class RaidCodeRead(Out):
    code: str
    expires_at: Moment

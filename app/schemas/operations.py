from typing import Literal

from app.schemas.base import Out


class Health(Out):
    status: Literal["ok"]


class Version(Out):
    version: str
    migration: str

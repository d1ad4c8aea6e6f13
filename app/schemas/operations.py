from typing import Annotated, Literal

from pydantic import Field

from app.schemas.base import Out


class Health(Out):
    status: Literal["ok"]


class Version(Out):
    version: Annotated[str, Field(examples=["0.1.0"])]
    migration: Annotated[str, Field(examples=["0005"])]

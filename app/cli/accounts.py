from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlmodel.ext.asyncio.session import AsyncSession

from app.cli.errors import CommandError
from app.cli.session import in_transaction
from app.cli.settings import load_settings
from app.domain.permissions import Role
from app.schemas.accounts import AccountDraft
from app.services import accounts, cities
from app.services.accounts import Invitation

cli = typer.Typer(name="account", no_args_is_help=True, help="Accounts; the first admin comes from here.")


@cli.command()
def create(
    login: Annotated[str, typer.Argument(help="An e-mail address or phone number.")],
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.ADMIN,
    city: Annotated[str | None, typer.Option(help="Its city; without one it belongs to the republic.")] = None,
    subject: Annotated[str | None, typer.Option(help="Its `sub` at the outside identity provider.")] = None,
) -> None:
    """Create an account and print an invitation code to set a password with."""
    try:
        draft = AccountDraft(login=login, role=role, external_subject=subject)
    except ValidationError as error:
        raise CommandError(f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}") from None
    issuer = load_settings().external_issuer

    async def work(session: AsyncSession) -> Invitation:
        if city is not None:
            await cities.get(session, city)
        return accounts.invite(await accounts.create(session, city, draft, issuer))

    invitation = in_transaction(work)
    Console().print(
        f"Account [bold]{invitation.login}[/] created. Set its password with POST /v1/auth/password and the code\n"
        f"[bold]{invitation.code}[/] (until {invitation.expires_at:%Y-%m-%d %H:%M} UTC)."
    )

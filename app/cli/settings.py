from pydantic import ValidationError

from app.cli.errors import CommandError
from app.core.config import Settings


def load_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors())
        raise CommandError(f"a setting is not right: {wrong}") from None


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "the outside issuer"
    return f"NARKOSTOP_{name.upper()}" if name in Settings.model_fields else name

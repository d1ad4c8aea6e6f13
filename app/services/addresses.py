"""The address of a site, channel or account, as typed by a volunteer, made into one form (WHATWG URL)."""

import re
from dataclasses import dataclass

import can_ada

from app.domain.resources import ResourceKind

_HANDLE = re.compile(r"@([A-Za-z][A-Za-z0-9_]{3,31})")
_TELEGRAM = frozenset({"t.me", "telegram.me", "telegram.dog"})
_SCHEMES = frozenset({"http:", "https:"})


@dataclass(frozen=True, slots=True)
class Address:
    key: str
    kind: ResourceKind


def parse(typed: str) -> Address | None:
    """None for what is not an address. The key has neither scheme, `www.`, fragment nor closing slash."""
    if handle := _HANDLE.fullmatch(typed):
        return _channel(handle[1])
    try:
        url = can_ada.parse(typed if "://" in typed else f"https://{typed}")
    except ValueError:
        return None
    host = url.host.removeprefix("www.").rstrip(".")
    if url.protocol not in _SCHEMES or "." not in host or url.username or url.password:
        return None
    first = url.pathname.strip("/").partition("/")[0]
    if host in _TELEGRAM and first:
        return _channel(first)
    return Address(f"{host}{url.pathname.rstrip('/')}{url.search}", ResourceKind.SITE)


def _channel(name: str) -> Address:
    # Invite links are case-sensitive, names are not.
    return Address(f"t.me/{name if name.startswith('+') else name.lower()}", ResourceKind.CHANNEL)

"""The address of a site, channel or account, as typed by a volunteer, made into one form (WHATWG URL)."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

import can_ada

from app.domain.resources import ResourceKind

MAX_KEY_CHARACTERS = 2048
_HANDLE = re.compile(r"@([A-Za-z][A-Za-z0-9_]{3,31})")
_CHANNEL = re.compile(r"\+?[A-Za-z0-9_-]{1,64}")
_TELEGRAM = ("t.me", "telegram.me", "telegram.dog")
_SCHEMES = frozenset({"http:", "https:"})


@dataclass(frozen=True, slots=True)
class Address:
    key: str
    kind: ResourceKind


def parse(typed: str) -> Address | None:
    """None for what is not an address. The key has neither scheme, `www.`, fragment nor closing slash.

    It may be longer than what was typed, since other letters are percent-encoded: see MAX_KEY_CHARACTERS.
    """
    if handle := _HANDLE.fullmatch(typed):
        return _channel(handle[1])
    if typed.lower().startswith("tg:"):
        return _of_app(typed)
    try:
        url = can_ada.parse(typed if "://" in typed else f"https://{typed}")
    except ValueError:
        return None
    host = url.host.removeprefix("www.").rstrip(".")
    if url.protocol not in _SCHEMES or "." not in host or url.username or url.password:
        return None
    if channel := _telegram(host, url.pathname):
        return _channel(channel)
    return Address(f"{host}{url.pathname.rstrip('/')}{url.search}", ResourceKind.SITE)


def _telegram(host: str, path: str) -> str | None:
    """The name in t.me/name, t.me/s/name/42, name.t.me and t.me/c/42; an invite as `+hash`."""
    name, _, domain = host.partition(".")
    if domain in _TELEGRAM:
        return name
    if host not in _TELEGRAM:
        return None
    first, second = (*path.strip("/").split("/"), "")[:2]
    if first == "s":
        return second or None
    if first == "joinchat":
        return f"+{second}" if second else None
    return f"c/{second}" if first == "c" and second else first or None


def _of_app(typed: str) -> Address | None:
    """`tg://resolve?domain=name` and `tg://join?invite=hash`, as the app shares them."""
    named = parse_qs(typed.partition("?")[2])
    name = named.get("domain", [""])[0] or "+" + named.get("invite", [""])[0]
    return _channel(name) if _CHANNEL.fullmatch(name) and name != "+" else None


def _channel(name: str) -> Address:
    # Invites are case-sensitive, names are not.
    return Address(f"t.me/{name if name.startswith('+') else name.lower()}", ResourceKind.CHANNEL)

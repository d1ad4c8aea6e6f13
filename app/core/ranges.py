"""Ranges as asyncpg takes them. A plain pair will not do: it would include its end."""

from collections.abc import Iterable

from asyncpg import Range


def half_open(pairs: Iterable[tuple[int, int]]) -> "list[Range[int]]":
    """Each from its first number to just before its second, in order: a multirange of PostgreSQL."""
    return [Range(first, end) for first, end in sorted(pairs)]

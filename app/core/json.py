"""JSON as RFC 8259 has it and I-JSON (RFC 7493) narrows it, without what Python's own parser lets pass."""

import json
import math
from typing import Any

import pydantic_core


def parse(body: bytes) -> Any:
    """Raises ValueError for NaN, Infinity, numbers beyond a double, lone surrogates, deep nesting and names twice.

    Two parsers, because neither refuses all of it: Pydantic's takes a name twice, Python's takes the rest.
    """
    pydantic_core.from_json(body, allow_inf_nan=False)
    return _DECODER.decode(body.decode())


def _each_name_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a name stands twice in one object")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number beyond a double")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_each_name_once, parse_float=_finite)

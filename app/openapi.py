"""The OpenAPI document: what is true of many operations is said here once, and not on each route."""

from typing import Any

from pydantic.json_schema import models_json_schema

from app import examples
from app.domain.errors import Conflict, Unavailable
from app.problems import declared, problems
from app.schemas.base import Problem

INFO = """\
Every refusal is a problem (RFC 9457): decide by its `code`, show its `detail`, which is in Kazakh, Russian or English
by `Accept-Language`, and name its `instance` when you report a fault. `errors` has a JSON pointer for each wrong field.

A retry is safe: send the same `Idempotency-Key` and the answer is the one that the first request got. Pages are read
by following `next`. Times have an offset; days are the city's.
"""
KEY = r"[!-~]{1,128}"
_PARAMETERS: dict[str, dict[str, Any]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Made by the client for one act and sent again with each retry; kept for a day",
        "schema": {"type": "string", "pattern": f"^{KEY}$"},
        "example": "0197a3b4-8f0e-7c51-9d2e-5a1f6b7c8d9e",
    },
    "City": {
        "name": "X-City",
        "in": "header",
        "description": "For an account of no city: the one to act in. A city's own account cannot name another",
        "schema": {"type": "string"},
        "example": "almaty",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag that is known already: 304 while it still holds",
        "schema": {"type": "string"},
        "example": '"1"',
    },
}


def of_a_write(*, has_body: bool, keeps_answer: bool) -> dict[str, Any]:
    """The `openapi_extra` of a route that writes."""
    refusals: dict[int | str, dict[str, Any]] = {
        **problems(Conflict, Unavailable),
        413: declared("The body is larger than allowed."),
    }
    if has_body:
        refusals |= {
            400: declared("The body could not be read."),
            415: declared("The body is of another media type than this one takes."),
        }
    parameters = [_use("IdempotencyKey")] if keeps_answer else []
    return {"parameters": parameters, "responses": {str(status): answer for status, answer in refusals.items()}}


def complete(spec: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with the parameters and the schema that no route names itself."""
    components = spec["components"]
    _, problem = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    components["schemas"] |= problem["$defs"]
    components["parameters"] = _PARAMETERS
    for operations in spec["paths"].values():
        for operation in operations.values():
            _finish_parameters(operation)
    examples.add(spec)
    return spec


def _finish_parameters(operation: dict[str, Any]) -> None:
    # A body that may be left out is not therefore null.
    for media in operation.get("requestBody", {}).get("content", {}).values():
        _forget_null(media["schema"])
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        _forget_null(parameter.get("schema", {}))
    if "security" in operation:
        parameters.append(_use("City"))
    if "304" in operation["responses"]:
        parameters.append(_use("IfNoneMatch"))


def _forget_null(schema: dict[str, Any]) -> None:
    """A parameter is left out or has a value: there is no null in a query or a header."""
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if kinds:
        schema |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _use(parameter: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{parameter}"}

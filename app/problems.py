"""Every refusal leaves as an RFC 9457 problem. The only table of status codes."""

import re
from collections.abc import Iterable
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from app import messages
from app.core.database import DatabaseUnavailableError, OutcomeUnknownError
from app.core.throttle import ThrottledError
from app.domain import errors
from app.domain.errors import DomainError, Fault
from app.schemas.base import ProblemError

STATUS: dict[type[DomainError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.Invalid: 422,
    errors.PreconditionRequired: 428,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
}
_FRAMEWORK = {
    404: "no_such_path",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
# The request's own words for Pydantic's error types, with the context value that says the limit.
_FAULTS: dict[str, tuple[str, str | None]] = {
    "missing": ("missing", None),
    "extra_forbidden": ("unknown", None),
    "string_too_short": ("too_short", "min_length"),
    "string_too_long": ("too_long", "max_length"),
    "too_short": ("too_short", "min_length"),
    "too_long": ("too_long", "max_length"),
    "too_many_words": ("too_many_words", "limit"),
    "greater_than_equal": ("too_small", "ge"),
    "greater_than": ("too_small", "gt"),
    "less_than_equal": ("too_big", "le"),
    "less_than": ("too_big", "lt"),
    "enum": ("not_listed", "expected"),
    "literal_error": ("not_listed", "expected"),
    "string_pattern_mismatch": ("wrong_pattern", None),
    "finite_number": ("not_a_number", None),
    "uuid_parsing": ("not_an_id", None),
    "uuid_type": ("not_an_id", None),
    "timezone_aware": ("not_a_moment", None),
    "datetime_parsing": ("not_a_moment", None),
    "datetime_from_date_parsing": ("not_a_moment", None),
    "date_parsing": ("not_a_day", None),
    "date_from_datetime_parsing": ("not_a_day", None),
    "date_from_datetime_inexact": ("not_a_day", None),
}

log = structlog.get_logger(__name__)


def problems(*refusals: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: which refusals it gives, declared in OpenAPI."""
    return {STATUS[refusal]: declared((refusal.__doc__ or "").splitlines()[0]) for refusal in refusals}


def declared(description: str) -> dict[str, Any]:
    """Without FastAPI's `model`, which would declare application/json as well; app/openapi.py adds the schema."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def install(app: FastAPI) -> None:
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(IntegrityError, _collided)
    app.add_exception_handler(StaleDataError, _collided)
    app.add_exception_handler(DatabaseUnavailableError, _unavailable)
    app.add_exception_handler(ThrottledError, _throttled)
    app.add_exception_handler(Exception, _broken)


def answer(request: Request, error: DomainError) -> Response:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers: dict[str, str] = {}
    if isinstance(error, errors.TooManyRequests | errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return _problem(request, status, error.code, details=error.details, faults=error.faults, headers=headers)


def _problem(  # noqa: PLR0913 one for each part of a problem
    request: Request,
    status: int,
    code: str,
    *,
    details: dict[str, str | int] | None = None,
    faults: Iterable[Fault] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    language = messages.preferred_language(request.headers.get("accept-language", ""))
    body = {
        "type": f"urn:narkostop:problem:{code}",
        "code": code,
        "title": messages.title(status, language),
        "status": status,
        "detail": messages.problem(code, language, details or {}),
        "instance": f"urn:uuid:{request.scope.get('request_id', '')}",
        "errors": [_told(fault, language) for fault in faults],
    }
    fixed = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    return Response(to_json(body), status, {**fixed, **(headers or {})}, "application/problem+json")


def _told(fault: Fault, language: str) -> dict[str, str]:
    detail = messages.fault(fault.code, language, fault.details)
    return {"code": fault.code, "pointer": fault.pointer, "detail": detail}


def told(request: Request, faults: Iterable[Fault]) -> list[ProblemError]:
    """In the caller's language, for an answer that is no refusal as a whole."""
    language = messages.preferred_language(request.headers.get("accept-language", ""))
    return [ProblemError.model_validate(_told(fault, language)) for fault in faults]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return answer(request, error)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _problem(request, 422, "invalid", faults=[as_fault(item) for item in error.errors()])


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _FRAMEWORK.get(error.status_code, "bad_request")
    details: dict[str, str | int] = {"expected": error.detail} if code == "unsupported_media_type" else {}
    headers = dict(error.headers or {})
    if code == "method_not_allowed" and (allowed := _methods(request)):
        headers["Allow"] = ", ".join(sorted(allowed))
    return _problem(request, error.status_code, code, details=details, headers=headers)


def _methods(request: Request) -> set[str]:
    """Of all operations at the path; Starlette names those of the first alone."""
    paths: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    return {
        method.upper()
        for path, operations in paths.items()
        if compile_path(path)[0].fullmatch(request.url.path)
        for method in operations
    }


async def _collided(request: Request, error: Exception) -> Response:
    """A constraint said no where no flow did: somebody else was faster. Nothing was written."""
    constraint = getattr(getattr(getattr(error, "orig", None), "__cause__", None), "constraint_name", None)
    log.info("collided", constraint=constraint)
    return _problem(request, 409, "id_taken" if str(constraint).startswith("pk_") else "conflict")


async def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("database unavailable", cause=type(error.__cause__).__name__)
    if isinstance(error, OutcomeUnknownError):
        return _problem(request, 503, "outcome_unknown", headers={"Retry-After": "1"})
    return answer(request, errors.Unavailable())


async def _throttled(request: Request, error: Exception) -> Response:
    assert isinstance(error, ThrottledError)
    return answer(request, errors.TooManyRequests(error.retry_after_s))


async def _broken(request: Request, error: Exception) -> Response:
    # app/telemetry.py logs it.
    return _problem(request, 500, "internal")


def as_fault(item: dict[str, Any]) -> Fault:
    """A Pydantic error in our words. The input is never repeated: it may be personal, or not even text."""
    kind, location = item["type"], item["loc"]
    if kind == "json_invalid":
        return Fault("invalid_json", pointer(location[:1]))
    own = kind if kind in messages.CATALOGUE["faults"] else "wrong_type"
    code, limit = _FAULTS.get(kind, (own, None))
    if limit is None:
        return Fault(code, pointer(location))
    name = "expected" if code == "not_listed" else "limit"
    return Fault(code, pointer(location), {name: _plain(item["ctx"][limit])})


def pointer(location: Iterable[str | int]) -> str:
    """`("body", "points", 0)` becomes `/body/points/0` (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)


def _plain(limit: object) -> str:
    text = re.sub(r"\.0$", "", str(limit))
    return text.replace("'", "").replace(" or ", ", ")

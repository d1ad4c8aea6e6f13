"""Requests made up from the OpenAPI document, right ones and wrong ones, against a real server."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.pytest._test_builder import build_operation_test

from app.domain.permissions import Role
from tests.contract.conftest import LiveServer

# Refusals that the document could have foretold. All others (a raid in the past, a number that is no phone's) are
# rules of ours that JSON Schema has no words for. `too_long`: NFC can make a text longer than what was sent.
# `not_listed`: some lists, such as the mappings for imports, are not in the document.
SHAPE = frozenset(
    {
        "invalid_json",
        "missing",
        "not_a_day",
        "not_a_moment",
        "not_a_number",
        "not_an_id",
        "too_big",
        "too_short",
        "too_small",
        "unknown",
        "wrong_pattern",
        "wrong_type",
    }
)

# Who may do what is for tests/test_permissions.py; here each operation is done by one who may.
ROLE_OF = {
    "accept_offer": Role.VOLUNTEER,
    "check_in_here": Role.VOLUNTEER,
    "check_out_here": Role.VOLUNTEER,
    "confirm_resource": Role.MODERATOR,
    "decline_offer": Role.VOLUNTEER,
    "get_own_file": Role.VOLUNTEER,
    "get_own_place": Role.VOLUNTEER,
    "reject_resource": Role.MODERATOR,
    "record_observation": Role.MODERATOR,
    "review_resource": Role.MODERATOR,
    "sign_up": Role.VOLUNTEER,
    "withdraw": Role.VOLUNTEER,
}

REFUSED = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428", "429"]

CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"deterministic": True, "max-examples": 2, "database": "none"},
        "phases": {
            # That they are what the document declares is for test_openapi.py; to build requests of them takes seconds.
            "examples": {"enabled": False},
            # One that changes and one that nobody has: each costs a request for each operation.
            "coverage": {"unexpected-methods": ["PUT", "TRACE"]},
        },
        "operations": [
            # Queries have few fields, which the coverage phase takes through all their kinds of values.
            {"include-method": "GET", "phases": {"fuzzing": {"enabled": False}}},
            # Seven optional fields have too many combinations; tests/auth goes through those that mean something.
            {
                "include-name": "POST /v1/auth/token",
                "generation": {"max-examples": 20},
                "phases": {"coverage": {"enabled": False}},
            },
            # Another method of these is asked of the path beside them, with an id in this place, and refused there.
            *(
                {
                    "include-name": name,
                    "checks": {
                        "unsupported_method": {"enabled": False},
                        "allow_header_conformance": {"enabled": False},
                    },
                }
                for name in ("GET /v1/volunteers/skills", "POST /v1/plans/imports")
            ),
            # Each item is judged on its own, and refused within a 200: tests/spots/test_batch.py.
            {
                "include-name": "POST /v1/sightings/batch",
                "checks": {"negative_data_rejection": {"expected-statuses": ["200", *REFUSED]}},
            },
        ],
        "checks": {
            # 412, 428 and 429 speak of other things than the body; of 422, `a_right_body_meets_only_rules` says which
            # are right.
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "304", "401", "403", "404", "409", "412", "422", "428", "429"]
            },
            # PATCH answers 428 to a missing If-Match (RFC 6585), which schemathesis does not know.
            "missing_required_header": {"expected-statuses": ["401", "422", "428"]},
            "negative_data_rejection": {"expected-statuses": REFUSED},
        },
    }
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
schemathesis.openapi.media_type(XLSX, st.one_of(st.binary(min_size=1, max_size=64), st.just(b"PK\x05\x06" + bytes(18))))
# As committed; test_openapi.py holds the application to it.
schema = schemathesis.openapi.from_dict(
    json.loads(Path(__file__).parents[1].joinpath("openapi.json").read_text()), config=CONFIG
)
# The answer of a stream lasts as long as itself: tests/metrics/test_stream.py.
OPERATIONS = [
    f"{verb.upper()} {path}"
    for path, verbs in schema.raw_schema["paths"].items()
    for verb in verbs
    if not path.endswith("/metrics/stream")
]


def _parameters(operation: dict[str, Any]) -> dict[tuple[str, str | None], str]:
    """Each as it is declared, by its place and name."""
    common = schema.raw_schema["components"]["parameters"]
    named = operation.get("parameters", [])
    declared = (common[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in named)
    return {(each["in"], each["name"]): json.dumps(each, sort_keys=True) for each in declared}


# The first operation that has a parameter declared so.
FIRST_WITH = {
    parameter: f"{verb.upper()} {path}"
    for path, verbs in reversed(schema.raw_schema["paths"].items())
    for verb, operation in reversed(verbs.items())
    for parameter in _parameters(operation).values()
}


def _members(body: object) -> list[object]:
    """Whatever is in it, however deep."""
    if isinstance(body, dict | list):
        inner = body.values() if isinstance(body, dict) else body
        return [member for part in inner for member in _members(part)]
    return [body]


@schemathesis.check
def a_right_body_meets_only_rules(_: CheckContext, response: Response, case: Case) -> None:
    if case.meta and case.meta.generation.mode.is_positive and response.status_code == 422:
        codes = {error["code"] for error in response.json()["errors"]}
        if any(isinstance(value, float) and value.is_integer() for value in _members(case.body)):
            codes.discard("wrong_type")  # to JSON Schema 7.0 is an integer; we ask for 7
        assert not codes & SHAPE, f"{codes} to a request that the document allows"


@pytest.fixture(scope="module")
def bearer_for(live: LiveServer) -> Callable[[str], dict[str, str]]:
    @cache
    def bearer_for(operation_id: str) -> dict[str, str]:
        """Signed in anew for each operation: some of them sign out."""
        account = live.portal.call(live.city.account, ROLE_OF.get(operation_id, Role.ADMIN))
        return {"Authorization": live.portal.call(live.city.client_of, account).headers["Authorization"]}

    return bearer_for


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for thousands of requests, and no look for a proxy before each."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def is_told_again() -> Callable[[Case], bool]:
    told = set[tuple[object, ...]]()

    def is_told_again(case: Case) -> bool:
        about = _about(case)
        is_again = about in told
        told.update([about] if about else [])
        return is_again

    return is_told_again


def _about(case: Case) -> tuple[object, ...] | None:
    """Two wrong requests that are about the same show the same."""
    data = case.meta.phase.data if case.meta else None
    if not isinstance(data, CoveragePhaseData) or case.meta.generation.mode.is_positive:
        return None
    place = data.parameter_location.value if data.parameter_location else ""
    if (place, data.scenario) == ("header", CoverageScenario.OBJECT_UNEXPECTED_PROPERTIES):
        return place, data.scenario  # a header that nobody reads
    if (place, data.location) == ("body", "/type"):
        return case.operation.label, data.location  # no object at all: tests/contract/test_hostile_json.py has them all
    parameter = _parameters(case.operation.definition.raw).get((place, data.parameter))
    if parameter is None:
        return None
    if FIRST_WITH[parameter] != case.operation.label:
        # Once wrong is enough: its bounds and its pattern are each overstepped at the first.
        return case.operation.label, parameter
    # In a path or a query each wrong type is a text.
    return (parameter, data.scenario) if data.scenario is CoverageScenario.INCORRECT_TYPE else None


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_a_declared_one(
    name: str,
    live: LiveServer,
    session: requests.Session,
    bearer_for: Callable[[str], dict[str, str]],
    is_told_again: Callable[[Case], bool],
):
    def ask(case: Case):
        if not is_told_again(case):
            headers = bearer_for(case.operation.definition.raw["operationId"])
            case.call_and_validate(base_url=live.url, session=session, headers=headers)

    verb, path = name.split()
    # What `schema.parametrize()` does, but not before its turn: the requests of all operations are made up in 5 s, and
    # each process that runs tests begins by listing all of them.
    build_operation_test(
        config=schema.config,
        operation=schema[path][verb],
        test_func=ask,
        given_kwargs={},
        feedback=FeedbackSources(),
    )()

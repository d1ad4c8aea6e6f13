"""The OpenAPI document is what clients are generated from: it changes only on purpose, and leaves nothing unsaid."""

import json
import os
import re
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

from app import VERSION, examples
from app.core.config import Settings
from app.main import create_app
from tests.client import contract

SNAPSHOT = Path(__file__).parents[1] / "openapi.json"
RENEW = "RENEW_OPENAPI=1 .venv/bin/pytest tests/contract/test_openapi.py"
# As committed: to make it takes 1.3 s, in each process that lists the tests.
SPEC: dict[str, Any] = json.loads(SNAPSHOT.read_text())
OPERATIONS = {
    f"{verb.upper()} {path}": operation for path, verbs in SPEC["paths"].items() for verb, operation in verbs.items()
}
REFUSALS = [
    (name, status, answer)
    for name, operation in OPERATIONS.items()
    for status, answer in operation["responses"].items()
    if status >= "400"
]


def test_the_document_is_the_committed_one():
    made = create_app(Settings(secret_key="x" * 32)).openapi()
    now = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if "RENEW_OPENAPI" in os.environ:
        SNAPSHOT.write_text(now)
    assert now == SNAPSHOT.read_text(), f"the contract has changed; if that is meant: {RENEW}"


def test_it_says_what_it_is():
    assert SPEC["openapi"].startswith("3.1.")
    assert (SPEC["info"]["title"], SPEC["info"]["version"]) == ("Narkostop", VERSION)
    assert SPEC["info"]["license"]["identifier"] == "MIT"
    for promise in ("RFC 9457", "Idempotency-Key", "Accept-Language"):
        assert promise in SPEC["info"]["description"]


def test_operation_ids_are_unique_and_plain():
    ids = sorted(operation["operationId"] for operation in OPERATIONS.values())
    assert all(first != second for first, second in pairwise(ids))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", operation_id) for operation_id in ids)


def test_an_operation_says_examples_that_are_what_it_declares():
    for name, operation in OPERATIONS.items():
        for media, _ in examples.contents(operation):
            validator = contract().validator(media["schema"], validate_formats=True)
            assert [str(error) for error in validator.iter_errors(media["example"])] == [], name


def test_every_text_in_an_example_was_said_by_somebody():
    assert examples.add(deepcopy(SPEC)) == set(), "say `examples=[...]` at the field"


def test_an_operation_has_a_summary_and_one_tag():
    for name, operation in OPERATIONS.items():
        assert operation["summary"], name
        assert len(operation["tags"]) == 1, name


def test_every_refusal_is_a_problem_and_nothing_else():
    as_problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert len(REFUSALS) > 300
    assert [(name, status) for name, status, answer in REFUSALS if answer["content"] != as_problem] == []
    assert all(answer["description"] for _, _, answer in REFUSALS)


def test_a_refusal_that_can_happen_is_declared():
    for name, operation in OPERATIONS.items():
        can_happen = {"422"}  # an unknown query parameter
        if not name.startswith("GET "):
            can_happen |= {"409", "413", "503"}
        if "requestBody" in operation:
            can_happen |= {"400", "415"}
        if "security" in operation:
            can_happen |= {"401", "403", "503"}
        assert can_happen <= operation["responses"].keys(), name


def test_only_these_operations_are_open_to_everybody():
    assert {name for name, operation in OPERATIONS.items() if "security" not in operation} == {
        "GET /.well-known/jwks.json",
        "GET /livez",
        "GET /metrics",
        "GET /metrics/programme",
        "GET /v1/metrics/definitions",
        "GET /readyz",
        "GET /v1/public/{city_id}",
        "GET /v1/public/{city_id}/calendars/{token}/raids.ics",
        "GET /v1/public/{city_id}/districts",
        "GET /v1/public/{city_id}/figures",
        "GET /v1/public/{city_id}/figures/{figure_id}",
        "GET /v1/public/{city_id}/figures/{figure_id}/badge.svg",
        "GET /v1/public/{city_id}/figures/{figure_id}/check",
        "GET /v1/public/{city_id}/figures/{figure_id}/cite",
        "GET /v1/public/{city_id}/figures/{figure_id}/cite.json",
        "GET /v1/public/{city_id}/metrics",
        "GET /v1/public/{city_id}/metrics/leaderboard",
        "GET /v1/public/{city_id}/metrics/map",
        "GET /v1/public/{city_id}/metrics/stream",
        "GET /v1/public/{city_id}/metrics/{metric}/series",
        "GET /v1/public/{city_id}/plans",
        "GET /v1/public/{city_id}/plans/{plan_id}",
        "GET /version",
        "POST /v1/auth/password",
        "POST /v1/auth/token",
        "POST /v1/public/{city_id}/volunteers",
    }


def test_the_token_endpoint_is_the_one_that_the_security_scheme_names():
    flow = SPEC["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]
    assert f"POST {flow['tokenUrl']}" in OPERATIONS


def test_a_write_takes_an_idempotency_key_unless_its_answer_is_secret():
    key = {"$ref": "#/components/parameters/IdempotencyKey"}
    for name, operation in OPERATIONS.items():
        is_secret = name.startswith("POST /v1/auth/") or name.endswith(("/invite", "/secret"))
        assert (key in operation["parameters"]) == (not name.startswith("GET ") and not is_secret), name


def test_a_body_has_an_example_for_each_required_field_that_is_text():
    contents = (operation.get("requestBody", {}).get("content", {}) for operation in OPERATIONS.values())
    bodies = [content["application/json"] for content in contents if "application/json" in content]
    assert len(bodies) > 40
    for body in bodies:
        name = body["schema"]["$ref"].rpartition("/")[2]
        model = SPEC["components"]["schemas"][name]
        for field in model.get("required", ()):
            declared = model["properties"][field]
            is_text = declared.get("type") == "string" and "enum" not in declared
            assert declared.get("examples") or not is_text, (name, field)

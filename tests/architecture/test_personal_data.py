"""Nothing about a person goes into logs or metrics (rule 11)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import SQLModel

import app.models  # noqa: F401 makes the tables known
from tests.architecture.source import APP, called, calls, modules, plant

# Each column of a table about people is one or the other: a new one makes this file say which.
PERSONAL = {
    "account": {"login", "secret_hash", "invitation_hash", "external_subject"},
    "volunteer": {
        "given_name",
        "family_name",
        "birth_on",
        "phone",
        "guardian_name",
        "guardian_phone",
        "status_reason",
        "suspended_until",
        "coordinator_note",
        "sort_name",
        "name_words",
        "availability",
    },
    "volunteer_term": {"term", "sort_name"},
    "volunteer_event": {"reason", "until"},
    "sighting": {"note", "advertised"},
    "finding": {"note", "address_typed"},
    "payment_card": {"number_digest", "first_six", "last_four"},
}
IMPERSONAL = {
    "account": {
        "id",
        "city_id",
        "kind",
        "role",
        "is_active",
        "authz_version",
        "invitation_expires_at",
        "external_issuer",
        "created_at",
    },
    "volunteer": {
        "id",
        "city_id",
        "account_id",
        "status",
        "language",
        "languages",
        "programmes",
        "districts",
        "skills",
        "created_at",
        "version",
    },
    "volunteer_term": {"city_id", "id"},
    "volunteer_event": {"id", "city_id", "volunteer_id", "action", "decided_by", "created_at"},
    "sighting": {
        "id",
        "city_id",
        "spot_id",
        "reported_by",
        "seen_at",
        "created_at",
        "kind",
        "latitude",
        "longitude",
        "address",
        "surface",
    },
    "finding": {"id", "city_id", "resource_id", "reported_by", "created_at"},
    "payment_card": {
        "id",
        "city_id",
        "created_at",
        "version",
        "bank",
        "resource_id",
        "reported_by",
        "status",
        "authority",
        "outgoing_number",
        "referred_on",
        "frozen_on",
        "amount_kzt",
        "refused_on",
    },
}
SECRET = {
    "password",
    "secret",
    "token",
    "code",
    "body",
    "authorization",
    "refresh_token",
    "private_pem",
    "input",
    "number",
    "digits",
}
UNSPOKEN = SECRET.union(*PERSONAL.values())
TELLING = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "labels"})


def told(folder: Path) -> Iterator[str]:
    """Log calls and metric labels that name something personal or secret."""
    for name, tree in modules(folder):
        for call in calls(tree):
            if called(call) in TELLING and isinstance(call.func, ast.Attribute) and (words := _words(call) & UNSPOKEN):
                yield f"{name}:{call.lineno} {', '.join(sorted(words))}"


def _words(call: ast.Call) -> set[str]:
    """Every keyword, variable and attribute among the arguments, also inside f-strings."""
    parts = [part for argument in (*call.args, *call.keywords) for part in ast.walk(argument)]
    return {getattr(part, field, None) or "" for part in parts for field in ("arg", "id", "attr")}


def test_no_log_call_or_label_names_something_personal():
    assert list(told(APP)) == []


def test_every_column_about_people_is_classified():
    tables = SQLModel.metadata.tables
    assert {name: set(tables[name].c.keys()) for name in PERSONAL} == {
        name: PERSONAL[name] | IMPERSONAL[name] for name in PERSONAL
    }
    assert all(PERSONAL[name].isdisjoint(IMPERSONAL[name]) for name in PERSONAL)


def test_a_telling_call_is_found(tmp_path: Path):
    plant(tmp_path, "a.py", 'log.info("approved", id=volunteer.id)\nlog.info("approved", who=volunteer.phone)\n')
    plant(tmp_path, "b.py", 'log.error(f"no account for {login}")\nREQUESTS.labels(phone=x)\nerror(phone)\n')

    assert list(told(tmp_path)) == ["a.py:2 phone", "b.py:1 login", "b.py:2 phone"]

"""The same noun has the same file name in every layer: `git ls-files '*raids*'` is the feature."""

from pathlib import Path

from tests.architecture.source import APP, plant

LAYERS = ("services", "schemas", "models")
EXEMPT = {
    ("services", "auth"): "signing in is a use case of its own: services/sign_in.py and accounts.py",
    ("schemas", "auth"): "its bodies speak of accounts: schemas/accounts.py",
    ("models", "auth"): "sign-ins are tables of the account: models/accounts.py",
    ("services", "public"): "not a noun but an audience: it reads cities, metrics and volunteers",
    ("schemas", "public"): "see services",
    ("models", "public"): "see services",
    ("models", "attendance"): "columns of the assignment: models/assignments.py",
    ("models", "checks"): "columns of the removal: models/spots.py",
    ("services", "operations"): "about the process, not about a city: nothing to do there",
    ("models", "operations"): "see services",
    ("models", "declared"): "they stand beside the ledger: models/ledger.py",
    ("models", "metrics"): "sums of the ledger: models/ledger.py",
    ("models", "reports"): "the same sums laid out otherwise",
    ("models", "revisions"): "see metrics",
    ("schemas", "revisions"): "one event, beside the document that it speaks of: schemas/metrics.py",
}


def missing(app: Path) -> set[tuple[str, str]]:
    """A noun is a module or, when it has outgrown one, a package."""
    return {(layer, noun) for layer in LAYERS for noun in nouns(app / "routers") - nouns(app / layer)}


def nouns(layer: Path) -> set[str]:
    return {path.stem for path in layer.glob("[a-z]*")}


def test_every_noun_goes_through_all_layers():
    assert missing(APP) == EXEMPT.keys()


def test_a_noun_without_its_layers_is_found(tmp_path: Path):
    plant(tmp_path, "routers/raids.py", "")
    plant(tmp_path, "schemas/raids/queries.py", "")

    assert missing(tmp_path) == {("services", "raids"), ("models", "raids")}

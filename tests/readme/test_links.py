"""What a document of ours points to is there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FOLDERS = (".", "docs", "docs/adr", "bench")
DOCUMENTS = sorted(file.relative_to(PROJECT) for folder in FOLDERS for file in PROJECT.glob(f"{folder}/*.md"))
LINK = re.compile(r"\]\((?P<file>[^)#\s]*)(?:#(?P<heading>[^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """As sites that show Markdown make them."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(document.read_text())}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_leads_somewhere(document: Path):
    source = PROJECT / document
    for link in LINK.finditer(source.read_text()):
        if "://" not in link["file"] and not link["file"].startswith("mailto:"):
            target = source.parent / link["file"] if link["file"] else source
            assert target.exists(), link[0]
            assert not link["heading"] or link["heading"] in anchors(target), link[0]


def test_the_documents_are_found():
    assert {Path("README.md"), Path("README.ru.md"), Path("docs/import.md"), Path("bench/RESULTS.md")} <= {*DOCUMENTS}

"""How a figure is quoted: a sentence, JSON, a badge."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.domain.metrics import Origin
from app.domain.permissions import Role
from tests.city import TestCity
from tests.figures.published import TITLES, signed
from tests.metrics.facts import entry

HOSTILE = {"kk": "Қабырға", "ru": "Стена {0}\nвторая строка", "en": '<script>alert("1")</script> & {value}'}


@pytest.fixture
async def figure(city: TestCity) -> dict[str, Any]:
    await city.add(entry(city, 18_004, district_id="west"), entry(city, 2, origin=Origin.DECLARED))
    return await signed(city, from_day="2026-01-01", to_day="2026-03-31")


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ["18,006", "Inscriptions <painted> & gone", "from 2026-01-01; up to 2026-03-31", "18,004 recorded"]),
        ("ru", ["18\u202f006", "Закрашено надписей", "с 2026-01-01; по 2026-03-31", "2 объявлено"]),
        ("kk", ["18\u202f006", "Боялған жазбалар", "2026-01-01 бастап", "2 жарияланған"]),
    ],
)
async def test_a_sentence_in_each_language(city: TestCity, figure: dict[str, Any], lang: str, said: list[str]):
    place = f"/public/{city.id}/figures/{figure['id']}"
    asked = await city.anonymous.get(f"{place}/cite", params={"lang": lang})
    preferred = await city.anonymous.get(f"{place}/cite", headers={"Accept-Language": lang})
    assert asked.text == preferred.text
    assert (asked.headers["content-type"], asked.headers["content-language"]) == ("text/plain; charset=utf-8", lang)
    assert "Accept-Language" in asked.headers["vary"]
    assert all(part in asked.text for part in said), asked.text
    assert asked.text.endswith(f"/v1{place}\n")
    whole = (await city.anonymous.get(f"{place}/cite.json")).json()
    assert whole["sentence"][lang] == asked.text.strip()
    assert (whole["value"], whole["digest"]) == (18_006, figure["digest"])


async def test_an_unknown_language_is_refused(city: TestCity, figure: dict[str, Any]):
    refused = await city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}/cite", params={"lang": "de"})
    assert refused.status_code == 422


async def test_a_badge_is_an_image_for_any_page_and_loads_nothing(city: TestCity, figure: dict[str, Any]):
    badge = await city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}/badge.svg", params={"lang": "en"})
    assert badge.headers["content-type"] == "image/svg+xml"
    assert badge.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "default-src 'none'" in badge.headers["content-security-policy"]
    image = ET.fromstring(badge.text)  # noqa: S314 our own
    assert {element.tag.rpartition("}")[2] for element in image.iter()} == {"svg", "title", "rect", "g", "text"}
    assert [text.text for text in image.iter("{http://www.w3.org/2000/svg}text")] == [
        "Inscriptions painted over",
        "18,006",
    ]
    assert "href" not in badge.text


async def test_only_a_badge_may_be_shown_elsewhere(city: TestCity, figure: dict[str, Any]):
    page = await city.anonymous.get(f"/public/{city.id}/figures/{figure['id']}")
    assert page.headers["cross-origin-resource-policy"] == "same-site"
    assert page.headers.get_list("content-security-policy") == ["default-src 'none'; frame-ancestors 'none'"]


async def test_a_title_stays_text_on_one_line(city: TestCity):
    figure = await signed(city, titles=HOSTILE)
    place = f"/public/{city.id}/figures/{figure['id']}"
    for lang, said in (("ru", "Стена {0} вторая строка: 0"), ("en", HOSTILE["en"])):
        cited = await city.anonymous.get(f"{place}/cite", params={"lang": lang})
        assert cited.text.startswith(said)
        assert cited.text.count("\n") == 1


async def test_what_was_withdrawn_says_so_wherever_it_is_quoted(city: TestCity, figure: dict[str, Any]):
    admin = await city.as_(Role.ADMIN)
    await admin.post(f"/figures/{figure['id']}/withdraw", json={"reason": "Counted twice."})
    place = f"/public/{city.id}/figures/{figure['id']}"
    cited = await city.anonymous.get(f"{place}/cite", params={"lang": "en"})
    assert cited.text.startswith("Withdrawn on 20")
    assert f": Counted twice. {TITLES['en']}: 18,006" in cited.text
    badge = await city.anonymous.get(f"{place}/badge.svg", params={"lang": "kk"})
    assert ">қайтарып алынған</text>" in badge.text
    assert "18\u202f006" not in badge.text

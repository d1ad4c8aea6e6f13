"""The programme's counts for Prometheus, and a dashboard that draws nothing else."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pydantic import SecretStr

from app.core.config import Settings
from app.domain.metrics import LEVELS, Metric, Origin
from app.main import create_app
from app.services.documents import Documents
from tests.city import Client, TestCity, found_city
from tests.metrics.facts import entry

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana/programme.json"
NAME = re.compile(r"\bnarkostop_\w+")
METRIC = re.compile(r'metric=~?"([^"]*)"')
FEW = Metric.VOLUNTEERS_ONLINE
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(answer: httpx.Response) -> Samples:
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def labelled(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


@pytest.fixture(scope="module")
async def counted(sparse: FastAPI) -> AsyncIterator[TestCity]:
    async with found_city(sparse) as city:
        yield city


@pytest.fixture(scope="module")
async def scraped(counted: TestCity) -> Samples:
    await counted.add(
        entry(counted, 5, district_id="west"),
        entry(counted, 100, origin=Origin.DECLARED),
        entry(counted, 5, metric=Metric.VOLUNTEERS_STREET_ACTIVE),
        entry(counted, metric=FEW),
    )
    # Not through the app's own, which may be of half a second ago.
    counted.app.state.documents = Documents(counted.database)
    return samples(await counted.anonymous.get("http://test/metrics/programme"))


async def test_each_metric_of_each_city_is_a_gauge(counted: TestCity, scraped: Samples):
    painted = {"city": counted.id, "metric": "graffiti_painted"}
    assert scraped["narkostop_programme_counted", labelled(origin="recorded", **painted)] == 5
    assert scraped["narkostop_programme_counted", labelled(origin="declared", **painted)] == 100
    assert scraped["narkostop_programme_entries", labelled(city=counted.id)] == 4
    assert scraped["narkostop_programme_demo", labelled(city=counted.id)] == 0
    told = {
        (name, dict(labels)["metric"])
        for name, labels in scraped
        if ("city", counted.id) in labels and len(labels) == 3
    }
    kinds = {metric: "level" if metric in LEVELS else "counted" for metric in Metric if metric is not FEW}
    assert told == {(f"narkostop_programme_{kind}", metric) for metric, kind in kinds.items()}


async def test_a_gauge_says_what_the_public_may_read(counted: TestCity, scraped: Samples):
    public = (await counted.anonymous.get(f"/public/{counted.id}/metrics")).json()["metrics"]
    for metric in public:
        parts = [
            scraped[name, labels]
            for name, labels in scraped
            if {("city", counted.id), ("metric", metric["metric"])} <= labels
        ]
        assert sum(parts) == metric["total"]
    # Of one volunteer neither says a word.
    assert {metric["metric"] for metric in public} == {*Metric} - {FEW}
    assert {key for _, labels in scraped for key, _ in labels} == {"city", "metric", "origin"}


async def test_prometheus_sends_its_token(sparse: FastAPI, settings: Settings):
    guarded = create_app(settings.model_copy(update={"metrics_token": SecretStr("a token for tests")}))
    guarded.state.database, guarded.state.documents = sparse.state.database, sparse.state.documents
    async with Client(guarded) as client:
        for token, status in ((None, 401), ("wrong", 401), ("a token for tests", 200)):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = await client.get("http://test/metrics/programme", headers=headers)
            assert answer.status_code == status


def expressions(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node[key] for key in ("expr", "definition") if key in node]
        return own + [found for value in node.values() for found in expressions(value)]
    return [found for value in node for found in expressions(value)] if isinstance(node, list) else []


async def test_the_dashboard_asks_for_what_is_there(scraped: Samples):
    asked = expressions(json.loads(DASHBOARD.read_text()))
    assert len(asked) > 10
    names = {name for name, _ in scraped}
    for expression in asked:
        assert set(NAME.findall(expression)) <= names, expression
        # Of days that overlap both together may count the same facts twice.
        assert "origin" in expression or "programme_counted" not in expression, expression
        for metrics in METRIC.findall(expression):
            assert set(metrics.split("|")) <= {*Metric}, expression


def test_the_dashboard_can_be_read_anywhere():
    board = json.loads(DASHBOARD.read_text())
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    for panel in board["panels"]:
        assert panel["title"].isascii()
        assert panel["description"].endswith(".")
        for drawn in (panel, *panel["targets"]):
            assert drawn["datasource"]["uid"] == "${datasource}"
    assert "://" not in DASHBOARD.read_text()

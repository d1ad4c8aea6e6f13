"""Clients that hold every answer against the OpenAPI document."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
from fastapi import FastAPI


class Client(httpx.AsyncClient):
    """Asserts of each answer that its status and body are what OpenAPI declares for the operation."""

    def __init__(self, app: FastAPI, headers: Mapping[str, str] | None = None) -> None:
        self._app = httpx.ASGITransport(app, raise_app_exceptions=False)
        super().__init__(transport=self._app, base_url="http://test/v1", headers=headers)
        self._contract = contract()

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        # Past cookies, redirects and sign-ins, which the service does not know: they took as long as all else here.
        response = await self._app.handle_async_request(request)
        response.request = request
        await response.aread()
        self._contract.check(request, response)
        return response


class Contract:
    """Answers have no field that is not declared."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        for component in spec["components"]["schemas"].values():
            if "properties" in component:
                component.setdefault("additionalProperties", False)
        self._operations: dict[tuple[str, int], list[tuple[list[str], dict[str, Any]]]] = {}
        # A path without parameters before one that would take it, too.
        for path in sorted(spec["paths"], key=lambda path: path.count("{")):
            parts = path.split("/")
            for verb, operation in spec["paths"][path].items():
                self._operations.setdefault((verb.upper(), len(parts)), []).append((parts, operation))
        # Handed over once, and not with each of a thousand schemas.
        self._components = jsonschema_rs.Registry([("urn:contract", {"components": spec["components"]})])
        self._validators: dict[int, Any] = {}

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        path = request.url.path
        operation = self.operation(request.method, path)
        if operation is None:
            return
        declared = operation["responses"].get(str(response.status_code))
        where = f"{request.method} {path} -> {response.status_code}"
        assert declared, f"{where} is not declared: {response.text}"
        assert response.status_code < 500 or response.status_code == 503, where
        if response.content:
            self._check_body(declared, response, where)

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """None for a path that the service does not have."""
        steps = path.split("/")
        known = self._operations.get((method, len(steps)), [])
        return next((operation for parts, operation in known if fits(parts, steps)), None)

    def _check_body(self, declared: dict[str, Any], response: httpx.Response, where: str) -> None:
        kind = response.headers["content-type"].partition(";")[0]
        assert kind in declared["content"], f"{where}: {kind} is not declared"
        if kind.endswith("json"):
            if id(declared) not in self._validators:
                self._validators[id(declared)] = self.validator(declared["content"][kind]["schema"])
            problem = next(self._validators[id(declared)].iter_errors(response.json()), None)
            assert problem is None, f"{where}: {problem}"

    def validator(self, schema: dict[str, Any], **options: bool) -> Any:
        if "$ref" in schema:
            schema = {"$ref": f"urn:contract{schema['$ref']}"}
        return jsonschema_rs.validator_for(schema, registry=self._components, **options)


def fits(parts: list[str], steps: list[str]) -> bool:
    return all(part == step or part[:1] == "{" for part, step in zip(parts, steps, strict=True))


@cache
def contract() -> Contract:
    """The committed one; tests/contract/test_openapi.py holds the application to it."""
    return Contract(json.loads(Path(__file__).with_name("openapi.json").read_text()))

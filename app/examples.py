"""An example for every request body and main answer, put together from those of its fields.

A field says its own example where it is declared, once. A model whose fields exclude each other says one as a whole.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
ID = "0197a3b4-8f0e-7c51-9d2e-5a1f6b7c8d9e"
_BY_FORMAT: dict[str, Any] = {
    "uuid": ID,
    "date-time": "2026-12-05T10:00:00+05:00",
    "date": "2026-12-05",
}
_READ_AS: dict[str, Any] = {
    "cancel_reason": "Rain",
    "dismiss_reason": "A shop's own sign",
    "district_id": "almaly",
    "guardian_name": "Серік Оспанов",
    "guardian_phone": "+77011234568",
    "restored_reason": "The court upheld the owner's appeal",
    "status_reason": "Could not be reached",
    "withdrawal_reason": "Two offices counted the same walls",
    "verdict_reason": "Still there, only scratched",
}
"""What is read by another name than it is sent by."""
_BY_TYPE: dict[str, Any] = {"boolean": False, "null": None, "object": {}}


class Examples:
    """Of one OpenAPI document."""

    def __init__(self, spec: Schema) -> None:
        self._schemas: dict[str, Schema] = spec["components"]["schemas"]
        # A title is a title, in the plan as in what is read: the first that says an example says it for its name.
        self._by_name: dict[str, Any] = {**_READ_AS}
        self.untold: set[str] = set()
        for schema in self._schemas.values():
            for name, field in schema.get("properties", {}).items():
                if (said := _said(field)) and isinstance(said[0], str | list):
                    self._by_name.setdefault(name, said[0])

    def of(self, schema: Schema, name: str = "", *, is_sent: bool) -> Any:
        """What is sent leaves out what may be absent, unless its field says an example itself.

        A text that nobody has given an example of is its own title, and its name is in `untold`: a test reads it.
        """
        schema = self._resolved(schema)
        if said := _said(schema):
            return said[0]
        if "anyOf" in schema or "oneOf" in schema:
            return self.of((schema.get("anyOf") or schema["oneOf"])[0], name, is_sent=is_sent)
        if "properties" in schema:
            return {
                field: self.of(schema["properties"][field], field, is_sent=is_sent) for field in _shown(schema, is_sent)
            }
        return self._plain(schema, name, is_sent=is_sent)

    def _plain(self, schema: Schema, name: str, *, is_sent: bool) -> Any:
        if "const" in schema or "enum" in schema:
            return schema.get("const") or schema["enum"][0]
        known, kind = self._by_name.get(name), schema.get("type")
        if kind == "array":
            is_text = schema.get("items", {}).get("type") == "string" and not isinstance(known, str)
            return known if known and is_text else self._listed(schema, name, is_sent=is_sent)
        if kind != "string" or schema.get("format") in _BY_FORMAT:
            return _of_its_kind(schema)
        if known is None:
            self.untold.add(name)
        return schema.get("title", name) if known is None else known

    def _listed(self, schema: Schema, name: str, *, is_sent: bool) -> list[Any]:
        items = schema.get("prefixItems") or [schema["items"]]
        return [self.of(item, name, is_sent=is_sent) for item in items]

    def _resolved(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        return self._schemas[schema["$ref"].rpartition("/")[2]] | {key: schema[key] for key in schema if key != "$ref"}


def add(spec: Schema) -> set[str]:
    """To each operation of the document. Gives the names of texts that nobody has given an example of."""
    examples = Examples(spec)
    for operations in spec["paths"].values():
        for operation in operations.values():
            for media, is_sent in contents(operation):
                media["example"] = examples.of(media["schema"], is_sent=is_sent)
    return examples.untold


def contents(operation: Schema) -> Iterator[tuple[Schema, bool]]:
    """Each JSON body, and whether it is sent: the request's, and that of the answer when all went well."""
    yield from ((media, True) for media in _json(operation.get("requestBody", {})))
    main = min(status for status in operation["responses"] if status.startswith("2"))
    yield from ((media, False) for media in _json(operation["responses"][main]))


def _json(said: Schema) -> Iterator[Schema]:
    for kind, media in said.get("content", {}).items():
        # A form is as good as JSON here: it is an object with fields.
        if "schema" in media and (kind.endswith(("json", "form-urlencoded", "form-data"))):
            yield media


def _said(field: Schema) -> list[Any]:
    """Its own, or that of the part of it that is not null."""
    parts: list[Schema] = [field, *field.get("anyOf", [])]
    return next((part["examples"] for part in parts if "examples" in part), list[Any]())


def _shown(schema: Schema, is_sent: bool) -> list[str]:  # noqa: FBT001 handed on as it came
    fields: Schema = schema["properties"]
    if not is_sent:
        return list(fields)
    return [name for name in fields if name in schema.get("required", ()) or _said(fields[name])]


def _of_its_kind(schema: Schema) -> Any:
    if "format" in schema and schema["format"] in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    kind = schema.get("type", "object")
    if kind in {"integer", "number"}:
        return schema.get("minimum", 1)
    return _BY_TYPE[kind]

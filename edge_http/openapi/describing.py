"""What is said of one endpoint: what it takes, and each status it answers with."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

FORM: Final = "application/x-www-form-urlencoded"
UPLOAD: Final = "multipart/form-data"
JSON: Final = "application/json"
HTML: Final = "text/html"
TEXT: Final = "text/plain"

JsonSchema = Mapping[str, Any]
"""A JSON schema."""

_PLACE: Final = re.compile(r"\{(\w+)\}")


class StatusAnswer(NamedTuple):
    """An answer of one status."""

    description: str
    content: Mapping[str, JsonSchema] = {}
    """By media type."""


class DescribedEndpoint(NamedTuple):
    """One endpoint."""

    method: str
    path: str
    summary: str
    answers: Mapping[int, StatusAnswer]
    query: Mapping[str, JsonSchema] = {}
    body: Mapping[str, JsonSchema] = {}
    """By media type."""


def text(description: str, example: str = "") -> JsonSchema:
    """Describe a member that is a text."""
    return {"type": "string", "description": description} | ({"examples": [example]} if example else {})


def members(required: Mapping[str, JsonSchema], optional: Mapping[str, JsonSchema] | None = None) -> JsonSchema:
    """Describe an object. It may have further members."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def named(name: str) -> JsonSchema:
    """Refer to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def operation(described: DescribedEndpoint) -> dict[str, Any]:
    """Write an endpoint as OpenAPI has it."""
    found: dict[str, Any] = {
        "summary": described.summary,
        "responses": {str(status): _answered(answer) for status, answer in described.answers.items()},
    }
    places = [_parameter(name, "path", text("As it stands in the address.")) for name in _PLACE.findall(described.path)]
    asked = [_parameter(name, "query", schema) for name, schema in described.query.items()]
    if places or asked:
        found["parameters"] = [*places, *asked]
    if described.body:
        found["requestBody"] = {"required": True, "content": _content(described.body)}
    return found


def _parameter(name: str, where: str, schema: JsonSchema) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


def _answered(answer: StatusAnswer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    return described | ({"content": _content(answer.content)} if answer.content else {})


def _content(content: Mapping[str, JsonSchema]) -> dict[str, Any]:
    return {kind: {"schema": schema} for kind, schema in content.items()}

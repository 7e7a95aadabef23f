"""What a client is told of a body that does not fit: one entry for each failing keyword of a schema.

An entry has `dataPath` (names and indices on the way to the value), `schemaPath` (those on the way to the keyword),
`rule` (the schema that holds the keyword) and, for most keywords, `message`.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

Complaint = dict[str, Any]


def complaints_of(errors: Iterator["ValidationError"], schema: Any, above: Sequence[str] = ()) -> list[Complaint]:
    """List what is wrong, by the library's errors and the schema; `above` leads to the value that was checked."""
    return [entry for error in errors for entry in _entries(error, schema, above)]


def _entries(error: "ValidationError", schema: Any, above: Sequence[str]) -> Iterator[Complaint]:
    kind = error.kind
    data_path, schema_path = [*above, *error.instance_path], list(error.schema_path)
    for inner in _inner(kind):
        yield from _entries(inner, schema, above)
    if kind.name == "required":
        missing = kind.as_dict()["property"]
        data_path.append(missing)
        schema_path[-1:] = _path_of_required(_at(schema, schema_path[:-1]), missing)
    elif kind.name == "propertyNames":
        schema_path = schema_path[: len(schema_path) - schema_path[::-1].index("propertyNames")]
    rule = _at(schema, schema_path[:-1])
    yield {**_message(rule, schema_path[-1]), "dataPath": data_path, "schemaPath": schema_path, "rule": rule}


def _inner(kind: Any) -> Iterator["ValidationError"]:
    if kind.name in ("anyOf", "oneOf"):
        for branch in kind.context if hasattr(kind, "context") else ():
            yield from branch
    elif kind.name == "propertyNames":
        yield kind.error


def _path_of_required(holder: Any, missing: str) -> list[str]:
    """Point at the member's own schema where that says so, else at the list of the object."""
    own = holder.get("properties", {}).get(missing, {})
    return ["properties", missing, "required"] if own.get("required") is True else ["required"]


def _at(schema: Any, path: Sequence[str | int]) -> Any:
    return reduce(lambda holder, name: holder[name], path, schema)


def _message(rule: Any, keyword: str | int) -> dict[str, str]:
    said = MESSAGES.get(str(keyword))
    return {} if said is None else {"message": said.format(_shown(rule.get(keyword)))}


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


MESSAGES: Final[dict[str, str]] = {
    "required": "This value is required.",
    "type": "The value supplied should be a(n) {}.",
    "format": "The supplied string does not match the specified format ({}).",
    "propertyNames": "The supplied property name does not match the allowed names.",
    "anyOf": "The value must match at least one valid format.",
    "oneOf": "The value must match exactly one valid format.",
    "enum": "The supplied value is not one of the allowed values ({}).",
    "const": "The supplied value is not the allowed value ({}).",
    "minimum": "The value must be at least {}.",
    "maximum": "The value must be less than {}.",
    "exclusiveMinimum": "The value must be more than {}.",
    "exclusiveMaximum": "The value must be less than {}.",
    "multipleOf": "The value must be a multiple of {}.",
    "minLength": "The supplied string must have at least {} characters.",
    "maxLength": "The supplied string must have at most {} characters.",
    "pattern": "The supplied string does not match the specified pattern ({}).",
    "minItems": "The supplied list must have at least {} items.",
    "maxItems": "The supplied list must have at most {} items.",
    "uniqueItems": "The items of the supplied list must differ.",
}
"""Texts with `{}` for what the schema says. `maximum` has the words that clients of the service know, though it allows
the number itself."""

"""What the schema of a term may be: JSON Schema, draft 7, that refers to nothing else."""

from collections.abc import Iterator
from typing import Any, Final

from llum.ontologies.positions import Pointer
from model.preferences.codex import compiled

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_MAPS: Final = ("properties", "patternProperties")
_SINGLE: Final = (
    "additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"
)  # fmt: skip
_WORDS: Final = (
    "$comment", "const", "default", "description", "enum", "enumLabels", "examples", "exclusiveMaximum",
    "exclusiveMinimum", "format", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength",
    "minProperties", "minimum", "multipleOf", "pattern", "required", "title", "type", "uniqueItems", "unit",
)  # fmt: skip
KEYWORDS: Final = frozenset((*_LISTS, *_MAPS, *_SINGLE, *_WORDS))
"""What may stand in a schema: a misspelt keyword would check nothing."""

_TYPES: Final = "array, boolean, integer, null, number, object or string"


def mistakes_in_schema(schema: dict[str, Any]) -> list[tuple[Pointer, str]]:
    """List what is wrong with a schema: the way to each place in it, and what to do."""
    wrong = list(_against_draft(schema)) + list(_unknown_keywords(schema, ()))
    return wrong or list(_not_usable(schema))


def _against_draft(schema: dict[str, Any]) -> Iterator[tuple[Pointer, str]]:
    from jsonschema_rs import Draft7Validator

    draft = Draft7Validator({"$ref": "http://json-schema.org/draft-07/schema#"}, offline=True)
    for error in draft.iter_errors(schema):
        pointer = tuple(error.instance_path)
        said = f"a type is {_TYPES}" if pointer[-1:] == ("type",) else error.message
        yield pointer, f"this is no JSON Schema of draft 7: {said}"


def _unknown_keywords(schema: Any, above: Pointer) -> Iterator[tuple[Pointer, str]]:
    if not isinstance(schema, dict):
        return
    for word in schema:
        if word not in KEYWORDS:
            yield (*above, word), f"{word!r} is no keyword that a term's schema may have: {_advice(word)}"
    for pointer, inner in _inner(schema):
        yield from _unknown_keywords(inner, (*above, *pointer))


def _advice(word: str) -> str:
    if word in ("$ref", "$id", "definitions", "$defs"):
        return "write out what it would refer to"
    import difflib

    near = difflib.get_close_matches(word, sorted(KEYWORDS), 1)
    return f"did you mean {near[0]!r}?" if near else "leave it out"


def _inner(schema: dict[str, Any]) -> Iterator[tuple[Pointer, Any]]:
    """Give the schemas that are part of a schema."""
    for word, value in schema.items():
        if word in _MAPS and isinstance(value, dict):
            yield from (((word, name), one) for name, one in value.items())
        elif isinstance(value, list) and (word in _LISTS or word == "items"):
            yield from (((word, index), one) for index, one in enumerate(value))
        elif word in _SINGLE:
            yield (word,), value


def _not_usable(schema: dict[str, Any]) -> Iterator[tuple[Pointer, str]]:
    try:
        checker = compiled(schema)
    except ValueError as error:
        yield (), f"the schema cannot be used: {getattr(error, 'message', error)}"
        return
    if "default" in schema and not checker.is_valid(schema["default"]):
        yield ("default",), "the default is no value that the schema allows: mend either"
    if "enumLabels" in schema and len(schema["enumLabels"]) != len(schema.get("enum", ())):
        yield ("enumLabels",), "there must be as many labels as values in enum: add or leave out some"

"""Where in a JSON file something stands. Only who has to name a mistake asks, so it may take its time."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from lark import Lark, Token, Tree

Pointer = tuple[str | int, ...]
"""The names of members and the indices of items on the way to a part of the file."""

JsonNode = Tree[Token] | Token

_GRAMMAR: Final = r"""
?value: object | array | STRING | NUMBER | WORD
object: "{" [pair ("," pair)*] "}"
array: "[" [value ("," value)*] "]"
pair: STRING ":" value
STRING: /"(?:[^"\\]|\\.)*"/
NUMBER: /-?[0-9][-+0-9.eE]*/
WORD: "true" | "false" | "null"
%ignore /[ \t\r\n]+/
"""


class TextPlace(NamedTuple):
    """A character of a file, both counted from 1."""

    line: int
    column: int


class JsonPlaces(NamedTuple):
    """Where each part of a file begins, a member with its name; and the members whose name their object has already."""

    of: dict[Pointer, TextPlace]
    repeated: list[tuple[Pointer, TextPlace]]


def place_of_byte(data: bytes, offset: int) -> TextPlace:
    """Give the place of a byte, in a file that may be no text."""
    before = data[:offset].decode("utf-8", "replace")
    return TextPlace(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def places_in(text: str) -> JsonPlaces:
    """Find all parts of what is known to be JSON."""
    places = JsonPlaces({(): TextPlace(1, 1)}, [])
    waiting: list[tuple[Pointer, JsonNode]] = [((), _parser().parse(text))]
    while waiting:
        pointer, node = waiting.pop()
        waiting += _parts(pointer, node, places)
    return places


def _parts(pointer: Pointer, node: JsonNode, places: JsonPlaces) -> Iterator[tuple[Pointer, JsonNode]]:
    """Note where the parts of a node are. Of a member that is there twice only the last counts, as for most readers."""
    if isinstance(node, Token):
        return
    parts: dict[str | int, JsonNode] = {}
    for index, part in enumerate(child for child in node.children if child is not None):
        name, value = _member(part) if node.data == "object" else (index, part)
        if name in parts:
            places.repeated.append(((*pointer, name), _begin(part)))
        parts[name] = value
        places.of[(*pointer, name)] = _begin(part)
    for name, value in parts.items():
        yield (*pointer, name), value


def _member(pair: Any) -> tuple[str, JsonNode]:
    key, value = pair.children
    return msgspec.json.decode(str(key), type=str), value


def _begin(node: JsonNode) -> TextPlace:
    where = node.meta if isinstance(node, Tree) else node
    return TextPlace(where.line or 1, where.column or 1)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, start="value", parser="lalr", propagate_positions=True, maybe_placeholders=False)

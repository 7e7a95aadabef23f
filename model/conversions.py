"""Values as the original's clients send them, turned into what a component takes.

They send numbers and booleans as text, and anything to a component of text, which showed it as Python writes it. What
cannot be turned is left as it is, for `model.checks` to refuse.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from schemas.evidence import ValueType

_NUMBER: Final = re.compile(r"(?P<whole>[+-]?[0-9]{1,400})|[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number and nothing else, not even white space: neither `nan` nor `1_000`. Few digits make a whole number."""

_MAX_BITS: Final = 64
"""Bits of a whole number that is written as text: what readers of JSON agree on."""

_BOOLEANS: Final = {"true": True, "false": False}


def converted(value: Any, value_type: ValueType, value_list: Sequence[str] = (), nothing: str = "None") -> Any:
    """Give the value as a component of this type takes it; `nothing` is what null is as text."""
    convert = _CONVERSIONS.get(value_type)
    return value if convert is None else convert(value, value_list, nothing)


def like(value: Any, other: Any) -> Any:
    """Give the value as a component takes it that holds the other one. Null is the empty text, as it is for rules."""
    return converted(value, _TYPES.get(type(other), "JSON"), nothing="")


def _to_text(value: Any, _values: Sequence[str], nothing: str) -> Any:
    return nothing if value is None else _text_of(value)


def _to_one_of(value: Any, values: Sequence[str], _nothing: str) -> Any:
    text = _text_of(value)
    return text if text in values else value


def _text_of(value: Any) -> Any:
    written = isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= _MAX_BITS)
    return str(value) if written else value


def _to_number(value: Any, _values: Sequence[str], _nothing: str) -> Any:
    match = _NUMBER.fullmatch(value) if type(value) is str else None
    if match is None:
        return value
    return float(value) if match["whole"] is None else int(value)


def _to_boolean(value: Any, _values: Sequence[str], _nothing: str) -> Any:
    return _BOOLEANS.get(value.lower(), value) if type(value) is str else value


_CONVERSIONS: Final[dict[ValueType, Callable[[Any, Sequence[str], str], Any]]] = {
    "string": _to_text,
    "enum": _to_one_of,
    "number": _to_number,
    "boolean": _to_boolean,
}
"""JSON holds any value: nothing is turned."""

_TYPES: Final[dict[type, ValueType]] = {str: "string", bool: "boolean", int: "number", float: "number"}

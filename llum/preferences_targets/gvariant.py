r"""The text form of GVariant, in which `gsettings` writes and reads values.

Strings, numbers and arrays in it are literals of Python: they have the same quotes and escapes. What differs are the
words for constants, and types in front of a value (`uint32 5`, `@as []`). All that llum writes is JSON, which GVariant
reads if it is told the type, and `gsettings` tells it.
"""

import ast
import math
import re
from typing import Any, Final

import msgspec

_TEXT_OR_TYPE: Final = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|@[a-z*?(){}]+\s+|\b(?:boolean|byte|u?int(?:16|32|64)|handle|double|string|objectpath|signature)\s+"""
)
_CONSTANTS: Final = {"true": True, "false": False, "nothing": None}


class _Constants(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_CONSTANTS[node.id]) if node.id in _CONSTANTS else node


def read(text: str) -> Any:
    """Give a value as JSON has it. Raises `ValueError` for what JSON has not: tuples, dictionaries, bytes, infinity."""
    untyped = _TEXT_OR_TYPE.sub(lambda found: found["text"] or "", text.strip())
    try:
        value = ast.literal_eval(_Constants().visit(ast.parse(untyped, mode="eval")).body)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"no value is written so: {text[:80]}") from error
    if not _is_json(value):
        raise ValueError(f"JSON has no such value: {text[:80]}")
    return value


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


def written(value: Any) -> str:
    """Write a value of JSON. A whole number is written without a point, as any type of number takes it so."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return msgspec.json.encode(whole).decode()

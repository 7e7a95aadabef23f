"""How a rule turns one value into another: tables of values, and numbers on two scales."""

import math
from collections.abc import Callable
from typing import Any, Final

from model.preferences.mappings import Linear, ValueTable
from model.preferences.paths import MISSING

Convert = Callable[[Any], Any]
"""Gives the counterpart of a value, or `MISSING` if it has none."""

_EXACT: Final = 1e15
"""Floats above have hardly a fraction that could be rounded."""

_NOISE: Final = 1e-9
"""What binary floats may be below a half that is meant: 1.005 is a little less than it says."""


def table_of(rule: ValueTable) -> Convert:
    """Look values up in the pairs of a rule; the first pair counts."""
    scalars = {_key(given): meant for given, meant in reversed(rule.pairs) if not _is_container(given)}
    containers = [(given, meant) for given, meant in rule.pairs if _is_container(given)]

    def convert(value: Any) -> Any:
        if not _is_container(value):
            return scalars.get(_key(value), MISSING)
        return next((meant for given, meant in containers if _same(given, value)), MISSING)

    return convert


def line_of(rule: Linear) -> Convert:
    """Put numbers on the line through the two points of a rule."""
    (first, second), (low, high) = rule.source_points, rule.target_points
    if first == second:
        return lambda _value: MISSING
    slope = (high - low) / (second - first)

    def convert(value: Any) -> Any:
        if type(value) is not int and type(value) is not float:
            return MISSING
        try:
            return _rounded(low + (value - first) * slope, rule.target_decimals)
        except OverflowError:
            return MISSING

    return convert


def _rounded(number: float, decimals: int) -> float | int:
    """Round half away from zero, with no decimals to an integer. Raises OverflowError if it is no finite number."""
    if not math.isfinite(number):
        raise OverflowError
    if abs(number) >= _EXACT:
        return number
    scale: float = 10**decimals
    whole = math.floor(abs(number) * scale + 0.5 + _NOISE)
    signed = -whole if number < 0 else whole
    return signed if decimals == 0 else signed / scale


def _is_container(value: Any) -> bool:
    return type(value) is dict or type(value) is list


def _key(value: Any) -> tuple[bool, Any]:
    """Tell `true` from 1, and 1 not from 1.0."""
    return type(value) is bool, value


def _same(given: Any, value: Any) -> bool:
    """Compare as JSON. It goes no deeper than what the rule gives."""
    if type(given) is dict and type(value) is dict:
        return given.keys() == value.keys() and all(_same(part, value[name]) for name, part in given.items())
    if type(given) is list and type(value) is list:
        return len(given) == len(value) and all(map(_same, given, value))
    return not _is_container(given) and not _is_container(value) and _key(given) == _key(value)

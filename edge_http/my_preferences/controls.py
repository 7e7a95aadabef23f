"""By what a person changes a value: the control that fits its schema, and what comes back from it.

A setting that nobody has described gets the control of the value that it has.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from schemas.errors import Code, Refusal

VALUE: Final = "value"
"""The field of the form."""

Kind = Literal["box", "boxes", "choice", "number", "text", "lines", "json"]

_NUMBERS: Final = ("number", "integer")


_INTEGER: Final = re.compile(r"-?\d{1,18}", re.ASCII)


class Control(NamedTuple):
    """What a form has for a value."""

    kind: Kind
    typed: str = ""
    """What stands in it at first."""
    options: tuple[tuple[str, str], ...] = ()
    """Of a choice and of boxes: what the form sends, and what people read."""
    chosen: tuple[str, ...] = ()
    """Of boxes: those that are set at first."""
    attributes: Mapping[str, str] = {}
    hint: str = ""
    whole: bool = False
    """Of a number: it has no fraction."""

    def again(self, typed: Sequence[str]) -> "Control":
        """Give the same with what somebody has typed."""
        return self._replace(typed=next(iter(typed), ""), chosen=tuple(typed))


def control_for(schema: Mapping[str, Any], value: Any = None) -> Control:
    """Choose the control for a value, by the JSON Schema of its setting; without one, by what it is."""
    kind = schema.get("type") or _type_of(value)
    if options := _options(schema):
        return Control("choice", _json(value), options)
    if kind == "boolean":
        return Control("box", "1" if value is True else "")
    if kind in _NUMBERS:
        return _number(schema, value, whole=kind == "integer")
    if kind == "string":
        return Control("text", value if isinstance(value, str) else "")
    if kind == "array" and (options := _options(_items(schema))):
        return Control("boxes", options=options, chosen=tuple(map(_json, value or ())))
    if kind == "array" and _are_texts(schema, value):
        return Control("lines", "\n".join(map(str, value or ())), hint="One in each line.")
    return Control("json", "" if value is None else _json(value), hint="Written as JSON.")


def value_of(control: Control, sent: Sequence[str]) -> Any:
    """Give the value that somebody has chosen or typed: what the form has sent, which is nothing of an empty box.

    Raises `bad_field`.
    """
    typed = next(iter(sent), "")
    match control.kind:
        case "boxes":
            return [_chosen(control, one) for one in sent]
        case "box":
            return typed == "1"
        case "choice":
            return _chosen(control, typed)
        case "number":
            return _numbered(control, typed)
        case "text":
            return typed
        case "lines":
            return [line.strip() for line in typed.splitlines() if line.strip()]
        case "json":
            return _read(typed)


def _options(schema: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """List what a schema allows, and how that is called."""
    choices = schema.get("enum")
    if not isinstance(choices, list):
        return ()
    labels = schema.get("enumLabels") or [in_words(one) for one in choices]
    return tuple(zip(map(_json, choices), map(str, labels), strict=False))


def _items(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    items = schema.get("items")
    return items if isinstance(items, dict) else {}


def in_words(value: Any) -> str:
    """Write a value for people."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else _json(value)


def _number(schema: Mapping[str, Any], value: Any, *, whole: bool) -> Control:
    low, high, step = (schema.get(name) for name in ("minimum", "maximum", "multipleOf"))
    given = {"min": low, "max": high, "step": step if step is not None else (1 if whole else "any")}
    attributes = {name: f"{one}" for name, one in given.items() if one is not None}
    attributes["inputmode"] = "numeric" if whole and (low or 0) >= 0 else "decimal"
    typed = _json(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return Control("number", typed, attributes=attributes, hint=_range_in_words(low, high), whole=whole)


def _range_in_words(low: Any, high: Any) -> str:
    if low is not None and high is not None:
        return f"From {low} to {high}."
    if low is not None:
        return f"{low} or more."
    return "" if high is None else f"{high} or less."


def _type_of(value: Any) -> str:
    types = ((bool, "boolean"), (int, "number"), (float, "number"), (str, "string"), (list, "array"))
    return next((name for kind, name in types if isinstance(value, kind)), "")


def _are_texts(schema: Mapping[str, Any], value: Any) -> bool:
    if items := _items(schema):
        return items.get("type") == "string"
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _chosen(control: Control, typed: str) -> Any:
    if typed not in dict(control.options):
        raise Refusal(Code.BAD_FIELD, "this is none of the choices", VALUE, "choose one of the list")
    return msgspec.json.decode(typed)


def _numbered(control: Control, typed: str) -> int | float:
    text = typed.strip().replace(",", ".")
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refusal(Code.BAD_FIELD, "this is no number", VALUE, "write it in digits, such as 1.5")
    if control.whole and not number.is_integer():
        raise Refusal(Code.BAD_FIELD, "this is no whole number", VALUE, "leave out the fraction")
    return int(number) if number.is_integer() else number


def _read(typed: str) -> Any:
    try:
        return msgspec.json.decode(typed)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal(
            Code.BAD_FIELD, f"this is no JSON: {error}", VALUE, 'put texts into quotes, as in "text"'
        ) from None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

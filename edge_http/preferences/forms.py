"""Forms with objects in them: `a[b]=c` is `{"a": {"b": "c"}}`, as many web frameworks read it.

`a[]=x&a[]=y` and `a=x&a=y` are lists, and so is `a[0]=x&a[1]=y`. All values are texts.
"""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from schemas.errors import Code, Refusal
from schemas.limits import MAX_JSON_DEPTH

MAX_FIELDS: Final = 1000
"""Fields of a form: more are for JSON."""

MAX_INDEX: Final = 1000
"""A larger number between brackets is a name: a list would be as long as the number says."""

TOO_DEEP_HINT: Final = "give an inner object a name of its own nearer to the top"

_FORM_HINT: Final = (
    "send name=value with & between them, other characters as %XX (curl --data-urlencode does that); "
    "larger bodies as JSON, with Content-Type: application/json"
)

_NAME: Final = re.compile(r"(?P<first>[^\[]*)(?P<rest>(?:\[[^\[\]]*\])*)", re.DOTALL)
_INNER: Final = re.compile(r"\[([^\[\]]*)\]")


def object_of(form: bytes) -> dict[str, Any]:
    """Read a form. Raises `malformed`, `too_deep`, `bad_field`."""
    try:
        text = form.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        said = f"the body is no form of at most {MAX_FIELDS} fields"
        raise Refusal(Code.MALFORMED, said, None, _FORM_HINT) from error
    found: dict[str, Any] = {}
    for name, value in pairs:
        _add(found, _segments_of(name), value)
    return {name: _with_lists(value) for name, value in found.items()}


def _segments_of(name: str) -> list[str]:
    """Cut `a[b][c]` apart. What is not written like that is one name."""
    match = _NAME.fullmatch(name)
    if match is None or not match["first"]:
        return [name]
    segments = [match["first"], *_INNER.findall(match["rest"])]
    if len(segments) > MAX_JSON_DEPTH:
        raise Refusal(Code.TOO_DEEP, f"a field is nested deeper than {MAX_JSON_DEPTH} levels", name[:80], TOO_DEEP_HINT)
    return segments


def _add(around: dict[str, Any], segments: list[str], value: str) -> None:
    """Set a value; of a list the members are named by their numbers until all are there."""
    *path, last = segments
    for depth, segment in enumerate(path, 1):
        inner = around.setdefault(segment or str(len(around)), {})
        if not isinstance(inner, dict):
            raise _text_and_others(segments[:depth])
        around = inner
    name = last or str(len(around))
    there = around.get(name)
    if isinstance(there, dict):
        raise _text_and_others(segments)
    around[name] = value if there is None else [*(there if isinstance(there, list) else [there]), value]


def _text_and_others(segments: list[str]) -> Refusal:
    first, *inner = segments
    name = "".join([first, *(f"[{one}]" for one in inner)])[:80]
    hint = f"leave out either {name}=… or what begins with {name}["
    return Refusal(Code.BAD_FIELD, "a field is a text and holds others, too", name, hint)


def _with_lists(value: Any) -> Any:
    """Make lists of those objects whose names are 0, 1, 2 and so on."""
    if not isinstance(value, dict):
        return value
    members = {name: _with_lists(member) for name, member in value.items()}
    if len(members) <= MAX_INDEX and members.keys() == {str(number) for number in range(len(members))}:
        return [members[str(number)] for number in range(len(members))]
    return members

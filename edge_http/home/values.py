"""How a value is shown to a person: texts as they are, lists as lists, and everything else as JSON."""

from typing import Any, Final, Literal, NamedTuple

import msgspec

MAX_CHARACTERS: Final = 600
"""Characters of a value that a page shows."""

MAX_ITEMS: Final = 20
"""Items of a list that a page shows."""


class ShownValue(NamedTuple):
    """A value, ready for a template."""

    kind: Literal["none", "text", "list", "json"]
    text: str = ""
    items: tuple[str, ...] = ()
    is_cut: bool = False
    """There is more of it than the page shows."""


def shown(value: Any) -> ShownValue:
    """Make a value ready to be shown."""
    if value is None:
        return ShownValue("none")
    if isinstance(value, bool):
        return ShownValue("text", "yes" if value else "no")
    if isinstance(value, str):
        return _cut("text", value)
    if isinstance(value, list) and value and all(isinstance(one, str | int | float) for one in value):
        items = tuple(str(one)[:MAX_CHARACTERS] for one in value[:MAX_ITEMS])
        return ShownValue("list", items=items, is_cut=len(value) > MAX_ITEMS)
    is_number = isinstance(value, int | float)
    return _cut("text" if is_number else "json", msgspec.json.encode(value).decode())


def _cut(kind: Literal["text", "json"], text: str) -> ShownValue:
    return ShownValue(kind, text[:MAX_CHARACTERS], is_cut=len(text) > MAX_CHARACTERS)

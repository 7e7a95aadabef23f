"""How a setting is named for people, and with which others it stands together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from edge_http.home.values import ShownValue, shown
from edge_http.my_preferences.controls import in_words

if TYPE_CHECKING:
    from model.preferences.codex import Codex

GENERAL: Final = "For all programs"

_OF_APPLICATION: Final = "/applications/"


class NamedSetting(NamedTuple):
    """A setting in words."""

    title: str
    description: str
    unit: str
    schema: dict[str, Any]
    is_local: bool
    is_known: bool


def named(codex: "Codex", view: str, path: Sequence[str]) -> NamedSetting:
    """Name a setting as the codex does; one that it does not know by its own name."""
    term = codex.term(view, path)
    if term is None:
        return NamedSetting(short_name(path[-1]), "", "", {}, is_local=False, is_known=False)
    return NamedSetting(term.title, term.description, term.unit, term.schema, term.local, is_known=True)


def group_of(codex: "Codex", view: str, path: Sequence[str]) -> str:
    """Say under which heading a setting stands: its program's, or that of the part of its ontology that it is in."""
    if len(path) == 1 and _OF_APPLICATION not in path[0]:
        return GENERAL
    term = codex.term(view, path[:1])
    return term.title if term is not None else short_name(path[0])


def short_name(name: str) -> str:
    """Give what a name that is an address ends with: that is what its makers call it."""
    for mark in (_OF_APPLICATION, "/common/", "/"):
        before, found, rest = name.rpartition(mark)
        if found and rest and "://" in before + found:
            return rest
    return name


def value_in_words(value: Any, term: NamedSetting) -> ShownValue:
    """Show a value, with the words that its schema has for it."""
    if isinstance(value, list):
        return shown([_labelled(one, term.schema.get("items")) for one in value])
    labelled = _labelled(value, term.schema)
    if labelled is not value:
        return ShownValue("text", labelled)
    if isinstance(value, bool):
        return ShownValue("text", in_words(value))
    one = shown(value)
    return one._replace(text=f"{one.text} {term.unit}") if term.unit and one.kind == "text" else one


def _labelled(value: Any, schema: Any) -> Any:
    """Give what a schema calls a value; the value itself where it calls it nothing."""
    if not isinstance(schema, dict) or isinstance(value, dict | list):
        return value
    choices, labels = schema.get("enum"), schema.get("enumLabels")
    return str(labels[choices.index(value)]) if choices and labels and value in choices else value

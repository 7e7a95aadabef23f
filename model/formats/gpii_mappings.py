"""Mappings between ontologies as installations of GPII keep them: documents of transformation rules.

A member is where to write, its value where to read: `{"http://terms\\.example/fontSize": "display.fontSize"}`. Or it
is a function, `{"transform": {"type", "inputPath", "outputPath"}}`, that writes below its member's name. Members named
`transform` hold functions that write from the root. The functions are the three that such installations use.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from model.preferences.mappings import Copy, Mapping, MappingRule, Pack, Unpack
from model.preferences.paths import path_of
from schemas.errors import Code, Refusal

_PREFIX: Final = "http://registry.gpii.net/applications/"
"""What names of terms begin with that hold the settings of an application."""

_FUNCTIONS: Final = "transform"


def gpii_mapping(source: str, target: str, document: Any) -> Mapping:
    """Read a document that leads from one ontology to another. Raises `bad_field` with the place in the document."""
    if not isinstance(document, dict):
        raise _wrong("the mapping is no object", "")
    return Mapping(source, target, tuple(rule for name, value in document.items() for rule in _member(name, value)))


def _member(name: str, value: Any) -> Iterator[MappingRule]:
    if name == _FUNCTIONS:
        yield from _functions("", value, name)
    elif isinstance(value, str):
        yield Copy(value, name)
    elif isinstance(value, dict) and list(value) == [_FUNCTIONS]:
        yield from _functions(name, value[_FUNCTIONS], path_of((name, _FUNCTIONS)))
    else:
        raise _wrong("a rule is a path or a function", path_of((name,)))


def _functions(below: str, functions: Any, field: str) -> Iterator[MappingRule]:
    for number, function in enumerate(functions if isinstance(functions, list) else [functions]):
        place = f"{field}.{number}" if isinstance(functions, list) else field
        if not isinstance(function, dict):
            raise _wrong("a function is an object", place)
        make = _MAKERS.get(str(function.get("type")))
        if make is None:
            raise _wrong(f"the function {function.get('type')!r} is not known", f"{place}.type")
        source, target = (_path(function, name, place) for name in ("inputPath", "outputPath"))
        yield make(source, ".".join(filter(None, (below, target))))


def _path(function: dict[str, Any], name: str, field: str) -> str:
    path = function.get(name, "")
    if not isinstance(path, str):
        raise _wrong("a path is a text", f"{field}.{name}")
    return path


_MAKERS: Final[dict[str, Callable[[str, str], MappingRule]]] = {
    "fluid.transforms.value": Copy,
    "gpii.ontologyHandler.transforms.applicationISOToFlat": lambda source, target: Unpack(source, target, _PREFIX),
    "gpii.ontologyHandler.transforms.applicationFlatToISO": lambda source, target: Pack(source, target, _PREFIX),
}


def _wrong(message: str, field: str) -> Refusal:
    hint = f"Functions that can be used: {', '.join(_MAKERS)}."
    return Refusal(Code.BAD_FIELD, message, field or None, hint)

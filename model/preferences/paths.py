"""El-paths: how metadata and mappings name a place in a preference set.

PathSegments are separated by `.`; a backslash takes the next character as it is. So
`http://terms\\.example/fontSize` is one segment, `display.screenEnhancement.fontSize` are three. The
empty path is the whole document.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

PathSegments = tuple[str, ...]

MISSING: Final[Any] = object()
"""Nothing is there. JSON's null is a value like any other."""

_ESCAPED: Final = re.compile(r"[.\\}]")
_PIECE: Final = re.compile(r"((?:[^.\\]|\\.)*)(?:\\\Z)?(\.|\Z)", re.DOTALL)
_BACKSLASH: Final = re.compile(r"\\(.)", re.DOTALL)


def segments_of(path: str) -> PathSegments:
    """Read a path. Every text is a path: a backslash at the very end escapes nothing and is left out."""
    if not path:
        return ()
    if "\\" not in path:
        return tuple(path.split("."))
    segments = []
    at, more = 0, True
    while more:
        piece = _PIECE.match(path, at)
        assert piece is not None, "what is no separator belongs to a segment"
        segments.append(_BACKSLASH.sub(r"\1", piece[1]))
        at, more = piece.end(), bool(piece[2])
    return tuple(segments) if segments != [""] else ()


def path_of(segments: PathSegments) -> str:
    """Write a path that is read as these segments."""
    return ".".join(map(escaped, segments))


def escaped(segment: str) -> str:
    """Write one segment."""
    return _ESCAPED.sub(r"\\\g<0>", segment)


def tree_with(segments: PathSegments, value: Any) -> Any:
    """Give an object that holds nothing but a value at a path."""
    for name in reversed(segments):
        value = {name: value}
    return value


def leaves_in(tree: Any, above: PathSegments = ()) -> Iterator[tuple[PathSegments, Any]]:
    """Give what is no object with something in it, each with its path. A tree that is one leaf itself has none."""
    if type(tree) is dict and tree:
        for name, below in tree.items():
            yield from leaves_in(below, (*above, name))
    elif above:
        yield above, tree


def value_at(document: Any, segments: PathSegments) -> Any:
    """Give what is there, or `MISSING`. Only objects have members: a list has none."""
    for segment in segments:
        if type(document) is not dict or segment not in document:
            return MISSING
        document = document[segment]
    return document

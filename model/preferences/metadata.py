"""Metadata of preferences in another ontology: the scopes of each entry name settings by their el-paths."""

from typing import Any, Final

from model.preferences.paths import PathSegments, path_of, segments_of
from model.preferences.sets import Tree, is_object
from model.preferences.transforms import Transform

_ALL: Final = "*"
"""As a scope: every setting, in any ontology. Within one: every setting that a rule reads and that begins so far."""

_AS_IT_IS: Final = "priority"
"""Entries of this type speak of no setting."""


def transformed_metadata(metadata: list[Any], transform: Transform) -> list[Tree]:
    """Say the scopes of entries in the other ontology. What cannot be said there, and what is no entry, is left out."""
    return [_entry(entry, transform) for entry in metadata if is_object(entry)]


def _entry(entry: Tree, transform: Transform) -> Tree:
    if entry.get("type") == _AS_IT_IS:
        return entry
    scope = entry.get("scope")
    scopes = [one for one in scope if isinstance(one, str)] if type(scope) is list else []
    everything = [_ALL for one in scopes if one == _ALL]
    return entry | {"scope": everything + _marked_paths(transform.marked(_marked(scopes, transform)))}


def _marked(scopes: list[str], transform: Transform) -> Tree:
    """Give a tree with `true` where a scope names something."""
    tree: Tree = {}
    for start, star in dict.fromkeys(scope.partition(_ALL)[:2] for scope in scopes if scope != _ALL):
        for path in [path for path in transform.sources if path.startswith(start)] if star else [start]:
            _mark(tree, path)
    return tree


def _mark(tree: Tree, path: str) -> None:
    """Mark one place. A scope below another that is there already adds nothing: it is dropped."""
    segments = segments_of(path)
    if not segments:
        return
    *parents, name = segments
    place: Any = tree
    for parent in parents:
        place = place.setdefault(parent, {})
        if place is True:
            return
    place[name] = True


_Link = tuple[Any, str]
"""A name, with the link of what it is in (None: the document)."""


def _marked_paths(tree: Tree) -> list[str]:
    """Give the paths of all marks, depth first in the order of the names."""
    paths = []
    todo: list[tuple[_Link | None, Any]] = [(None, tree)]
    while todo:
        link, value = todo.pop()
        if value is True:
            paths.append(path_of(_segments_to(link)))
        elif is_object(value):
            todo.extend(((link, name), part) for name, part in reversed(value.items()))
    return paths


def _segments_to(link: _Link | None) -> PathSegments:
    segments = []
    while link is not None:
        link, name = link
        segments.append(name)
    return tuple(reversed(segments))

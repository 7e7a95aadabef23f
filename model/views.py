"""Which components an ask is about: a whole context, a stored view, or names and paths.

What an app may not see looks the same whether or not it is there: permission on a path is looked at before what the
path leads to. A whole context or stored view that is not permitted refuses the ask, since listing what it holds would
tell; a listed component that is not permitted is a failure of its own.
"""

from typing import NamedTuple

from model.checks import check_length
from model.permissions import Grant, denied, grant_of
from model.state import Component, Context, Model
from schemas.errors import Code, Refusal
from schemas.paths import Path, check_path, check_segment
from schemas.queries import Ask
from schemas.replies import ComponentFailure


class Place(NamedTuple):
    """A context that the app may ask, with what holds there."""

    path: Path
    context: Context
    grant: Grant
    resolver: str | None
    """The nearest resolver that is set, the context's own first."""


class Target(NamedTuple):
    place: Place
    name: str
    component: Component


class Targets(NamedTuple):
    own: Place | None
    """The ask's own context; None: not permitted, and only listed components are asked for."""
    found: list[Target]
    failures: list[ComponentFailure]


def find_targets(model: Model, app: str, query: Ask) -> Targets:
    """Find the components in order. Raises a `Refusal` where there is nothing that could be answered in part."""
    view = query.view
    path = tuple(query.context)
    if view is None:
        own = find_place(model, app, path, "context")
        return Targets(own, [Target(own, name, component) for name, component in own.context.components.items()], [])
    if isinstance(view, str):
        own = find_place(model, app, path, "context")
        return _Finder(model, app, path, own).find(_stored(own, view))
    check_length(view, "view")
    return _Finder(model, app, path, _own_of_list(model, app, query, path)).find(view)


def find_place(model: Model, app: str, path: Path, field: str) -> Place:
    """Find a context, or raise `bad_path`, `permission_denied` or `no_such_context`."""
    context, resolver = _walk(model, path)
    if context is None:
        check_path(path, field)
    grant = grant_of(model, app, path)
    if not grant.ask:
        raise denied(app, "ask", field)
    if context is None:
        raise Refusal(Code.NO_SUCH_CONTEXT, "there is no such context", field)
    return Place(path, context, grant, resolver)


class _Finder:
    """Finds the elements of one list; remembers the places it has been to."""

    def __init__(self, model: Model, app: str, path: Path, own: Place | None) -> None:
        self.model = model
        self.app = app
        self.path = path
        self.own = own
        self.places = {} if own is None else {path: own}

    def find(self, elements: list[str | list[str]]) -> Targets:
        found: list[Target] = []
        failures: list[ComponentFailure] = []
        for index, element in enumerate(elements):
            *path, name = (*self.path, element) if isinstance(element, str) else element or [""]
            try:
                found.append(self._target(tuple(path), name, index))
            except Refusal as refusal:
                failures.append(ComponentFailure(path=[*path, name], error=refusal.error))
        return Targets(self.own, found, failures)

    def _target(self, path: Path, name: str, index: int) -> Target:
        place = self.places.get(path)
        if place is None:
            place = self.places[path] = find_place(self.model, self.app, path, f"view[{index}]")
        component = place.context.components.get(name)
        if component is None:
            check_segment(name, f"view[{index}]")
            raise Refusal(Code.NO_SUCH_COMPONENT, f"there is no component {name[:80]!r}", f"view[{index}]")
        return Target(place, name, component)


def _own_of_list(model: Model, app: str, query: Ask, path: Path) -> Place | None:
    """A list may name components elsewhere, so being kept out of the ask's own context does not refuse it."""
    try:
        return find_place(model, app, path, "context")
    except Refusal as refusal:
        if refusal.code is Code.PERMISSION_DENIED and query.view and not query.show_contexts:
            return None
        raise


def _stored(own: Place, name: str) -> list[str | list[str]]:
    view = own.context.views.get(name)
    if view is None:
        check_segment(name, "view")
        raise Refusal(Code.NO_SUCH_VIEW, f"there is no view {name[:80]!r}", "view")
    return view.components


def _walk(model: Model, path: Path) -> tuple[Context | None, str | None]:
    context: Context | None = model.root
    resolver = model.root.item.resolver
    for segment in path:
        context = context.children.get(segment) if context is not None else None
        if context is None:
            return None, None
        resolver = context.item.resolver or resolver
    return context, resolver

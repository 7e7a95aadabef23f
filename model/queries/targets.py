"""Which components an ask is about: a whole context, a stored view, or names and paths.

What an app may not see looks the same whether or not it is there: permission on a path is looked at before what the
path leads to. A whole context or stored view that is not permitted refuses the ask, since listing what it holds would
tell; a listed component that is not permitted is a failure of its own. In a whole context or stored view, single
components that are not permitted are left out; a view of which nothing is left is not there.
"""

import msgspec

from model.permissions import OWNER, Asker, Grant, denied
from model.sight import Sight, placed
from model.state import Context, Leaf, Model
from schemas.errors import Code, Refusal
from schemas.missing import right
from schemas.paths import Path, check_path, check_segment
from schemas.plain_checks import check_length
from schemas.queries import Ask
from schemas.replies import ComponentFailure


class Place(msgspec.Struct, frozen=True, gc=False):
    """A context with what holds there for the app. These are structs, because those are made fastest."""

    path: Path
    context: Context
    grant: Grant
    resolver: str | None
    """The nearest resolver that is set, the context's own first."""


class Target(msgspec.Struct, frozen=True, gc=False):
    """A component to be answered, and under which grant."""

    place: Place
    name: str
    number: int
    leaf: Leaf
    """The component as its context keeps it."""
    grant: Grant
    """What the app may do with the component."""


class Targets(msgspec.Struct, frozen=True, gc=False):
    """What an ask is about: the components, and those that cannot be answered."""

    own: Place | None
    """The ask's own context; None: not permitted, and only listed components are asked for."""
    found: list[Target]
    failures: list[ComponentFailure]


def find_targets(model: Model, asker: Asker, query: Ask) -> Targets:
    """Find the components in order. Raises a `Refusal` where there is nothing that could be answered in part."""
    view = query.view
    path = tuple(query.context)
    if view is None:
        own = find_place(model, asker, path, "context")
        return Targets(own, visible_components(asker, own), [])
    if isinstance(view, str):
        own = find_place(model, asker, path, "context")
        return _Finder(model, asker, path, own).find_stored(view, own)
    check_length(view, "view")
    return _Finder(model, asker, path, _own_of_list(model, asker, query, path)).find(view)


def grants_of(asker: Asker, query: Ask) -> list[Grant]:
    """Say what the app may do where an ask looks, without looking at what is there."""
    path = tuple(query.context)
    own = asker.grant(path)
    if not isinstance(query.view, list) or query.show_contexts:
        return [own]
    places = [placed(path, element) for element in query.view]
    return [asker.component_grant(at, name, asker.grant(at)) for at, name in places]


def find_place(model: Model, asker: Asker, path: Path, field: str) -> Place:
    """Find a context that the app may ask, or raise `bad_path`, `permission_denied` or `no_such_context`."""
    context, resolver = _walk(model, path)
    if context is None:
        check_path(path, field)
    grant = asker.grant(path)
    if not (grant.ask and (grant.bind_view is None or Sight(asker).enters(grant, path))):
        raise denied(asker.app, "ask", field, right("ask", path))
    if context is None:
        raise _no_such_context(field)
    return Place(path, context, grant, resolver)


def find_component(model: Model, asker: Asker, path: Path, name: str) -> Target:
    """Find one component that the app may ask, or raise a `Refusal`; its field is `component`."""
    return _Finder(model, asker, path, None).target(path, name)


def visible_components(asker: Asker, place: Place) -> list[Target]:
    """List those components of a context that the app may ask."""
    grant, path, first = place.grant, place.path, place.context.first
    leaves = place.context.contents.components.items()
    if grant is OWNER or (grant.unlimited and not asker.rights.component_permissions.get(asker.app)):
        return [Target(place, name, first + leaf.offset, leaf, grant) for name, leaf in leaves]
    targets = [
        Target(place, name, first + leaf.offset, leaf, asker.component_grant(path, name, grant))
        for name, leaf in leaves
    ]
    sight = Sight(asker)
    return [target for target in targets if sight.reaches(target.grant, path, target.name)]


class _Finder:
    """Finds the elements of one list; remembers the places it has been to."""

    __slots__ = ("_known_sight", "asker", "model", "own", "path", "places")

    def __init__(self, model: Model, asker: Asker, path: Path, own: Place | None) -> None:
        self.model = model
        self.asker = asker
        self.path = path
        self.own = own
        self.places = {} if own is None else {path: own}

    @property
    def sight(self) -> Sight:
        """An owner's ask, which is the common one, needs none."""
        if not hasattr(self, "_known_sight"):
            self._known_sight = Sight(self.asker)
        return self._known_sight

    def find_stored(self, name: str, own: Place) -> Targets:
        """Find the elements of a stored view, as far as the app may ask them. Raises `no_such_view`."""
        if own.grant.bind_view not in (None, (own.path, name)):
            raise denied(self.asker.app, "ask", "view", right("ask", own.path, view=name))
        view = own.context.views.get(name)
        elements = [] if view is None else view.components
        shown = elements if own.grant is OWNER else self.sight.elements(own.path, elements)
        if view is None or (elements and not shown):
            check_segment(name, "view")
            raise Refusal(Code.NO_SUCH_VIEW, f"there is no view {name[:80]!r}", "view")
        return self.find(shown)

    def find(self, elements: list[str | list[str]]) -> Targets:
        found: list[Target] = []
        failures: list[ComponentFailure] = []
        for index, element in enumerate(elements):
            path, name = placed(self.path, element)
            try:
                found.append(self.target(path, name, index))
            except Refusal as refusal:
                failures.append(ComponentFailure(path=[*path, name], error=refusal.error))
        return Targets(self.own, found, failures)

    def target(self, path: Path, name: str, index: int | None = None) -> Target:
        """Find one component, in a list the one at `index`, or raise a `Refusal`."""
        place = self.places.get(path)
        if place is None:
            place = self.places[path] = self._place(path, name, index)
        grant = place.grant
        if grant is not OWNER:
            grant = self.asker.component_grant(path, name, grant)
            if not self.sight.reaches(grant, path, name):
                raise denied(self.asker.app, "ask", _field(index), right("ask", path, name))
        leaf = place.context.contents.components.get(name)
        if leaf is None:
            check_segment(name, _field(index))
            raise Refusal(Code.NO_SUCH_COMPONENT, f"there is no component {name[:80]!r}", _field(index))
        return Target(place, name, place.context.first + leaf.offset, leaf, grant)

    def _place(self, path: Path, name: str, index: int | None) -> Place:
        field = _field(index)
        context, resolver = _walk(self.model, path)
        if context is None:
            check_path(path, field)
        grant = self.asker.grant(path)
        if context is not None:
            return Place(path, context, grant, resolver)
        if not self.sight.reaches(self.asker.component_grant(path, name, grant), path, name):
            raise denied(self.asker.app, "ask", field, right("ask", path, name))
        raise _no_such_context(field)


def _field(index: int | None) -> str:
    return "component" if index is None else f"view[{index}]"


def _no_such_context(field: str) -> Refusal:
    return Refusal(Code.NO_SUCH_CONTEXT, "there is no such context", field)


def _own_of_list(model: Model, asker: Asker, query: Ask, path: Path) -> Place | None:
    """A list may name components elsewhere, so being kept out of the ask's own context does not refuse it."""
    try:
        return find_place(model, asker, path, "context")
    except Refusal as refusal:
        if refusal.code is Code.PERMISSION_DENIED and query.view and not query.show_contexts:
            return None
        raise


def _walk(model: Model, path: Path) -> tuple[Context | None, str | None]:
    context: Context | None = model.root
    resolver = model.root.resolver
    for segment in path:
        context = context.children.get(segment) if context is not None else None
        if context is None:
            return None, None
        resolver = context.resolver or resolver
    return context, resolver

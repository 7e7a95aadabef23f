"""What grants refer to, which only an owner's app may change: else an app could give itself, or another app, more than
the owner has given.

A setting may name a view (`bind_view`), and so the components that the view lists. Where it limits which value an app
gets (`resolvers`, `bind_view`), it counts on the resolvers that are set at its place, above and below. A setting that
has expired refers to nothing. What is named counts whether or not it is there: a view that the owner has deleted is
not made anew by somebody else.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from model import permissions
from model.stamp import Stamp
from model.state import Context, Model, contexts_below
from schemas.paths import Path
from schemas.permissions import Permission


class Placed(NamedTuple):
    """A setting, the path that it is at, and whether that is a component's."""

    path: Path
    setting: Permission
    is_component: bool


class References:
    """What the settings of all apps refer to at one time."""

    __slots__ = ("_components", "_limited", "_views")

    def __init__(self, model: Model, now: float) -> None:
        self._views: set[tuple[Path, str]] = set()
        self._components: set[Path] = set()
        """Those that the views list."""
        self._limited: list[Path] = []
        """Contexts where the value that an app gets is limited."""
        for placed in _settings(model, now):
            self._add(model, placed)

    def _add(self, model: Model, placed: Placed) -> None:
        path, setting, is_component = placed
        if setting.bind_view:
            self._views.add((path, setting.bind_view))
            self._components.update(listed_in(model, path, setting.bind_view))
        if setting.resolvers or setting.bind_view:
            if is_component:
                self._components.add(path)
            else:
                self._limited.append(path)

    def name_view(self, path: Path, name: str) -> bool:
        return (path, name) in self._views

    def name_component(self, path: Path) -> bool:
        return path in self._components

    def count_on_context(self, path: Path) -> bool:
        """Tell whether it matters to a grant which resolver is set for a context."""
        return self._count_on(path) or any(one[: len(path)] == path for one in (*self._limited, *self._components))

    def count_on_component(self, path: Path) -> bool:
        """Tell whether it matters to a grant which resolver is set for a component."""
        return path in self._components or self._count_on(path[:-1])

    def _count_on(self, path: Path) -> bool:
        return any(path[: len(one)] == one for one in self._limited)

    def need(self, path: Path, context: Context) -> bool:
        """Tell whether a grant refers to a context itself, a view or a component in it, or what is set for them."""
        leaves = context.contents.components
        return (
            (context.resolver is not None and self.count_on_context(path))
            or any((path, name) in self._views for name in context.views)
            or any(self.need_component((*path, name), leaf.resolver) for name, leaf in leaves.items())
        )

    def need_component(self, path: Path, resolver: str | None) -> bool:
        """Tell whether a grant refers to a component, or to the resolver that is set for it."""
        return path in self._components or (resolver is not None and self.count_on_component(path))


def listed_in(model: Model, path: Path, name: str) -> frozenset[Path]:
    """Give the paths of the components that a view lists; there may be no such view, nor the components."""
    context = model.context(path)
    view = context.views.get(name) if context is not None else None
    elements = view.components if view is not None else []
    return frozenset((*path, one) if isinstance(one, str) else tuple(one) for one in elements)


def check_view(model: Model, stamp: Stamp, path: Path, name: str) -> None:
    """Raise `permission_denied` where a grant refers to a view and the app is not the owner's."""
    _check(model, stamp, lambda references: references.name_view(path, name), "view")


def check_component(model: Model, stamp: Stamp, path: Path, resolver: str | None) -> None:
    """Do the same for a component with this resolver that is to go."""
    _check(model, stamp, lambda references: references.need_component(path, resolver), "component")


def check_context(model: Model, stamp: Stamp, path: Path, context: Context) -> None:
    """Do the same for a context that is to go with all below it."""
    _check(
        model,
        stamp,
        lambda references: any(references.need(at, each) for at, each in contexts_below(path, context)),
        "context",
    )


def check_resolver_of_context(model: Model, stamp: Stamp, path: Path) -> None:
    """Do the same for a context whose resolver is to be set."""
    _check(model, stamp, lambda references: references.count_on_context(path), "context")


def check_resolver_of_component(model: Model, stamp: Stamp, path: Path) -> None:
    """Do the same for a component whose resolver is to be set."""
    _check(model, stamp, lambda references: references.count_on_component(path), "component")


def _check(model: Model, stamp: Stamp, refer: Callable[[References], bool], field: str) -> None:
    if not permissions.is_owner(model, stamp.app) and refer(References(model, stamp.time_s)):
        raise permissions.denied(stamp.app, "change what a grant refers to", field)


def _settings(model: Model, now: float) -> Iterator[Placed]:
    for kept, is_component in ((model.permissions, False), (model.component_permissions, True)):
        for by_path in kept.values():
            for path, setting in by_path.items():
                if not permissions.is_expired(setting, now):
                    yield Placed(path, setting, is_component)

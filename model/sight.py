"""Which names an app may know: those that it may ask. The others look as if they were not there.

An app that is bound to a view may ask the components that the view lists, and knows the contexts that these are in.
Of a bound view, it is the view as it is now that counts.
"""

from collections.abc import Iterable

from model.permissions import Asker, Grant
from model.references import listed_in
from schemas.paths import Path

Element = str | list[str]


class Sight:
    """Says what an app may ask. Remembers the views that it has looked at: make one for each ask or command."""

    __slots__ = ("_asker", "_bound")

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._bound: dict[tuple[Path, str], frozenset[Path]] = {}

    def reaches(self, grant: Grant, path: Path, name: str) -> bool:
        """Tell whether the app may ask a component, of which `grant` says what it may do with it."""
        if grant.bind_view is None or not grant.ask:
            return grant.ask
        return (*path, name) in self._listed(grant.bind_view)

    def sees(self, path: Path, name: str) -> bool:
        """Tell whether the app may ask a component, whether or not it is there."""
        asker = self._asker
        return self.reaches(asker.component_grant(path, name, asker.grant(path)), path, name)

    def enters(self, grant: Grant, path: Path) -> bool:
        """Tell whether the app may know of a context, of which `grant` says what it may do there."""
        bound = grant.bind_view
        if bound is None or not grant.ask:
            return grant.ask
        return path == bound[0] or any(one[:-1] == path for one in self._listed(bound))

    def sees_context(self, path: Path) -> bool:
        """Tell whether the app may know of a context, whether or not it is there."""
        return self.enters(self._asker.grant(path), path)

    def sees_view(self, path: Path, name: str) -> bool:
        """Tell whether the app may know of a view of a context, whether or not it is there."""
        grant = self._asker.grant(path)
        return self.enters(grant, path) and grant.bind_view in (None, (path, name))

    def elements(self, path: Path, elements: Iterable[Element]) -> list[Element]:
        """Leave out of a view's elements those that the app may not ask."""
        return [one for one in elements if self.sees(*placed(path, one))]

    def goals(self, goals: list[list[str]]) -> list[list[str]]:
        """Leave out of a component's goals those that the app may not ask."""
        return [goal for goal in goals if goal and self.sees(tuple(goal[:-1]), goal[-1])]

    def _listed(self, view: tuple[Path, str]) -> frozenset[Path]:
        if view not in self._bound:
            self._bound[view] = listed_in(self._asker.rights, *view)
        return self._bound[view]


def placed(path: Path, element: Element) -> tuple[Path, str]:
    """Give the context and the name of a view's element, where the view is at `path`."""
    if isinstance(element, str):
        return path, element
    return (tuple(element[:-1]), element[-1]) if element else ((), "")

"""Where a command wants to change something, and whether its app may.

Permission is looked at before existence, so that nobody learns what is there by asking for it.
"""

from typing import Final, Literal, NamedTuple

from model import permissions
from model.stamp import Stamp
from model.state import Component, Context, Model
from schemas.errors import Code, Refusal
from schemas.missing import right
from schemas.paths import Path, check_path, check_segment

ToChange = Literal["tell", "make", "delete", "rules"]
"""What a command wants to do: a part of a permission."""


class ComponentPlace(NamedTuple):
    """A component that the app may change."""

    path: Path
    """Of its context."""
    context: Context
    name: str
    component: Component

    @property
    def full_path(self) -> Path:
        return (*self.path, self.name)


def context_to_change(model: Model, stamp: Stamp, segments: list[str] | Path, action: ToChange) -> tuple[Path, Context]:
    """Find a context, or raise `bad_path`, `permission_denied`, `no_such_context`."""
    path = check_path(segments, "context")
    check_may(permissions.grant_of(model, stamp.app, path, stamp.time_s), stamp.app, action, path)
    context = model.context(path)
    if context is None:
        raise no_such_context()
    return path, context


def component_to_change(model: Model, stamp: Stamp, segments: list[str], name: str, action: ToChange) -> ComponentPlace:
    """Find a component, or raise `bad_path`, `permission_denied`, `no_such_context`, `no_such_component`."""
    path = check_path(segments, "context")
    check_may(permissions.grant_at(model, stamp.app, path, name, stamp.time_s), stamp.app, action, path, name)
    return existing_component(model, path, name)


def check_may(grant: permissions.Grant, app: str, action: ToChange, path: Path, name: str | None = None) -> None:
    """Raise `permission_denied` unless the grant, that of a context or a component, allows it."""
    if not getattr(grant, action):
        raise permissions.denied(app, _WORDS.get(action, action), "context", right(action, path, name))


_WORDS: Final[dict[str, str]] = {"make": "make or change things", "delete": "delete things", "rules": "have rules"}


def existing_component(model: Model, path: Path, name: str) -> ComponentPlace:
    """Find a component without looking at permissions, or raise `no_such_context`, `no_such_component`."""
    context = model.context(path)
    if context is None:
        raise no_such_context()
    component = context.component(name)
    if component is None:
        check_segment(name, "component")
        raise Refusal(Code.NO_SUCH_COMPONENT, f"there is no component {name[:80]!r}", "component")
    return ComponentPlace(path, context, name, component)


def check_owner(model: Model, app: str, action: str) -> None:
    if not permissions.is_owner(model, app):
        raise permissions.denied(app, action)


def no_such_context() -> Refusal:
    return Refusal(Code.NO_SUCH_CONTEXT, "there is no such context", "context", "make the context first")

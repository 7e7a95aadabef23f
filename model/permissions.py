"""Who may do what, where. The owner's apps may do everything; another app may do what a permission on the context
or its nearest ancestor says, each of `ask`, `tell` and `resolvers` looked up by itself; otherwise nothing.

Answers are remembered in `model.permission_memo` for contexts that exist and apps that are registered, so its size is
bounded by the model's; `forget` empties it when a permission or a role changes.
"""

from typing import Final

import msgspec

from model.state import Model, Permission
from schemas.errors import Code, Refusal
from schemas.paths import Path, format_path

_MEMO: Final = "grant"


class Grant(msgspec.Struct, frozen=True, gc=False):
    """What an app may do in one context."""

    ask: bool = False
    tell: bool = False
    resolvers: frozenset[str] | None = None
    """None: all of them."""
    source: str = ""
    """Where `ask` comes from: `owner`, or a context's path with a `/` in front; empty: said nowhere."""


OWNER: Final = Grant(ask=True, tell=True, source="owner")
NOTHING: Final = Grant()


def grant_of(model: Model, app: str, path: Path) -> Grant:
    """Say what the app may do at the path, whether or not there is a context."""
    known = model.permission_memo.get((app, _MEMO, path))
    if known is not None:
        assert isinstance(known, Grant)
        return known
    registered = model.apps.get(app)
    if registered is None:
        return NOTHING
    grant = OWNER if registered.role == "owner" else _inherited(model.permissions.get(app, {}), path)
    if model.context(path) is not None:
        model.permission_memo[(app, _MEMO, path)] = grant
    return grant


def is_owner(model: Model, app: str) -> bool:
    registered = model.apps.get(app)
    return registered is not None and registered.role == "owner"


def forget(model: Model) -> None:
    """Forget the remembered answers: call it after any change to apps or permissions."""
    model.permission_memo.clear()


def denied(app: str, action: str, field: str | None = None) -> Refusal:
    """Make the refusal; it is the same whether or not there is something at the path."""
    return Refusal(Code.PERMISSION_DENIED, f"{app} may not {action} here", field, "the model's owner can grant it")


def _inherited(permissions: dict[Path, Permission], path: Path) -> Grant:
    ask = tell = resolvers = None
    source = ""
    for depth in range(len(path), -1, -1):
        permission = permissions.get(path[:depth])
        if permission is None:
            continue
        if ask is None and permission.ask is not None:
            ask, source = permission.ask, "/" + format_path(path[:depth])
        tell = permission.tell if tell is None else tell
        resolvers = permission.resolvers if resolvers is None else resolvers
    return Grant(bool(ask), bool(tell), frozenset(resolvers) if resolvers else None, source)

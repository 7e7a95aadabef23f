"""Which right is missing: what an error names, so that an app can ask the person for it.

It is made of what the app has asked, and of nothing that the model holds: it is the same whether or not there is
something at the place.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from schemas import commands, queries
from schemas.commands import Command
from schemas.paths import Path, format_path
from schemas.preferences import PutPreferences
from schemas.queries import Ask, GetPermission, PastQuery, Query
from schemas.slices import Action, Slice

ALL_OF_THE_PAST: Final = 253_402_300_799.0
"""Seconds back to before anything: of an ask as of a sequence, whose time an app that may not ask is not told."""

RIGHT_OF: Final[dict[type[msgspec.Struct], Action]] = {
    commands.Tell: "tell",
    commands.Withdraw: "tell",
    PutPreferences: "tell",
    commands.MakeContext: "make",
    commands.MakeComponent: "make",
    commands.MakeView: "make",
    commands.SetResolver: "make",
    commands.SetGoals: "make",
    commands.DeleteContext: "delete",
    commands.DeleteComponent: "delete",
    commands.DeleteView: "delete",
    commands.MakeRule: "rules",
    commands.DeleteRule: "rules",
    queries.Ask: "ask",
    queries.GetContext: "ask",
    queries.ListRules: "ask",
    queries.Preferences: "ask",
}
"""What an app that is no owner's needs for a message, somewhere in the model. The rest needs no right, or an owner."""


def right(actions: Action | Iterable[Action], path: Path, component: str | None = None, **limits: Any) -> Slice:
    """Make the slice of one context with all below it, or of one component. `limits` are others of its members."""
    actions = [actions] if isinstance(actions, str) else list(actions)
    if component is None:
        return Slice(paths=[format_path(path)], actions=actions, **limits)
    return Slice(components=[format_path((*path, component))], actions=actions, **limits)


def right_to_past(query: PastQuery, seconds: float) -> Slice | None:
    """Make the slice of what a query is about, so far back; None: only owner apps may ask it."""
    return _of(query, "ask" if type(query) is GetPermission else RIGHT_OF.get(type(query)), past=seconds)


def right_for(message: Command | Query) -> Slice | None:
    """Make the slice that a message needs where it is about; None: it needs no right, or an owner's."""
    return _of(message, RIGHT_OF.get(type(message)))


def _of(message: Any, action: Action | None, **limits: Any) -> Slice | None:
    if action is None:
        return None
    path = tuple(message.context)
    if type(message) is Ask and isinstance(message.view, list) and not message.show_contexts:
        listed = [(*path, one) if isinstance(one, str) else tuple(one) for one in message.view]
        return Slice(components=list(map(format_path, listed)), actions=[action], **limits)
    component = getattr(message, "component", None)
    return right(action, path, component if isinstance(component, str) else None, **limits)

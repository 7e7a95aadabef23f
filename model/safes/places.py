"""Where a safe lies: its place is a context, below it each view, in that each set, and in that the settings."""

from collections.abc import Iterator
from typing import Final

from model.state import Contents, Context, Leaf, Model, contexts_below
from schemas.apps import PREFERENCES_APP
from schemas.errors import Refusal
from schemas.paths import Path, check_segment
from schemas.preferences import PREFERENCES_PLACE, SAFE_CONTEXT, SKELETON

LLUMS_OWN: Final = "_"
"""What a name begins with that is no view, and no set."""


def may_be_named(name: str) -> bool:
    """Tell whether somebody can have put a set of this name."""
    try:
        return not name.startswith(LLUMS_OWN) and check_segment(name, "") == name
    except Refusal:
        return False


def views_of(place: Context | None) -> dict[str, Context]:
    """Give the views of a safe, in the order of their making; those that nobody has put come last, by name."""
    if place is None:
        return {}
    views = {name: view for name, view in place.children.items() if not name.startswith(LLUMS_OWN)}
    if len(views) < 2:
        return views
    return dict(sorted(views.items(), key=_made))


def contexts_of(path: Path, place: Context | None) -> Iterator[tuple[Path, Context]]:
    """Give the contexts of all views, with what is below them."""
    for name, view in views_of(place).items():
        if view.children:
            yield from contexts_below((*path, name), view)
        else:
            yield (*path, name), view


def facts_of(model: Model, place: Path) -> Context | None:
    """Give the context with the facts of a safe that is a model of its own; None: this is no such safe."""
    if place != PREFERENCES_PLACE or PREFERENCES_APP not in model.apps:
        return None
    return model.root.children.get(SAFE_CONTEXT)


def number_of(context: Context | None, name: str) -> int | None:
    """Give the number of a component; None: there is none."""
    leaf = None if context is None else context.contents.components.get(name)
    return None if context is None or leaf is None else context.first + leaf.offset


def snapshot(context: Context) -> Context:
    """Copy which components and contexts are in a context, to be looked at when commands have followed."""
    contents, children = context.contents, context.children
    copied = Contents(contents.item, dict(contents.components))
    return Context.seen(context, copied, {name: snapshot(child) for name, child in children.items()})


def next_moment(place: Context | None, now_us: int) -> int:
    """Give the time of making of a new view, in microseconds: later than that of each other one.

    So it tells their order. Numbers of components do not: an import gives new ones, by name.
    """
    made = (view.created_us + leaf.later_us for view in views_of(place).values() if (leaf := _skeleton_in(view)))
    return max(now_us, 1 + max(made, default=0))


def _skeleton_in(view: Context) -> Leaf | None:
    return view.contents.components.get(SKELETON)


def _made(named: tuple[str, Context]) -> tuple[bool, int, int, str]:
    name, view = named
    leaf = _skeleton_in(view)
    if leaf is None:
        return True, 0, 0, name
    return False, view.created_us + leaf.later_us, view.first + leaf.offset, name

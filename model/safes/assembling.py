"""A set as it was put, made of what stands in its view.

The skeleton says what was put, in which order; what stands says which of it is there now. Settings that others have
told, and that the skeleton does not name, come last. Nothing here fails, whatever has been told.
"""

from typing import Any

from model.preferences.sets import Tree, has_preferences
from model.safes.places import LLUMS_OWN, may_be_named, number_of
from model.safes.standing import Pieces, is_there
from model.state import NOTHING, Context
from schemas.preferences import SKELETON, UNSET_FLAG


def set_of(view: Context, pieces: Pieces) -> Tree:
    """Put together the set of a view."""
    skeleton = skeleton_of(view, pieces)
    made = dict(skeleton)
    named = skeleton.get("contexts")
    contexts: Tree = {}
    if type(named) is dict:
        for name, context in named.items():
            # Others may have told a skeleton with names that nobody could put.
            if may_be_named(name):
                contexts[name] = _context_of(context, view.children.get(name), pieces)
    for name in sorted(view.children):
        if not name.startswith(LLUMS_OWN) and not has_preferences(contexts.get(name)):
            told = _tree({}, view.children[name], pieces)
            if told:
                own = contexts.get(name)
                contexts[name] = {**(own if type(own) is dict else {}), "preferences": told}
    if contexts or type(named) is dict:
        made["contexts"] = contexts
    return made


def skeleton_of(view: Context, pieces: Pieces) -> Tree:
    """Give the skeleton of a view; empty if there is none, or what was told is none."""
    number = number_of(view, SKELETON)
    piece = None if number is None else pieces.get(number)
    return piece.value if piece is not None and type(piece.value) is dict else {}


def _context_of(context: Any, stored: Context | None, pieces: Pieces) -> Any:
    if not has_preferences(context):
        return context
    return {**context, "preferences": _tree(context["preferences"], stored, pieces)}


def _tree(skeleton: Tree, context: Context | None, pieces: Pieces) -> Tree:
    """Fill in the values of one context, and of those below it."""
    if context is None:
        return {}
    leaves, children, first = context.contents.components, context.children, context.first
    made: Tree = {}
    for name, kept in skeleton.items():
        if type(kept) is dict:
            below = _tree(kept, children.get(name), pieces)
            if below:
                made[name] = below
        elif (leaf := leaves.get(name)) is not None:
            piece = pieces.get(first + leaf.offset)
            # As `is_there` does; this is done for each setting.
            if piece is not None and not (piece.flags and UNSET_FLAG in piece.flags):
                made[name] = piece.value
    if len(made) < len(leaves) + len(children):
        _add_others(made, context, pieces)
    return made


def _add_others(made: Tree, context: Context, pieces: Pieces) -> None:
    """Add what the skeleton does not name: in the order of its making, and what lies deeper by name."""
    for name, leaf in context.contents.components.items():
        if name not in made and is_there(piece := pieces.get(context.first + leaf.offset)):
            assert piece is not None, "it is there"
            made[name] = piece.value
    if context.children is not NOTHING:
        for name in sorted(context.children):
            if name not in made and (below := _tree({}, context.children[name], pieces)):
                made[name] = below

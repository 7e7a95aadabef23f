"""Preference sets put together and taken apart. No function changes what it is given; results share parts with it.

A preference set is `{name?, contexts: {id: {name?, priority?, preferences, metadata?}}, metadata?}`. What is stored
may be anything: what is no object where one belongs is passed over, and nothing here raises. Nothing recurses, so
that no depth is too deep.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeGuard

from model.preferences.paths import MISSING

Tree = dict[str, Any]


def is_object(value: Any) -> TypeGuard[Tree]:
    """Say whether a decoded value is a JSON object."""
    return type(value) is dict


def has_preferences(context: Any) -> TypeGuard[Tree]:
    """Say whether this is a context with preferences that can be read."""
    return type(context) is dict and type(context.get("preferences")) is dict


def sanitised(preference_set: Any) -> Any:
    """Leave out empty lists: any member of a context that is one, and the set's own metadata."""
    if not is_object(preference_set):
        return preference_set
    cleaned = {name: member for name, member in preference_set.items() if name != "metadata" or member != []}
    contexts = cleaned.get("contexts")
    if is_object(contexts):
        cleaned["contexts"] = {name: _without_empty_lists(context) for name, context in contexts.items()}
    return cleaned


def _without_empty_lists(context: Any) -> Any:
    if not is_object(context):
        return context
    return {name: member for name, member in context.items() if member != []}


def deep_merge(under: Tree, over: Tree) -> Tree:
    """Lay one object over another. Objects merge; lists merge item by item and never become shorter; others replace.

    null replaces too. The members of `under` come first, then what only `over` has.
    """
    merged: Tree = _laid_over(under, over, lists_of_any_length=True)
    return merged


def merged_set(under: Tree, over: Tree) -> Tree:
    """Merge a preference set into another as `deep_merge` does, but so that nothing is unset.

    What would take settings away with it, as `contexts` that is null, is passed over.
    """
    return deep_merge(under, _without_what_unsets(under, over, _TO_SETTINGS))


_TO_SETTINGS: Final = ("contexts", None, "preferences")
"""Where settings are in a preference set; None is any name."""


def _without_what_unsets(under: Tree, over: Tree, way: tuple[str | None, ...]) -> Tree:
    """Leave out what is no object where the other has one, on the way to the settings."""
    kept = dict(over)
    for name in [name for name in over if way and way[0] in (None, name) and is_object(under.get(name))]:
        if is_object(over[name]):
            kept[name] = _without_what_unsets(under[name], over[name], way[1:])
        else:
            del kept[name]
    return kept


def written_over(old: Any, new: Any) -> Any:
    """Write a value where there is one: objects merge, lists of the same length item by item, others replace."""
    if _mergeable(old, new, lists_of_any_length=False):
        return _laid_over(old, new, lists_of_any_length=False)
    return new


def _laid_over(under: Any, over: Any, *, lists_of_any_length: bool) -> Any:
    merged = under.copy()
    todo: list[tuple[Any, Any]] = [(merged, over)]
    while todo:
        into, source = todo.pop()
        for key, value in _members(source):
            old = _member(into, key)
            if _mergeable(old, value, lists_of_any_length=lists_of_any_length):
                value, below = old.copy(), value
                todo.append((value, below))
            if old is MISSING and type(into) is list:
                into.append(value)
            else:
                into[key] = value
    return merged


def _members(container: Any) -> Iterable[tuple[Any, Any]]:
    return container.items() if type(container) is dict else enumerate(container)


def _member(container: Any, key: Any) -> Any:
    if type(container) is dict:
        return container.get(key, MISSING)
    return container[key] if key < len(container) else MISSING


def _mergeable(old: Any, new: Any, *, lists_of_any_length: bool) -> bool:
    if type(old) is list and type(new) is list:
        return lists_of_any_length or len(old) == len(new)
    return type(old) is dict and type(new) is dict


def filter_preferences(full: Tree, remove: Tree) -> Tree:
    """Take away what is named in `remove`, whatever the values; an object that this empties goes with its name."""
    kept: Tree = {}
    todo: list[tuple[Tree, str, Tree, Tree, Tree]] = []
    _filter_one(kept, full, remove, todo)
    emptied = []
    while todo:
        holder, name, filtered, inner, removed = todo.pop()
        _filter_one(filtered, inner, removed, todo)
        emptied.append((holder, name, filtered))
    for holder, name, filtered in reversed(emptied):
        if not filtered:
            del holder[name]
    return kept


def _filter_one(kept: Tree, full: Tree, remove: Tree, todo: list[tuple[Tree, str, Tree, Tree, Tree]]) -> None:
    """Filter one level. An object of which only a part may go gets its place now, so that the order stays."""
    for name, value in full.items():
        removed = remove.get(name, MISSING)
        if removed is MISSING:
            kept[name] = value
        elif is_object(removed) and is_object(value):
            filtered: Tree = {}
            kept[name] = filtered
            todo.append((kept, name, filtered, value, removed))


def merge_patched(target: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch (RFC 7396): null unsets a member, objects merge, everything else replaces."""
    if not is_object(patch):
        return patch
    patched: Tree = dict(target) if is_object(target) else {}
    todo = [(patched, patch)]
    while todo:
        into, changes = todo.pop()
        for name, value in changes.items():
            if value is None:
                into.pop(name, None)
            elif is_object(value):
                old = into.get(name)
                below: Tree = dict(old) if is_object(old) else {}
                into[name] = below
                todo.append((below, value))
            else:
                into[name] = value
    return patched


def merge_sets(first: Tree, second: Any) -> Tree:
    """Put two preference sets of one ontology together; of two values of a setting the second's counts.

    The names of the set and of a context, and a context's priority, are the first's. Metadata is one list after the
    other. What is neither name nor contexts nor metadata is left out.
    """
    contexts = first.get("contexts")
    merged: Tree = {"contexts": dict(contexts) if is_object(contexts) else {}}
    if not is_object(second):
        second = {}
    _take_contexts(merged["contexts"], second.get("contexts"))
    _take(merged, "name", first.get("name") or second.get("name", first.get("name", MISSING)))
    _take(merged, "metadata", _one_after_the_other(first, second))
    return merged


def _take_contexts(into: Tree, contexts: Any) -> None:
    for name, context in contexts.items() if is_object(contexts) else ():
        if is_object(context):
            known = into.get(name)
            into[name] = _merge_context(known, context) if is_object(known) else context


def _merge_context(first: Tree, second: Tree) -> Tree:
    merged = dict(first)
    mine, others = first.get("preferences"), second.get("preferences")
    if is_object(others):
        merged["preferences"] = deep_merge(mine, others) if is_object(mine) else others
    _take(merged, "metadata", _one_after_the_other(first, second))
    return merged


def _one_after_the_other(first: Tree, second: Tree) -> Any:
    """Give both lists as one. What is no list gives way to one."""
    mine, others = first.get("metadata", MISSING), second.get("metadata", MISSING)
    if type(mine) is list and type(others) is list:
        return mine + others
    if type(mine) is list or others is MISSING:
        return mine
    return others if type(others) is list or mine is MISSING else mine


def _take(into: Tree, name: str, value: Any) -> None:
    if value is not MISSING:
        into[name] = value

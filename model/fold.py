"""The fold: a model is what its changes make of it, one after the other.

`evolve` is the only writer of a model. A live model and one that is restored from what is stored come about by it
alike, so they are equal by construction. A change never fails: `model.commands.decide` has checked all.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from model.caches import Caches
from model.changes import Change, Content, CountCause, Decision, ForgetUser, Item, ItemKind, PutItem
from model.sharing import forget_shared, shared
from model.stamp import Stamp
from model.state import NOTHING, App, Component, Contents, Context, ContextItem, Model, StoredRule, View
from schemas.grants import ConsentDecision
from schemas.paths import Path
from schemas.permissions import Permission


def evolve(model: Model | None, change: Change, stamp: Stamp) -> Model | None:
    """Take a change into the model, in place; None: there is no model (yet, or any more).

    What leaves the model as it is, evidence or an effect, still moves it to the command's sequence and time.
    """
    step = _STEPS.get(type(change))
    if step is not None:
        model = step(model, change, stamp)
    if model is not None:
        model.seq = stamp.seq
        model.time_us = stamp.time_us
    return model


def take_decision(model: Model | None, decision: Decision, stamp: Stamp, caches: Caches) -> Model | None:
    """Take what was decided, as `take` does."""
    if decision.whole is None:
        return take(model, decision.changes, stamp, caches)
    caches.begin(decision.changes)
    return decision.whole


def take(model: Model | None, changes: Iterable[Change], stamp: Stamp, caches: Caches) -> Model | None:
    """Take all that a command changes, and keep the caches beside the model true."""
    for change in changes:
        caches.note(model, change, stamp.seq)
        model = evolve(model, change, stamp)
    return model if model is None or model.open is None else _packed(model)


def restore(
    user: str, items: Iterable[Item], seq: int, time_us: int, causes: Mapping[str, int] | None = None
) -> Model | None:
    """Fold what is stored, in any order; None if there is no model. `causes` stand in the order of their counting."""
    stamp = Stamp(user, "", seq, time_us)
    structure = sorted((_read(item) for item in items), key=_order)
    if not structure or structure[0].kind != "model":
        return None
    counted = [CountCause(root, count) for root, count in (causes or {}).items()]
    changes: list[Change] = [*structure, *counted]
    model: Model | None = None
    for change in changes:
        model = evolve(model, change, stamp)
    return None if model is None else _packed(model)


def token_order(token: str) -> tuple[int, ...]:
    """Tokens are `<seq>` or `<seq>-<n>`: this is the order in which the rules were made."""
    return tuple(int(part) for part in token.split("-"))


def _put_item(model: Model | None, change: PutItem, stamp: Stamp) -> Model:
    kind, path, content = change.kind, change.path, change.content
    if model is None:
        assert isinstance(content, ContextItem), "a model begins with itself"
        model = Model(stamp.user, Context(content))
        _noted(model, (), model.root)
        return model
    if content is None:
        _KINDS[kind].drop(model, path)
    else:
        _KINDS[kind].put(model, path, content)
    return model


def _packed(model: Model) -> Model:
    """Pack what the changes have opened."""
    for context in (model.open or {}).values():
        context.pack()
    model.open = None
    return model


def _count_cause(model: Model | None, change: CountCause, _stamp: Stamp) -> Model:
    assert model is not None, "only a model has rules"
    causes = model.causes = _own(model.causes)
    causes.pop(change.root, None)
    if change.count:
        causes[change.root] = change.count
    return model


def _forget_user(_model: Model | None, _change: ForgetUser, _stamp: Stamp) -> None:
    forget_shared()


def _put_root(model: Model, _path: Path, content: ContextItem) -> None:
    _opened(model, ()).put_item(content)


def _put_context(model: Model, path: Path, content: ContextItem) -> None:
    parent, name = _context(model, path[:-1]), path[-1]
    if name in parent.children:
        _opened(model, path).put_item(content)
    else:
        made = _noted(model, path, Context(content))
        if made.created_us == parent.created_us:
            made.created_us = parent.created_us  # the same number, which then is there once
        parent.children = _own(parent.children)
        parent.children[shared(name)] = made


def _put_component(model: Model, path: Path, content: Component) -> None:
    _opened(model, path[:-1]).put_component(path[-1], content)


def _put_view(model: Model, path: Path, content: View) -> None:
    _contents(model, path[:-1]).views[path[-1]] = content


def _put_app(model: Model, path: Path, content: App) -> None:
    model.apps = _own(model.apps)
    model.apps[shared(path[0])] = content


def _put_permission(model: Model, path: Path, content: Permission) -> None:
    model.permissions = _own(model.permissions)
    model.permissions.setdefault(shared(path[0]), {})[path[1:]] = content


def _put_component_permission(model: Model, path: Path, content: Permission) -> None:
    model.component_permissions = _own(model.component_permissions)
    model.component_permissions.setdefault(shared(path[0]), {})[path[1:]] = content


def _put_rule(model: Model, path: Path, content: StoredRule) -> None:
    *above, name, token = path
    rules = _contents(model, tuple(above)).rules
    rules[name] = {**rules.get(name, {}), token: content}


def _drop_root(_model: Model, _path: Path) -> None:
    raise AssertionError("a model is forgotten, not dropped")


def _drop_context(model: Model, path: Path) -> None:
    del _context(model, path[:-1]).children[path[-1]]
    if model.open is not None:
        model.open.pop(path, None)


def _drop_component(model: Model, path: Path) -> None:
    del _contents(model, path[:-1]).components[path[-1]]


def _drop_view(model: Model, path: Path) -> None:
    del _contents(model, path[:-1]).views[path[-1]]


def _drop_app(model: Model, path: Path) -> None:
    del model.apps[path[0]]


def _drop_permission(model: Model, path: Path) -> None:
    _drop_inner(model.permissions, path[0], path[1:])


def _drop_component_permission(model: Model, path: Path) -> None:
    _drop_inner(model.component_permissions, path[0], path[1:])


def _drop_rule(model: Model, path: Path) -> None:
    *above, name, token = path
    rules = _contents(model, tuple(above)).rules
    rules[name] = {kept: rule for kept, rule in rules[name].items() if kept != token}
    if not rules[name]:
        del rules[name]


def _leave_aside(_model: Model, _path: Path, _content: object = None) -> None:
    """Do nothing: a decision is stored with the model, and read when somebody asks for it."""


def _drop_inner(outer: dict[str, dict[Any, Any]], name: str, key: object) -> None:
    """Drop from a dict of dicts, in which none is empty."""
    del outer[name][key]
    if not outer[name]:
        del outer[name]


def _context(model: Model, path: Path) -> Context:
    context = model.context(path)
    assert context is not None, "a parent is put before its children and dropped after them"
    return context


def _own(mapping: dict[Any, Any]) -> dict[Any, Any]:
    """Give the dict itself, or a new one in place of the `NOTHING` that all have."""
    return {} if mapping is NOTHING else mapping


def _opened(model: Model, path: Path) -> Context:
    """Find a context that is about to change."""
    context = None if model.open is None else model.open.get(path)
    if context is not None:
        return context
    context = _context(model, path)
    return context if context.is_open else _noted(model, path, context)


def _noted(model: Model, path: Path, context: Context) -> Context:
    """Note that a context is to be packed, once all is in it."""
    if model.open is None:
        model.open = {}
    model.open[path] = context
    return context


def _contents(model: Model, path: Path) -> Contents:
    return _opened(model, path).open()


def _read(item: Item) -> PutItem:
    return PutItem(item.kind, item.path, _KINDS[item.kind].decoder.decode(item.body), item.body)


def _order(change: PutItem) -> tuple[int, tuple[Any, ...]]:
    """Parents before their children, components by number and rules by token: as they were made."""
    content = change.content
    if isinstance(content, Component):
        return _RANKS[change.kind], (content.number,)
    key = token_order(change.path[-1]) if change.kind == "rule" else change.path
    return _RANKS[change.kind], key


_STEPS: Final[dict[type[Any], Callable[[Model | None, Any, Stamp], Model | None]]] = {
    PutItem: _put_item,
    CountCause: _count_cause,
    ForgetUser: _forget_user,
}


_Put = Callable[[Model, Path, Any], None]
_Drop = Callable[[Model, Path], None]


class _Kind(NamedTuple):
    """How items of one kind are read, put and dropped."""

    decoder: msgspec.json.Decoder[Content]
    put: _Put
    drop: _Drop


def _kind(content: type[Content], put: _Put, drop: _Drop) -> _Kind:
    return _Kind(msgspec.json.Decoder(content), put, drop)


_KINDS: Final[dict[ItemKind, _Kind]] = {
    "model": _kind(ContextItem, _put_root, _drop_root),
    "context": _kind(ContextItem, _put_context, _drop_context),
    "component": _kind(Component, _put_component, _drop_component),
    "view": _kind(View, _put_view, _drop_view),
    "app": _kind(App, _put_app, _drop_app),
    "permission": _kind(Permission, _put_permission, _drop_permission),
    "component_permission": _kind(Permission, _put_component_permission, _drop_component_permission),
    "rule": _kind(StoredRule, _put_rule, _drop_rule),
    "decision": _kind(ConsentDecision, _leave_aside, _leave_aside),
}
"""In the order in which they can be put."""

_RANKS: Final = {kind: rank for rank, kind in enumerate(_KINDS)}

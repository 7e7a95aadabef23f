"""A person's model in memory: its whole structure. The evidence stays in the shard.

Everything here is rebuilt from the stored items by `restore`. What is only remembered stands in `model.caches`.
"""

from typing import Literal

import msgspec

from model.changes import Item, PutItem
from schemas.evidence import ComponentType, ValueType
from schemas.paths import Path, format_path
from schemas.permissions import Permission

ItemKind = Literal["model", "context", "component", "view", "app", "permission", "component_permission", "rule"]

NUMBERS_PER_COMMAND = 1 << 16
"""A component's number is `seq * 65536 + n`: unique in a model for ever, without a counter to keep."""


class Subscription(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A rule of a component as it is stored, under its token; `model.rules.decide` reads the statement."""

    statement: str
    app: str
    created_us: int
    cron: str | None = None
    """Fires on this schedule and on nothing else; None: on every tell to the component."""


class Component(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A leaf of the tree. `number` tells it from an earlier component of the same name."""

    number: int
    description: str = ""
    component_type: ComponentType = "attribute"
    value_type: ValueType = "string"
    value_list: list[str] = []
    resolver: str | None = None
    goals: list[list[str]] = []
    created_us: int
    withdrawals: bool = False
    """Some of its evidence has been withdrawn: only then do reads look for that."""


class View(msgspec.Struct, kw_only=True, omit_defaults=True):
    components: list[str | list[str]]


class ContextItem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is stored of a context; its components and views are items of their own."""

    description: str = ""
    resolver: str | None = None
    created_us: int


class App(msgspec.Struct, kw_only=True, omit_defaults=True):
    description: str = ""
    role: Literal["owner", "app"] = "app"
    registration: int
    """The sequence of the command that registered it: an app that is deleted and registered anew has another one."""


class Context:
    """An inner node of the tree."""

    __slots__ = ("children", "components", "item", "rules", "views")

    def __init__(self, item: ContextItem) -> None:
        self.item = item
        self.children: dict[str, Context] = {}
        self.components: dict[str, Component] = {}
        self.views: dict[str, View] = {}
        self.rules: dict[str, dict[str, Subscription]] = {}
        """By component name and token; absent: the component has none."""


class Model:
    """Everything that commands have made of one person's model, up to `seq`."""

    __slots__ = (
        "apps",
        "causes",
        "component_permissions",
        "permissions",
        "root",
        "seq",
        "time_us",
        "user",
    )

    def __init__(self, user: str, created_us: int = 0) -> None:
        self.user = user
        self.seq = 0
        """The sequence of the last command that changed the model."""
        self.time_us = 0
        """The latest time of a command, microseconds since 1970. Never goes back, so it orders as `seq` does."""
        self.root = Context(ContextItem(created_us=created_us))
        self.apps: dict[str, App] = {}
        self.permissions: dict[str, dict[Path, Permission]] = {}
        """By app and the path of a context."""
        self.component_permissions: dict[str, dict[Path, Permission]] = {}
        """By app and the path of a component."""
        self.causes: dict[str, int] = {}
        """How many commands of rules go back to a first cause; the one counted last stands last."""

    def context(self, path: Path) -> Context | None:
        """Find a context; None if there is none."""
        node = self.root
        for segment in path:
            child = node.children.get(segment)
            if child is None:
                return None
            node = child
        return node


def put(kind: ItemKind, key: Path | str, body: object) -> PutItem:
    """Make the change that stores an item. `body` None drops it."""
    text = key if isinstance(key, str) else format_path(key)
    return PutItem(kind, text, None if body is None else msgspec.json.encode(body), body)


def permission_key(app: str, path: Path) -> str:
    """Name a permission item: `app` alone, or `app/the/context`."""
    return format_path((app, *path))


def parse_key(key: str) -> Path:
    """Read an item's key. It may have more segments than a path: an app before it, a rule's token after it."""
    return tuple(segment.replace("~1", "/").replace("~0", "~") for segment in key.split("/"))


def restore(user: str, items: list[Item], seq: int, time_us: int, causes: dict[str, int] | None = None) -> Model | None:
    """Rebuild a model from its stored items, in any order; None if there is no model. All evidence is left unread."""
    ordered = sorted(items, key=lambda item: (_ORDER[item.kind], item.key))
    if not ordered or ordered[0].kind != "model":
        return None
    model = Model(user)
    model.seq = seq
    model.time_us = time_us
    model.causes = causes or {}
    for item in ordered:
        _RESTORE[item.kind](model, item)
    _order_components(model.root)
    return model


def token_order(token: str) -> tuple[int, ...]:
    """Tokens are `<seq>` or `<seq>-<n>`: this is the order in which the rules were made."""
    return tuple(int(part) for part in token.split("-"))


def _order_components(root: Context) -> None:
    """Put components into the order of their creation, which is the order that an ask of a whole context gives."""
    waiting = [root]
    while waiting:
        context = waiting.pop()
        context.components = dict(sorted(context.components.items(), key=lambda pair: pair[1].number))
        for name, rules in context.rules.items():
            context.rules[name] = dict(sorted(rules.items(), key=lambda pair: token_order(pair[0])))
        waiting.extend(context.children.values())


def _restore_model(model: Model, item: Item) -> None:
    model.root.item = msgspec.json.decode(item.body, type=ContextItem)


def _restore_context(model: Model, item: Item) -> None:
    path = parse_key(item.key)
    parent = _existing(model, path[:-1])
    parent.children[path[-1]] = Context(msgspec.json.decode(item.body, type=ContextItem))


def _restore_component(model: Model, item: Item) -> None:
    path = parse_key(item.key)
    _existing(model, path[:-1]).components[path[-1]] = msgspec.json.decode(item.body, type=Component)


def _restore_view(model: Model, item: Item) -> None:
    path = parse_key(item.key)
    _existing(model, path[:-1]).views[path[-1]] = msgspec.json.decode(item.body, type=View)


def _restore_app(model: Model, item: Item) -> None:
    model.apps[item.key] = msgspec.json.decode(item.body, type=App)


def _restore_permission(model: Model, item: Item) -> None:
    app, *path = parse_key(item.key)
    model.permissions.setdefault(app, {})[tuple(path)] = msgspec.json.decode(item.body, type=Permission)


def _restore_component_permission(model: Model, item: Item) -> None:
    app, *path = parse_key(item.key)
    model.component_permissions.setdefault(app, {})[tuple(path)] = msgspec.json.decode(item.body, type=Permission)


def _restore_rule(model: Model, item: Item) -> None:
    *path, name, token = parse_key(item.key)
    rules = _existing(model, tuple(path)).rules.setdefault(name, {})
    rules[token] = msgspec.json.decode(item.body, type=Subscription)


def _existing(model: Model, path: Path) -> Context:
    context = model.context(path)
    assert context is not None, "a parent is stored before its children and sorts before them"
    return context


_RESTORE = {
    "model": _restore_model,
    "context": _restore_context,
    "component": _restore_component,
    "view": _restore_view,
    "app": _restore_app,
    "permission": _restore_permission,
    "component_permission": _restore_component_permission,
    "rule": _restore_rule,
}
_ORDER = {kind: index for index, kind in enumerate(_RESTORE)}

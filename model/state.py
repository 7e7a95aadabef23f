"""A person's model in memory: its whole structure. The evidence stays in the shard.

Only `model.fold.evolve` changes a model, and all else may only look at it. What stands in the tree is frozen and is
replaced as a whole. What is merely remembered beside a model stands in `model.caches`.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from schemas.evidence import ComponentType, ValueType
from schemas.paths import Path
from schemas.permissions import Permission

NUMBERS_PER_COMMAND = 1 << 16
"""A component's number is `seq * 65536 + n`: unique in a model for ever, without a counter to keep."""


class StoredRule(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A rule of a component as it is stored, under its token; `model.rules.decide` reads the statement."""

    statement: str
    app: str
    created_us: int
    cron: str | None = None
    """Fires on this schedule and on nothing else; None: on every tell to the component."""


class Component(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
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


class View(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A named list of components."""

    components: list[str | list[str]]


class ContextItem(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """What is stored of a context; its components and views are items of their own."""

    description: str = ""
    resolver: str | None = None
    created_us: int


class App(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A program that is registered with the model."""

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
        """In the order of their making, which is the order that an ask of a whole context gives."""
        self.views: dict[str, View] = {}
        self.rules: dict[str, dict[str, StoredRule]] = {}
        """By component name and token, in the order of their making; absent: the component has none."""


class Model:
    """Everything that commands have made of one person's model, up to `seq`."""

    __slots__ = ("apps", "causes", "component_permissions", "permissions", "root", "seq", "time_us", "user")

    def __init__(self, user: str, item: ContextItem) -> None:
        self.user = user
        self.seq = 0
        """The sequence of the last command that changed the model."""
        self.time_us = 0
        """The latest time of a command, microseconds since 1970. Never goes back, so it orders as `seq` does."""
        self.root = Context(item)
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


def contexts_below(path: Path, context: Context) -> Iterator[tuple[Path, Context]]:
    """Give the context and all below it, parents before their children, these in the order of their names."""
    waiting = [(path, context)]
    while waiting:
        at, each = waiting.pop()
        yield at, each
        waiting += [((*at, name), each.children[name]) for name in sorted(each.children, reverse=True)]

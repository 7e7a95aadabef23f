"""A person's model in memory: its whole structure. The evidence stays in the shard.

Only `model.fold.evolve` changes a model, and all else may only look at it. What stands in the tree is frozen and is
replaced as a whole. What is merely remembered beside a model stands in `model.caches`.

Most of a model is like that of others, and most models are idle. So a context keeps what is in it as bytes, in which
numbers and times count from the context's own: contexts made from the same definition are the same bytes, which exist
once. Those in use are opened once for all that hold them (`model.sharing`).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, cast

import msgspec

from model.sharing import opener, shared
from schemas.definitions import Suspension
from schemas.evidence import ComponentType, ValueType
from schemas.paths import Path
from schemas.permissions import Permission
from schemas.quotas import Quotas

NUMBERS_PER_COMMAND = 1 << 16
"""A component's number is `seq * 65536 + n`: unique in a model for ever, without a counter to keep."""


class StoredRule(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True, gc=False):
    """A rule of a component as it is stored, under its token; `model.rules.decide` reads the statement."""

    statement: str
    app: str
    created_us: int
    user: str | None = None
    """A name that whoever made it has given; it gives no rights."""
    cron: str | None = None
    """Fires on this schedule and on nothing else; None: on every tell to the component."""
    notifies: bool = False
    """Whether it calls a URL, which needs a right of its own."""
    suspended: Suspension | None = None
    """Why it does not fire; None: it does."""


class Component(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True, gc=False):
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
    held_order: bool = False
    """Some of its evidence did not hold from its acceptance on: only then is it kept in the order of holding, too."""
    had_rules: bool = False
    """Its last rule has been deleted: the original's clients expect it in the list of rules from then on."""
    made_by: str = ""
    """The app whose quota it counts for; empty: an owner's app, which has none."""
    extra: dict[str, Any] | None = None
    """Other members that whoever made it has given; None rather than an empty dictionary, which would take room."""


class View(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True, gc=False):
    """A named list of components."""

    components: list[str | list[str]]
    made_by: str = ""
    """As of a component."""
    description: str = ""
    extra: dict[str, Any] | None = None


class ContextItem(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True, gc=False):
    """What is stored of a context; its components and views are items of their own."""

    description: str = ""
    resolver: str | None = None
    created_us: int = 0
    made_by: str = ""
    """As of a component."""
    extra: dict[str, Any] | None = None
    time_zone: str | None = None
    """Of the root alone: the person's; None: that of the installation."""


class App(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True, gc=False):
    """A program that is registered with the model."""

    description: str = ""
    role: Literal["owner", "app"] = "app"
    registration: int
    """The sequence of the command that registered it: an app that is deleted and registered anew has another one."""
    quotas: Quotas | None = None
    """How much it may have; None: as much as any app."""
    origins: tuple[str, ...] = ()
    """Where its web pages come from."""


class Leaf(
    msgspec.Struct,
    kw_only=True,
    omit_defaults=True,
    frozen=True,
    gc=False,
    rename={
        "offset": "n",
        "description": "d",
        "component_type": "c",
        "value_type": "v",
        "value_list": "l",
        "resolver": "r",
        "goals": "g",
        "later_us": "t",
        "withdrawals": "w",
        "held_order": "o",
        "had_rules": "h",
        "made_by": "b",
        "extra": "x",
    },
):
    """A component as its context keeps it, to be shared with others: nothing of it is the person's own."""

    offset: int = 0
    """Its number, counted from the context's `first`."""
    description: str = ""
    component_type: ComponentType = "attribute"
    value_type: ValueType = "string"
    value_list: list[str] = []
    resolver: str | None = None
    goals: list[list[str]] = []
    later_us: int = 0
    """When it was made, counted from the context's `created_us`; less than 0 for what is older than its context."""
    withdrawals: bool = False
    held_order: bool = False
    had_rules: bool = False
    made_by: str = ""
    extra: dict[str, Any] | None = None


class Contents(msgspec.Struct, array_like=True, gc=False):
    """What is in a context. The time of the item counts from the context's `created_us`."""

    item: ContextItem
    components: dict[str, Leaf] = {}
    """In the order of their making, which is the order that an ask of a whole context gives."""
    views: dict[str, View] = {}
    rules: dict[str, dict[str, StoredRule]] = {}
    """By component name and token, in the order of their making; absent: the component has none."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Contents).decode
_opened: Final = opener(Contents)
"""The contents that such bytes stand for. Shared: they are never changed."""

MAX_PACKED_BYTES: Final = 8192
"""Contents that take more stay as they are: to open them would take long, and the opened would take much room."""

NOTHING: Final[dict[Any, Any]] = cast("dict[Any, Any]", MappingProxyType({}))
"""What has nothing in it has this; it is replaced when something comes."""


class Context:
    """An inner node of the tree."""

    __slots__ = ("_kept", "children", "created_us", "first")

    def __init__(self, item: ContextItem) -> None:
        self.children: dict[str, Context] = NOTHING
        self.created_us = item.created_us
        """The times of the contents count from here, microseconds since 1970."""
        self.first = 0
        """The numbers of the components count from here."""
        self._kept: bytes | Contents = Contents(_moved(item, -item.created_us))
        """Packed contents; or open ones, which nothing else shares."""

    @classmethod
    def unpacked(cls, packed: bytes, first: int, created_us: int) -> "Context":
        """Make a context of what `packed` has given, without children."""
        context = cls.__new__(cls)
        context.children = NOTHING
        context.created_us = created_us
        context.first = first
        context._kept = shared(packed) if len(packed) <= MAX_PACKED_BYTES else _decode(packed)
        return context

    @classmethod
    def seen(cls, whole: "Context", contents: Contents, children: "dict[str, Context]") -> "Context":
        """Make a context that has only a part of what is in another, to be looked at."""
        context = cls.__new__(cls)
        context.children = children
        context.created_us, context.first = whole.created_us, whole.first
        context._kept = contents
        return context

    @property
    def packed(self) -> bytes:
        """What is in the context, as bytes."""
        kept = self._kept
        return kept if isinstance(kept, bytes) else _encode(kept)

    @property
    def is_open(self) -> bool:
        """Whether the contents are this context's alone."""
        return type(self._kept) is Contents

    @property
    def contents(self) -> Contents:
        """Look at what is in the context."""
        kept = self._kept
        return _opened(kept) if isinstance(kept, bytes) else kept

    @property
    def item(self) -> ContextItem:
        return _moved(self.contents.item, self.created_us)

    @property
    def resolver(self) -> str | None:
        kept = self._kept
        return (_opened(kept) if isinstance(kept, bytes) else kept).item.resolver

    @property
    def views(self) -> Mapping[str, View]:
        return self.contents.views

    @property
    def rules(self) -> Mapping[str, Mapping[str, StoredRule]]:
        """By component name and token, in the order of their making; absent: the component has none."""
        return self.contents.rules

    @property
    def components(self) -> dict[str, Component]:
        """Copy all of them, in the order of their making; for one there is `component`."""
        return {name: self._placed(leaf) for name, leaf in self.contents.components.items()}

    def component(self, name: str) -> Component | None:
        """Find a component; None if there is none."""
        leaf = self.contents.components.get(name)
        return None if leaf is None else self._placed(leaf)

    def open(self) -> Contents:
        """Give contents that may be changed: for `model.fold` alone, which packs them again."""
        if isinstance(self._kept, bytes):
            kept = _opened(self._kept)
            self._kept = Contents(kept.item, dict(kept.components), dict(kept.views), dict(kept.rules))
        return self._kept

    def put_item(self, item: ContextItem) -> None:
        self.open().item = _moved(item, -self.created_us)

    def put_component(self, name: str, component: Component) -> None:
        components = self.open().components
        if not components:
            self.first = component.number
        components[name] = self._leaf(component)

    def pack(self) -> None:
        """Keep opened contents as bytes, those that others have if they have the same."""
        packed = _encode(self._kept)
        if len(packed) <= MAX_PACKED_BYTES:
            self._kept = shared(packed)

    def _placed(self, leaf: Leaf) -> Component:
        return Component(
            number=self.first + leaf.offset,
            description=leaf.description,
            component_type=leaf.component_type,
            value_type=leaf.value_type,
            value_list=leaf.value_list,
            resolver=leaf.resolver,
            goals=leaf.goals,
            created_us=self.created_us + leaf.later_us,
            withdrawals=leaf.withdrawals,
            held_order=leaf.held_order,
            had_rules=leaf.had_rules,
            made_by=leaf.made_by,
            extra=leaf.extra,
        )

    def _leaf(self, component: Component) -> Leaf:
        return Leaf(
            offset=component.number - self.first,
            description=component.description,
            component_type=component.component_type,
            value_type=component.value_type,
            value_list=component.value_list,
            resolver=component.resolver,
            goals=component.goals,
            later_us=component.created_us - self.created_us,
            withdrawals=component.withdrawals,
            held_order=component.held_order,
            had_rules=component.had_rules,
            made_by=component.made_by,
            extra=component.extra,
        )


class Model:
    """Everything that commands have made of one person's model, up to `seq`."""

    __slots__ = ("apps", "causes", "component_permissions", "open", "permissions", "root", "seq", "time_us", "user")

    def __init__(self, user: str, root: Context) -> None:
        self.user = user
        self.seq = 0
        """The sequence of the last command that changed the model."""
        self.time_us = 0
        """The latest time of a command, microseconds since 1970. Never goes back, so it orders as `seq` does."""
        self.root = root
        self.apps: dict[str, App] = NOTHING
        self.permissions: dict[str, dict[Path, Permission]] = NOTHING
        """By app and the path of a context."""
        self.component_permissions: dict[str, dict[Path, Permission]] = NOTHING
        """By app and the path of a component."""
        self.causes: dict[str, int] = NOTHING
        """How many commands of rules go back to a first cause; the one counted last stands last."""

        self.open: dict[Path, Context] | None = None
        """Contexts with changes that `model.fold` has not packed yet; None: there are none."""

    @property
    def time_zone(self) -> str | None:
        """The person's time zone; None: that of the installation."""
        return self.root.contents.item.time_zone

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


def _moved(item: ContextItem, by_us: int) -> ContextItem:
    return msgspec.structs.replace(item, created_us=item.created_us + by_us)

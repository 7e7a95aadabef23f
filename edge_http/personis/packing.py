"""What the original exports, read and packed into commands: each as large as may be, all of it in its order."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from edge_http.personis.calls import Segments
from edge_http.personis.requests import path_of
from schemas.commands import Import
from schemas.decoding import convert, decode
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import ComponentType, ImportedEvidence, ValueType
from schemas.permissions import Permission

MAX_PARCEL_BYTES: Final = 768 * 1024
"""Bytes of one command's content, short of what a command may have: its last piece may exceed this."""

MAX_PARCEL_THINGS: Final = 5_000
"""Contexts (with each segment of their paths), components, views and pieces of evidence of one command."""

ROOT: Final = (None, "", ".")
"""How the original calls the root: what was exported from there is put straight into the context."""

_KEPT: Final = frozenset(ImportedEvidence.__struct_fields__) - {"extra", "rule", "withdrawn"}


class ContextInfo(msgspec.Struct, kw_only=True):
    Identifier: str | None = None
    Description: str | None = None
    resolver: str | None = None
    perms: dict[str, Permission] | None = None


class ExportedComponent(msgspec.Struct, kw_only=True):
    """A component as the original exports it. Its value is what its evidence makes it, and is not read."""

    Description: str | None = None
    component_type: ComponentType | None = None
    value_type: ValueType | None = None
    value_list: list[str] | None = None
    resolver: str | None = None
    goals: list[Segments] | None = None
    evidencelist: list[msgspec.Raw] | None = None


class ExportedView(msgspec.Struct, kw_only=True):
    component_list: list[str | Segments]


class ExportedRule(msgspec.Struct, kw_only=True):
    statement: str | None = None


class ExportedContext(msgspec.Struct, kw_only=True):
    """A context as the original exports it."""

    contextinfo: ContextInfo
    contexts: "dict[str, ExportedContext] | None" = None
    components: dict[str, ExportedComponent] | None = None
    views: dict[str, ExportedView] | None = None
    subs: dict[str, dict[str, ExportedRule]] | None = None


class Exporter(msgspec.Struct, frozen=True):
    """Who stands for the teller and the owner of evidence that names none."""

    user: str
    app: str


Item = ComponentDefinition | ViewDefinition | None
Piece = tuple[ImportedContext, Item, ImportedEvidence | None]
"""A context, perhaps something in it, perhaps a piece of that component's evidence."""

_exported: Final = msgspec.json.Decoder(ExportedContext)
_members: Final = msgspec.json.Decoder(dict[str, Any])
_encode: Final = msgspec.json.Encoder().encode


def read_exported(text: bytes) -> ExportedContext:
    """Read what was exported. Raises `malformed`, `too_deep`, `bad_field`."""
    try:
        return decode(_exported, text)
    except Refusal as refusal:
        error = refusal.error
        field = f"partial_model.{error.field}" if error.field else "partial_model"
        raise Refusal(error.code, error.message, field, error.hint) from refusal


def contexts_of(model: ExportedContext) -> Iterator[tuple[Segments, ExportedContext]]:
    """Give the contexts with their paths, parents first."""
    name = model.contextinfo.Identifier
    waiting = [([] if name is None or name in ROOT else [name], model)]
    while waiting:
        path, context = waiting.pop()
        yield path, context
        below = list((context.contexts or {}).items())
        waiting += [([*path, child], each) for child, each in reversed(below)]


def import_commands(model: ExportedContext, context: Segments, default: Exporter, salt: str = "") -> Iterator[Import]:
    """Pack a model into commands, whose ids come from the salt and from what they hold. Raises `bad_field`."""
    parcel = _Parcel()
    for piece in _pieces(model, default):
        if parcel.is_full:
            yield parcel.command(context, salt)
            parcel = _Parcel()
        parcel.add(*piece)
    yield parcel.command(context, salt)


class _Parcel:
    """What goes into one command. Begun contexts and components are named again in the next one."""

    def __init__(self) -> None:
        self._contexts: list[ImportedContext] = []
        self._head: ImportedContext | None = None
        self._item: Item = None
        self._bytes = 0
        self._things = 0

    @property
    def is_full(self) -> bool:
        return self._bytes >= MAX_PARCEL_BYTES or self._things >= MAX_PARCEL_THINGS

    def add(self, head: ImportedContext, item: Item, evidence: ImportedEvidence | None) -> None:
        if head is not self._head:
            self._head, self._item = head, None
            self._contexts.append(msgspec.structs.replace(head, components=[], views=[]))
            self._count(head, 1 + len(head.path))
        if item is not None and item is not self._item:
            self._item = item
            self._begin(item)
        if evidence is not None:
            self._contexts[-1].components[-1].evidence.append(evidence)
            self._count(evidence)

    def _begin(self, item: ComponentDefinition | ViewDefinition) -> None:
        if isinstance(item, ViewDefinition):
            self._contexts[-1].views.append(item)
        else:
            self._contexts[-1].components.append(ImportedComponent(definition=item, evidence=[]))
        self._count(item)

    def _count(self, what: msgspec.Struct, things: int = 1) -> None:
        self._bytes += len(_encode(what))
        self._things += things

    def command(self, context: Segments, salt: str) -> Import:
        digest = hashlib.sha256(_encode([salt, context, self._contexts])).hexdigest()
        return Import(id=f"import-{digest[:40]}", context=context, contexts=self._contexts)


def _pieces(model: ExportedContext, default: Exporter) -> Iterator[Piece]:
    for path, context in contexts_of(model):
        info = context.contextinfo
        head = ImportedContext(path=path, description=info.Description or "", resolver=info.resolver)
        yield head, None, None
        for name, component in (context.components or {}).items():
            definition = _definition(name, component)
            yield head, definition, None
            for number, raw in enumerate(component.evidencelist or ()):
                field = f"partial_model.components.{name[:64]}.evidencelist[{number}]"
                yield head, definition, _evidence(raw, default, field)
        for name, view in (context.views or {}).items():
            items = [item if isinstance(item, str) else path_of(item) for item in view.component_list]
            yield head, ViewDefinition(name=name, components=items), None


def _definition(name: str, component: ExportedComponent) -> ComponentDefinition:
    return ComponentDefinition(
        name=name,
        description=component.Description or "",
        component_type=component.component_type or "attribute",
        value_type=component.value_type or "string",
        value_list=component.value_list or [],
        resolver=component.resolver,
        goals=[path_of(goal) for goal in component.goals or ()],
    )


def _evidence(raw: msgspec.Raw, default: Exporter, field: str) -> ImportedEvidence:
    members = {name: member for name, member in decode(_members, bytes(raw)).items() if name != "objectType"}
    kept = {name: member for name, member in members.items() if name in _KEPT and member is not None}
    if extra := {name: member for name, member in members.items() if name not in _KEPT}:
        kept["extra"] = extra
    if "creation_time" not in kept and "time" not in kept:
        raise Refusal(Code.BAD_FIELD, "the time of acceptance is missing", f"{field}.creation_time")
    kept.setdefault("creation_time", kept.get("time"))
    kept.setdefault("source", default.app)
    kept.setdefault("owner", default.user)
    return convert(kept, ImportedEvidence, field)

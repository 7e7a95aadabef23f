"""What the original exports: a context with all below it, as JSON. Read here, and taken apart for an import."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from model.conversions import converted
from model.formats.parcels import Piece
from model.formats.spellings import (
    GoalsSpelling,
    Segments,
    TextsSpelling,
    from_root,
    goals_of,
    permissions_of,
    texts_of,
    told_members,
)
from schemas.app_names import app_id
from schemas.decoding import convert, decode
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext, ImportedRule, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import ComponentType, ImportedEvidence, ValueType
from schemas.paths import format_path
from schemas.permissions import Permission
from schemas.reserved import unreserved
from schemas.time_zones import is_zone_name

ROOT: Final = (None, "", ".")
"""How the original calls the root: what was exported from there is put straight into the context."""

_KEPT: Final = frozenset(ImportedEvidence.__struct_fields__) - {"extra", "rule", "withdrawn"}

_WRITTEN: Final = frozenset({"Identifier", "objectType", "size", "value"})
"""Members that the server writes: they are what the rest makes them, and are not read."""


class ContextInfo(msgspec.Struct, kw_only=True):
    """What the original says of a context itself."""

    Identifier: str | None = None
    Description: str | None = None
    resolver: str | None = None
    perms: Any = None
    creation_time: float | None = None


class ExportedComponent(msgspec.Struct, kw_only=True):
    """A component as the original exports it. Its value is what its evidence makes it, and is not read."""

    Description: str | None = None
    component_type: ComponentType | None = None
    value_type: ValueType | None = None
    value_list: TextsSpelling = None
    resolver: str | None = None
    goals: GoalsSpelling = None
    creation_time: float | None = None
    evidencelist: list[msgspec.Raw] | None = None


class ExportedView(msgspec.Struct, kw_only=True):
    """A view as the original exports it."""

    Description: str | None = None
    component_list: list[str | Segments] | None = None


class ExportedRule(msgspec.Struct, kw_only=True):
    """A rule as the original exports it."""

    statement: str | None = None
    user: Any = None


class ExportedContext(msgspec.Struct, kw_only=True):
    """A context as the original exports it. What is in it is read when it is its turn."""

    contextinfo: msgspec.Raw
    contexts: "dict[str, ExportedContext] | None" = None
    components: dict[str, msgspec.Raw] | None = None
    views: dict[str, msgspec.Raw] | None = None
    subs: dict[str, dict[str, ExportedRule]] | None = None


class Exporter(msgspec.Struct, frozen=True):
    """Who stands for the teller and the owner of evidence that names none."""

    user: str
    app: str


class LeftOut(NamedTuple):
    """What is exported and can be nowhere: a setting for what is no app, a rule of a component that is not there."""

    what: str
    app: str | None
    path: Segments
    """Of the context, or of the component."""
    code: Code


Shape = TypeVar("Shape", ContextInfo, ExportedComponent, ExportedView)

_exported: Final = msgspec.json.Decoder(ExportedContext)
_members: Final = msgspec.json.Decoder(dict[str, Any])
_raw_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_info: Final = msgspec.json.Decoder(ContextInfo)
_component: Final = msgspec.json.Decoder(ExportedComponent)
_view: Final = msgspec.json.Decoder(ExportedView)


def read_exported(text: bytes) -> ExportedContext:
    """Read what was exported. Raises `malformed`, `too_deep`, `bad_field`."""
    try:
        model = decode(_exported, text)
    except Refusal as refusal:
        raise _placed(refusal, "partial_model", None) from refusal
    _info_of(model, [])
    return model


def contexts_of(model: ExportedContext) -> Iterator[tuple[Segments, ExportedContext]]:
    """Give the contexts with their paths, parents first."""
    name = _info_of(model, []).Identifier
    waiting = [([] if name is None or name in ROOT else [name], model)]
    while waiting:
        path, context = waiting.pop()
        yield path, context
        below = list((context.contexts or {}).items())
        waiting += [([*path, child], each) for child, each in reversed(below)]


def left_out(model: ExportedContext) -> Iterator[LeftOut]:
    """Give what `pieces_of` leaves out."""
    for path, context in contexts_of(model):
        for name in _settings(context, path)[1]:
            yield LeftOut("permission", name, path, Code.NO_SUCH_APP)
        for component in context.subs or {}:
            if component not in (context.components or {}) and _rules_of(context, component):
                yield LeftOut("rule", None, [*path, component], Code.NO_SUCH_COMPONENT)


def pieces_of(model: ExportedContext, default: Exporter) -> Iterator[Piece]:
    """Take a model apart. Raises `bad_field`."""
    for path, context in contexts_of(model):
        info, extra = _info_of(context, path), _extra(context.contextinfo, ContextInfo)
        head = ImportedContext(
            path=path,
            description=info.Description or "",
            resolver=info.resolver,
            permissions=_settings(context, path)[0],
            time_zone=None if path else _taken_zone(extra),
            extra=extra,
            creation_time=info.creation_time,
        )
        yield Piece(head)
        for name in context.components or {}:
            yield from _component_pieces(head, context, name, default)
        for name, raw in (context.views or {}).items():
            yield Piece(head, _view_definition(path, name, raw))


def _taken_zone(extra: dict[str, Any]) -> str | None:
    """Take the person's time zone out of the further members of the root: the original knows none."""
    zone = extra.get("time_zone")
    return extra.pop("time_zone") if isinstance(zone, str) and is_zone_name(zone) else None


def _info_of(context: ExportedContext, path: Segments) -> ContextInfo:
    return _read(_info, context.contextinfo, path, "contextinfo")


def _settings(context: ExportedContext, path: Segments) -> tuple[dict[str, Permission], list[str]]:
    """Give what is set for apps, by their ids, and the names that no app can have."""
    settings: dict[str, Permission] = {}
    impossible: list[str] = []
    for name, setting in permissions_of(_info_of(context, path).perms, "partial_model.contextinfo.perms").items():
        try:
            settings[app_id(name)] = setting
        except Refusal:
            impossible.append(name)
    return settings, impossible


def _component_pieces(head: ImportedContext, context: ExportedContext, name: str, default: Exporter) -> Iterator[Piece]:
    raw = (context.components or {})[name]
    place = f"components.{name[:64]}"
    component = _read(_component, raw, [*head.path, name], place)
    definition = _definition(name, component)
    definition.extra = _extra(raw, ExportedComponent)
    item = ImportedComponent(definition=definition, creation_time=component.creation_time)
    yield Piece(head, item)
    for number, piece in enumerate(component.evidencelist or ()):
        try:
            evidence = _evidence(piece, default, f"partial_model.{place}.evidencelist[{number}]")
        except Refusal as refusal:
            raise _placed(refusal, None, [*head.path, name]) from refusal
        evidence.value = converted(evidence.value, definition.value_type, definition.value_list)
        yield Piece(head, item, evidence)
    for rule in _rules_of(context, name):
        yield Piece(head, item, rule)


def _rules_of(context: ExportedContext, component: str) -> list[ImportedRule]:
    """Give the rules of a component, each statement once. A name that stands for nobody is left out."""
    by_statement: dict[str, str | None] = {}
    for rule in (context.subs or {}).get(component, {}).values():
        if rule.statement:
            by_statement.setdefault(rule.statement, rule.user if isinstance(rule.user, str) and rule.user else None)
    return [ImportedRule(statement=statement, user=user) for statement, user in by_statement.items()]


def _definition(name: str, component: ExportedComponent) -> ComponentDefinition:
    return ComponentDefinition(
        name=name,
        description=component.Description or "",
        component_type=component.component_type or "attribute",
        value_type=component.value_type or "string",
        value_list=texts_of(component.value_list),
        resolver=component.resolver,
        goals=goals_of(component.goals),
    )


def _view_definition(path: Segments, name: str, raw: msgspec.Raw) -> ViewDefinition:
    view = _read(_view, raw, [*path, name], f"views.{name[:64]}")
    items = [item if isinstance(item, str) else from_root(item) for item in view.component_list or ()]
    extra = _extra(raw, ExportedView)
    return ViewDefinition(name=name, components=items, description=view.Description or "", extra=extra)


def _evidence(raw: msgspec.Raw, default: Exporter, field: str) -> ImportedEvidence:
    members = {name: member for name, member in decode(_members, bytes(raw)).items() if name != "objectType"}
    kept = {name: member for name, member in told_members(members).items() if name in _KEPT}
    if extra := unreserved({name: member for name, member in members.items() if name not in _KEPT}):
        kept["extra"] = extra
    if "creation_time" not in kept and "time" not in kept:
        raise Refusal(Code.BAD_FIELD, "the time of acceptance is missing", f"{field}.creation_time")
    kept.setdefault("creation_time", kept.get("time"))
    kept.setdefault("source", default.app)
    kept.setdefault("owner", default.user)
    return convert(kept, ImportedEvidence, field)


def _extra(raw: msgspec.Raw, known: type[msgspec.Struct]) -> dict[str, Any]:
    """Give the members that are neither known nor written by the server."""
    members = _raw_members.decode(raw)
    return {
        name: msgspec.json.decode(member)
        for name, member in members.items()
        if name not in _WRITTEN and name not in known.__struct_fields__
    }


def _read(decoder: msgspec.json.Decoder[Shape], raw: msgspec.Raw, path: Segments, place: str) -> Shape:
    try:
        return decode(decoder, bytes(raw))
    except Refusal as refusal:
        raise _placed(refusal, f"partial_model.{place}", path) from refusal


def _placed(refusal: Refusal, below: str | None, path: Segments | None) -> Refusal:
    """Have a refusal say where in the file, and about which context or component it is."""
    error = refusal.error
    field = error.field if below is None else f"{below}.{error.field}" if error.field else below
    message = error.message if not path else f"{format_path(path)[:200]}: {error.message}"
    return Refusal(error.code, message, field, error.hint)

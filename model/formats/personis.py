"""What the original exports: a context with all below it, as JSON. Read here, and taken apart for an import."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from model.conversions import converted
from model.formats.parcels import Piece
from model.formats.spellings import (
    GoalsSpelling,
    Segments,
    TextsSpelling,
    from_root,
    goals_of,
    texts_of,
    told_members,
)
from schemas.decoding import convert, decode
from schemas.definitions import ComponentDefinition, ImportedContext, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import ComponentType, ImportedEvidence, ValueType
from schemas.reserved import unreserved

ROOT: Final = (None, "", ".")
"""How the original calls the root: what was exported from there is put straight into the context."""

_KEPT: Final = frozenset(ImportedEvidence.__struct_fields__) - {"extra", "rule", "withdrawn"}


class ContextInfo(msgspec.Struct, kw_only=True):
    """What the original says of a context itself."""

    Identifier: str | None = None
    Description: str | None = None
    resolver: str | None = None
    perms: Any = None


class ExportedComponent(msgspec.Struct, kw_only=True):
    """A component as the original exports it. Its value is what its evidence makes it, and is not read."""

    Description: str | None = None
    component_type: ComponentType | None = None
    value_type: ValueType | None = None
    value_list: TextsSpelling = None
    resolver: str | None = None
    goals: GoalsSpelling = None
    evidencelist: list[msgspec.Raw] | None = None


class ExportedView(msgspec.Struct, kw_only=True):
    """A view as the original exports it."""

    component_list: list[str | Segments] | None = None


class ExportedRule(msgspec.Struct, kw_only=True):
    """A rule as the original exports it."""

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


class PlacedRule(NamedTuple):
    """A rule and the component that it belongs to; the path is that of the context."""

    path: Segments
    component: str
    statement: str


_exported: Final = msgspec.json.Decoder(ExportedContext)
_members: Final = msgspec.json.Decoder(dict[str, Any])


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


def rules_of(model: ExportedContext) -> Iterator[PlacedRule]:
    """Give the rules, each statement of a component once."""
    for path, context in contexts_of(model):
        for component, by_token in (context.subs or {}).items():
            for statement in dict.fromkeys(rule.statement for rule in by_token.values() if rule.statement):
                yield PlacedRule(path, component, statement)


def pieces_of(model: ExportedContext, default: Exporter) -> Iterator[Piece]:
    """Take a model apart. Raises `bad_field`."""
    for path, context in contexts_of(model):
        info = context.contextinfo
        head = ImportedContext(path=path, description=info.Description or "", resolver=info.resolver)
        yield Piece(head)
        for name, component in (context.components or {}).items():
            yield from _component_pieces(head, name, component, default)
        for name, view in (context.views or {}).items():
            items = [item if isinstance(item, str) else from_root(item) for item in view.component_list or ()]
            yield Piece(head, ViewDefinition(name=name, components=items))


def _component_pieces(
    head: ImportedContext, name: str, component: ExportedComponent, default: Exporter
) -> Iterator[Piece]:
    definition = _definition(name, component)
    yield Piece(head, definition)
    for number, raw in enumerate(component.evidencelist or ()):
        field = f"partial_model.components.{name[:64]}.evidencelist[{number}]"
        evidence = _evidence(raw, default, field)
        evidence.value = converted(evidence.value, definition.value_type, definition.value_list)
        yield Piece(head, definition, evidence)


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

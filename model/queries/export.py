"""Exporting a part of a model page by page, in a form that can be imported.

The state that is exported is that of the first page: its sequence is in the mark by which the next page is asked for.
The order is that of the tree: contexts before what is below them, in each its components in the order of their making.
"""

import re
from collections.abc import Generator
from typing import Any, Final, NamedTuple

import msgspec

from model.commands.targets import no_such_context
from model.evidence import decode_evidence
from model.permissions import Asker, denied
from model.queries.grants import MAX_READ, shown_decisions
from model.queries.rights import settings_of
from model.reads import Decisions, Found, Read
from model.state import Component, Context, ContextItem, Model, View, contexts_below
from schemas.apps import is_llums_own
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, ImportedEvidence
from schemas.limits import MAX_EVIDENCE_PAGE, MAX_EXPORT_PAGE_BYTES
from schemas.paths import Path, check_path
from schemas.queries import Export
from schemas.replies import ArchivedApp, ArchivedRule, ExportReply

_READ_PIECES: Final = 256
"""Pieces of evidence read at a time: a page of small ones takes a few reads, one of large ones wastes little."""

_MARK: Final = re.compile(r"(?P<seq>[0-9]{1,18}):(?P<stop>[0-9]{1,9})")

_encode: Final = msgspec.json.Encoder().encode


class Mark(NamedTuple):
    """Where a page begins."""

    seq: int
    """Of the state that is exported."""
    stop: int
    """The place in the list of all contexts and components."""


class _Stop(NamedTuple):
    """A context or a component as it was when the page was begun: commands that follow put other items in its place."""

    path: Path
    """Of the context, below the one that is exported."""
    context: ContextItem
    views: list[tuple[str, View]]
    name: str | None = None
    """None: the context itself, before its components."""
    component: Component | None = None


def export_page(model: Model, asker: Asker, query: Export) -> Generator[list[Read] | Decisions, Any, ExportReply]:
    """Give one page. Raises a `Refusal`."""
    page = _Page(model, asker, query)
    if query.after is None and not query.context:
        bodies = yield Decisions(user=model.user, seq=page.reply.seq, limit=MAX_READ)
        page.reply.decisions = shown_decisions(bodies)[0][::-1]
    while (read := page.next_read()) is not None:
        (found,) = yield [read]
        page.take(found)
    return page.reply


def read_mark(query: Export) -> Mark | None:
    """Read the mark in `after`; None for the first page. Raises `bad_field`."""
    if query.after is None:
        return None
    match = _MARK.fullmatch(query.after[0])
    if match is None:
        raise Refusal(Code.BAD_FIELD, "that is not the next of a page", "after")
    return Mark(int(match["seq"]), int(match["stop"]))


class _Page:
    """One page in the making: read what `next_read` says, `take` what was found, until there is nothing to read."""

    def __init__(self, model: Model, asker: Asker, query: Export) -> None:
        """Begin a page of the model as it is; raises a `Refusal`."""
        if not asker.is_owner:
            raise denied(asker.app, "export")
        base = check_path(query.context, "context")
        context = model.context(base)
        if context is None:
            raise no_such_context()
        self._seq = model.seq
        self._stops = list(_stops(base, context))
        mark = read_mark(query)
        self._index = 0 if mark is None else mark.stop
        self._after = (0, 0) if query.after is None else (query.after[1], query.after[2])
        self._room = MAX_EXPORT_PAGE_BYTES
        self._pieces = MAX_EVIDENCE_PAGE
        self._moved = False
        """Every page brings the export further, however small it must be."""
        self.reply = ExportReply(seq=model.seq)
        if mark is None:
            self.reply.rules = _rules(base, context)
            self.reply.apps = _apps(model, base)

    def next_read(self) -> Read | None:
        """Go on to the next component and say what to read of it; None: the page is complete."""
        while self._index < len(self._stops) and not self._is_full():
            stop = self._stops[self._index]
            if stop.component is not None:
                return self._read(stop.component)
            self._enter(stop)
            self._go_on()
        if self._index < len(self._stops):
            self.reply.next = (f"{self._seq}:{self._index}", *self._after)
        return None

    def take(self, found: Found) -> None:
        """Put what was read onto the page."""
        stop = self._stops[self._index]
        component = self._component(stop)
        for body, piece in zip(found.bodies, decode_evidence(found.bodies), strict=True):
            if self._is_full():
                return
            component.evidence.append(_imported(piece))
            self._after = (piece.seq, piece.n)
            self._room -= len(body)
            self._pieces -= 1
            self._moved = True
        if len(found.bodies) < _READ_PIECES and not found.cut:
            self._go_on()

    def _go_on(self) -> None:
        self._index += 1
        self._after = (0, 0)
        self._moved = True

    def _is_full(self) -> bool:
        return self._moved and (self._room <= 0 or self._pieces <= 0)

    def _read(self, component: Component) -> Read:
        return Read(
            component_no=component.number,
            seq_max=self._seq,
            after=self._after,
            withdrawn="marked" if component.withdrawals else "none",
            limit=_READ_PIECES,
            max_bytes=MAX_EXPORT_PAGE_BYTES,
        )

    def _enter(self, stop: _Stop) -> ImportedContext:
        entered = ImportedContext(
            path=list(stop.path),
            description=stop.context.description,
            resolver=stop.context.resolver,
            components=[],
            views=[_view(name, view) for name, view in stop.views],
            extra=stop.context.extra or {},
            creation_time=stop.context.created_us / 1e6,
            time_zone=stop.context.time_zone,
        )
        self._room -= len(_encode(entered))
        self.reply.contexts.append(entered)
        return entered

    def _component(self, stop: _Stop) -> ImportedComponent:
        """Find the component on the page, or begin it: a page may start in the middle of a context."""
        assert stop.name is not None, "only components are read"
        assert stop.component is not None, "only components are read"
        contexts = self.reply.contexts
        context = contexts[-1] if contexts and contexts[-1].path == list(stop.path) else self._enter(stop)
        if context.components and context.components[-1].definition.name == stop.name:
            return context.components[-1]
        definition = _definition(stop.name, stop.component)
        created = stop.component.created_us / 1e6
        component = ImportedComponent(definition=definition, evidence=[], creation_time=created)
        self._room -= len(_encode(component))
        context.components.append(component)
        return component


def _stops(base: Path, context: Context) -> list[_Stop]:
    stops: list[_Stop] = []
    for path, each in contexts_below(base, context):
        stop = _Stop(path[len(base) :], each.item, sorted(each.views.items()))
        stops.append(stop)
        stops += [stop._replace(name=name, component=component) for name, component in each.components.items()]
    return stops


def _definition(name: str, component: Component) -> ComponentDefinition:
    return ComponentDefinition(
        name=name,
        description=component.description,
        component_type=component.component_type,
        value_type=component.value_type,
        value_list=component.value_list,
        resolver=component.resolver,
        goals=component.goals,
        extra=component.extra or {},
    )


def _view(name: str, view: View) -> ViewDefinition:
    return ViewDefinition(name=name, components=view.components, description=view.description, extra=view.extra or {})


def _imported(piece: Evidence) -> ImportedEvidence:
    """Give the piece for elsewhere: there causes would name other evidence, so they stay here."""
    withdrawn = piece.withdrawn
    return ImportedEvidence(
        value=piece.value,
        evidence_type=piece.evidence_type,
        flags=piece.flags,
        comment=piece.comment,
        time=piece.time,
        useby=piece.useby,
        extra=piece.extra,
        source=piece.source,
        owner=piece.owner,
        creation_time=piece.creation_time,
        correction=piece.correction,
        rule=piece.rule,
        withdrawn=None if withdrawn is None else msgspec.structs.replace(withdrawn, cause=None),
    )


def _rules(base: Path, context: Context) -> list[ArchivedRule]:
    """List the rules at and below a context."""
    return [
        ArchivedRule(path=list(path), component=name, statement=rule.statement, app=rule.app, user=rule.user)
        for path, each in contexts_below(base, context)
        for name in each.components
        for rule in each.rules.get(name, {}).values()
    ]


def _apps(model: Model, base: Path) -> dict[str, ArchivedApp]:
    """List the apps with what is set for them at and below a context. llum's own cannot be registered elsewhere."""
    return {
        name: ArchivedApp(
            description=app.description,
            role=app.role,
            permissions=settings_of(model, name, base),
            origins=list(app.origins),
        )
        for name, app in sorted(model.apps.items())
        if not is_llums_own(name)
    }

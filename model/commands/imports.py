"""Evidence and structure from elsewhere, put below a context: order, times, sources and owners are kept.

What is there already stays as it is and is added to (a context without a description or resolver gets one); imported
evidence comes after what is there. A time of acceptance later than now (another computer's clock) counts as now. Rules
in a definition are made as the importing app, with components that are made. Nothing fires.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from model.changes import Change, Decision, add, mark_withdrawn, put
from model.checks import (
    check_below,
    check_component,
    check_count,
    check_evidence,
    check_name,
    check_resolver,
    check_text,
    check_time,
    check_unique,
    check_view,
)
from model.commands.evidence import with_withdrawals
from model.commands.making import component_number, made_component
from model.commands.targets import check_owner, no_such_context
from model.stamp import Stamp
from model.state import Component, ContextItem, Model, View
from schemas.commands import Import
from schemas.definitions import ImportedComponent, ImportedContext
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, ImportedEvidence
from schemas.paths import Path, check_path, format_path


class Made(msgspec.Struct):
    """What an import makes: its result."""

    contexts: int = 0
    components: int = 0
    views: int = 0
    evidence: int = 0


def import_contexts(model: Model, command: Import, stamp: Stamp) -> Decision:
    """Check all of it, then make all of it. The result counts what is made."""
    check_owner(model, stamp.app, "import")
    base = check_path(command.context, "context")
    if model.context(base) is None:
        raise no_such_context()
    _check(model, base, command.contexts)
    importer = _Importer(model, stamp)
    for imported in command.contexts:
        importer.take(base + tuple(imported.path), imported)
    return Decision(importer.changes, msgspec.to_builtins(importer.made))


class _Importer:
    """Gathers the changes of an import, and remembers which contexts they make or describe."""

    def __init__(self, model: Model, stamp: Stamp) -> None:
        self.changes: list[Change] = []
        self.made = Made()
        self._model = model
        self._stamp = stamp
        self._put: dict[Path, ContextItem] = {}

    def take(self, path: Path, imported: ImportedContext) -> None:
        for depth in range(1, len(path) + 1):
            self._ensure(path[:depth])
        self._describe(path, imported)
        context = self._model.context(path)
        for component in imported.components:
            existing = None if context is None else context.component(component.definition.name)
            self._component((*path, component.definition.name), existing, component)
        for view in imported.views:
            if context is None or view.name not in context.views:
                self.changes.append(put("view", (*path, view.name), View(components=view.components)))
                self.made.views += 1

    def _ensure(self, path: Path) -> None:
        if path not in self._put and self._model.context(path) is None:
            self._put_context(path, ContextItem(created_us=self._stamp.time_us))
            self.made.contexts += 1

    def _describe(self, path: Path, imported: ImportedContext) -> None:
        """Give a context what it has not got: a description, a resolver."""
        before = self._item(path)
        description, resolver = before.description or imported.description, before.resolver or imported.resolver
        after = msgspec.structs.replace(before, description=description, resolver=resolver)
        if after != before:
            self._put_context(path, after)

    def _put_context(self, path: Path, item: ContextItem) -> None:
        self._put[path] = item
        self.changes.append(put("context" if path else "model", path, item))

    def _item(self, path: Path) -> ContextItem:
        if path in self._put:
            return self._put[path]
        context = self._model.context(path)
        assert context is not None, "what is not there has been put"
        return context.item

    def _component(self, path: Path, existing: Component | None, imported: ImportedComponent) -> None:
        withdrawals = any(new.withdrawn is not None for new in imported.evidence)
        if existing is None:
            index = self.made.components
            number = component_number(index, self._stamp)
            self.changes += made_component(imported.definition, path, index, 0, self._stamp, withdrawals)
            self.made.components += 1
        else:
            number = existing.number
            self.changes += with_withdrawals(existing, path) if withdrawals else []
        for new in imported.evidence:
            self._evidence(number, new)

    def _evidence(self, component_no: int, new: ImportedEvidence) -> None:
        evidence = self._stamped(new)
        creation_us = min(round(evidence.creation_time * 1e6), self._stamp.time_us)
        self.changes.append(add(evidence, component_no, creation_us))
        self.made.evidence += 1
        if new.withdrawn is not None:
            self.changes.append(mark_withdrawn(component_no, evidence.seq, evidence.n, new.withdrawn))

    def _stamped(self, new: ImportedEvidence) -> Evidence:
        creation_time = min(new.creation_time, self._stamp.time_s)
        return Evidence(
            seq=self._stamp.seq,
            n=self.made.evidence,
            value=new.value,
            evidence_type=new.evidence_type,
            source=new.source,
            owner=new.owner,
            flags=new.flags,
            comment=new.comment,
            time=new.time,
            creation_time=creation_time,
            useby=new.useby,
            extra=new.extra,
            correction=new.correction,
            rule=new.rule,
        )


def _check(model: Model, base: Path, contexts: Sequence[ImportedContext]) -> None:
    things = sum(
        1 + len(context.path) + len(context.views) + sum(1 + len(one.evidence) for one in context.components)
        for context in contexts
    )
    check_count(things, "contexts")
    check_unique((tuple(context.path) for context in contexts), "contexts", "path")
    for index, context in enumerate(contexts):
        at = f"contexts[{index}]"
        path = check_path([*base, *context.path], f"{at}.path")
        check_text(context.description, f"{at}.description")
        check_resolver(context.resolver, f"{at}.resolver")
        _check_components(model, path, context.components, f"{at}.components")
        for position, view in enumerate(context.views):
            check_view(view, f"{at}.views[{position}]")
            check_below(path, f"{at}.views[{position}].name")
        check_unique((view.name for view in context.views), f"{at}.views", "name")


def _check_components(model: Model, path: Path, components: Sequence[ImportedComponent], field: str) -> None:
    context = model.context(path)
    for index, imported in enumerate(components):
        existing = context.component(imported.definition.name) if context is not None else None
        with _about((*path, imported.definition.name)):
            _check_component(path, imported, existing, f"{field}[{index}]")
    check_unique((imported.definition.name for imported in components), field, "definition.name")


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """Have refusals from inside say which component they are about: whoever imports knows paths, and no numbers."""
    try:
        yield
    except Refusal as refusal:
        error = refusal.error
        raise Refusal(error.code, f"{format_path(path)[:200]}: {error.message}", error.field, error.hint) from refusal


def _check_component(path: Path, imported: ImportedComponent, existing: Component | None, field: str) -> None:
    check_component(imported.definition, f"{field}.definition")
    check_below(path, f"{field}.definition.name")
    if imported.definition.evidence:
        raise Refusal(Code.BAD_FIELD, "an imported component has no initial evidence", f"{field}.definition.evidence")
    _check_evidence(imported, existing, f"{field}.evidence")


def _check_evidence(imported: ImportedComponent, existing: Component | None, field: str) -> None:
    kind = existing or imported.definition
    for index, new in enumerate(imported.evidence):
        at = f"{field}[{index}]"
        check_evidence(new, kind.value_type, kind.value_list, at)
        check_name(new.source, f"{at}.source")
        check_name(new.owner, f"{at}.owner")
        check_time(new.creation_time, f"{at}.creation_time")
        if new.rule is not None:
            check_name(new.rule, f"{at}.rule")
        if new.withdrawn is not None:
            check_name(new.withdrawn.by, f"{at}.withdrawn.by")
            check_time(new.withdrawn.time, f"{at}.withdrawn.time")
            check_text(new.withdrawn.comment or "", f"{at}.withdrawn.comment")

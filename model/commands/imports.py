"""Evidence and structure from elsewhere, put below a context: order, times, sources and owners are kept.

What is there already stays as it is and is added to (a context without a description, resolver or further members gets
them); imported evidence comes after what is there. A time later than now (another computer's clock) counts as now.
Rules in a definition are made as the importing app, with components that are made. Nothing fires.

All of it is made or nothing. Only what concerns an app that is not registered here, or may not, is skipped and listed:
it had no effect where it comes from either.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from model.changes import Change, Decision, RegistrationChanged, add, mark_withdrawn, put
from model.commands.apps import permission_set
from model.commands.consent import decided
from model.commands.evidence import with_notes
from model.commands.import_checks import check_import
from model.commands.making import component_number, made_component, stored_view
from model.commands.rules import added_rule, planned_anew, stored_rule
from model.commands.targets import check_owner, no_such_context
from model.fold import evolve
from model.permissions import parted_grantee
from model.stamp import Stamp
from model.state import NUMBERS_PER_COMMAND, App, Context, ContextItem, Model, StoredRule
from schemas.commands import Import
from schemas.definitions import ImportedApp, ImportedComponent, ImportedContext, ImportedRule
from schemas.errors import Code
from schemas.evidence import Evidence, ImportedEvidence
from schemas.grants import ConsentDecision
from schemas.paths import Path, check_path
from schemas.permissions import Permission

ALWAYS_COUNTED: Final = frozenset({"contexts", "components", "views", "evidence"})
"""What a result says also when there is none of it."""


_RANGE: Final = NUMBERS_PER_COMMAND
"""The middle of a rule's token is the component's number in the command that makes it; a number beyond these is that of
a component which is there."""


class Skipped(msgspec.Struct, frozen=True):
    """What an import left out."""

    what: Literal["permission", "rule"]
    app: str
    path: list[str]
    """Of the context or the component."""
    code: Code


class Made(msgspec.Struct):
    """What an import makes: its result."""

    contexts: int = 0
    components: int = 0
    views: int = 0
    evidence: int = 0
    apps: int = 0
    rules: int = 0
    permissions: int = 0
    decisions: int = 0
    found: int = 0
    skipped: list[Skipped] = []

    def result(self) -> dict[str, Any]:
        members: dict[str, Any] = msgspec.to_builtins(self)
        return {name: member for name, member in members.items() if member or name in ALWAYS_COUNTED}


def import_contexts(model: Model, command: Import, stamp: Stamp) -> Decision:
    """Check all of it, then make all of it. The result counts what is made."""
    check_owner(model, stamp.app, "import")
    base = check_path(command.context, "context")
    if model.context(base) is None:
        raise no_such_context()
    check_import(model, base, command, stamp.app)
    importer = _Importer(model, stamp, only_new=command.only_new)
    for name, app in command.apps.items():
        importer.register(name, app)
    for imported in command.contexts:
        importer.take(base + tuple(imported.path), imported)
    importer.remember(command.decisions)
    return Decision(importer.changes, importer.made.result())


class _Importer:
    """Gathers the changes of an import, and remembers which contexts they make or describe."""

    def __init__(self, model: Model, stamp: Stamp, *, only_new: bool) -> None:
        self.changes: list[Change] = []
        self.made = Made()
        self._model = model
        self._stamp = stamp
        self._only_new = only_new
        self._put: dict[Path, ContextItem] = {}
        self._existing = 0
        """Components that were there, so far."""
        self._rights = _rights_of(model)
        """Who may what, after all that has been gathered."""

    def register(self, name: str, imported: ImportedApp) -> None:
        known = self._rights.apps.get(name)
        if known is None:
            origins = tuple(imported.origins)
            known = App(
                description=imported.description, role=imported.role, registration=self._stamp.seq, origins=origins
            )
            self.changes.append(RegistrationChanged(name, self._stamp.seq, origins))
        elif known.description or not imported.description or self._only_new:
            return
        self._grant(put("app", (name,), msgspec.structs.replace(known, description=imported.description)))
        self.made.apps += 1

    def remember(self, decisions: Sequence[ConsentDecision]) -> None:
        """Keep what was decided elsewhere. The command's own decision would have the number 0."""
        for number, one in enumerate(decisions, 1):
            self.changes.append(decided(msgspec.structs.replace(one, imported=True), number))
            self.made.decisions += 1

    def take(self, path: Path, imported: ImportedContext) -> None:
        created_us = self._moment(imported.creation_time)
        for depth in range(1, len(path) + 1):
            self._ensure(path[:depth], created_us if depth == len(path) else self._stamp.time_us)
        self._describe(path, imported)
        self._permit(path, None, imported.permissions)
        context = self._model.context(path)
        self.made.found += self._only_new and context is not None and bool(imported.path)
        for component in imported.components:
            self._component(path, context, component)
        for view in imported.views:
            if context is None or view.name not in context.views:
                self.changes.append(put("view", (*path, view.name), stored_view(view)))
                self.made.views += 1
            else:
                self.made.found += self._only_new

    def _ensure(self, path: Path, created_us: int) -> None:
        if path not in self._put and self._model.context(path) is None:
            self._put_context(path, ContextItem(created_us=created_us))
            self.made.contexts += 1

    def _describe(self, path: Path, imported: ImportedContext) -> None:
        """Give a context what it has not got: a description, a resolver, further members."""
        if self._only_new and self._model.context(path) is not None:
            return
        before = self._item(path)
        after = msgspec.structs.replace(
            before,
            description=before.description or imported.description,
            resolver=before.resolver or imported.resolver,
            extra=before.extra or imported.extra or None,
            time_zone=before.time_zone or (None if path else imported.time_zone),
        )
        if after != before:
            self._put_context(path, after)
        if after.time_zone != before.time_zone:
            self.changes += planned_anew(self._model, self._stamp)

    def _put_context(self, path: Path, item: ContextItem) -> None:
        self._put[path] = item
        self.changes.append(put("context" if path else "model", path, item))

    def _item(self, path: Path) -> ContextItem:
        if path in self._put:
            return self._put[path]
        context = self._model.context(path)
        assert context is not None, "what is not there has been put"
        return context.item

    def _component(self, path: Path, context: Context | None, imported: ImportedComponent) -> None:
        name = imported.definition.name
        existing = None if context is None else context.component(name)
        if existing is None:
            number, token = self._make(path, imported), f"{self.made.components - 1}"
        else:
            self._existing += 1
            if self._only_new:
                self.made.found += 1
                return
            number, token = existing.number, f"{_RANGE + self._existing}"
            self.changes += with_notes(
                existing, (*path, name), withdrawals=_has_withdrawn(imported), held_order=bool(imported.evidence)
            )
        for new in imported.evidence:
            self._evidence(number, new)
        self._permit(path, name, imported.permissions)
        known = {} if existing is None or context is None else context.rules.get(name, {})
        self._attach((*path, name), imported, {(rule.statement, rule.app) for rule in known.values()}, token)

    def _make(self, path: Path, imported: ImportedComponent) -> int:
        """Make a component, and give its number."""
        definition, index = imported.definition, self.made.components
        if not self._only_new:
            definition = msgspec.structs.replace(definition, rules_suspended=True)
        self.changes += made_component(
            definition,
            (*path, definition.name),
            index,
            self.made.evidence,
            self._stamp,
            _has_withdrawn(imported),
            bool(imported.evidence),
            created_us=self._moment(imported.creation_time),
        )
        self.made.components += 1
        self.made.evidence += len(definition.evidence)
        self.made.rules += len(definition.rules)
        return component_number(index, self._stamp)

    def _attach(self, path: Path, imported: ImportedComponent, known: set[tuple[str, str]], token: str) -> None:
        """Attach the rules that a component has not got yet. They do not fire until an owner's app activates them."""
        for number, rule in enumerate(imported.rules, len(imported.definition.rules)):
            app = rule.app or self._stamp.app
            if (rule.statement, app) in known:
                continue
            if app not in self._rights.apps:
                self.made.skipped.append(Skipped("rule", app, list(path), Code.NO_SUCH_APP))
                continue
            stored = self._stored(rule, app)
            self.changes += added_rule(path, f"{self._stamp.seq}-{token}-{number}", stored, self._stamp)
            self.made.rules += 1

    def _stored(self, rule: ImportedRule, app: str) -> StoredRule:
        stored = stored_rule(rule.statement, msgspec.structs.replace(self._stamp, app=app), user=rule.user)
        return msgspec.structs.replace(stored, suspended="imported")

    def _permit(self, path: Path, component: str | None, settings: dict[str, Permission]) -> None:
        for grantee, setting in settings.items():
            app, _ = parted_grantee(grantee)
            if app not in self._rights.apps:
                at = path if component is None else (*path, component)
                self.made.skipped.append(Skipped("permission", app, list(at), Code.NO_SUCH_APP))
                continue
            for change in permission_set(self._rights, grantee, path, component, setting, self._stamp):
                self._grant(change)
                self.made.permissions += 1

    def _grant(self, change: Change) -> None:
        self.changes.append(change)
        evolve(self._rights, change, self._stamp)

    def _moment(self, given_s: float | None) -> int:
        now = self._stamp.time_us
        return now if given_s is None else min(round(given_s * 1e6), now)

    def _evidence(self, component_no: int, new: ImportedEvidence) -> None:
        evidence = self._stamped(new)
        creation_us = min(round(evidence.creation_time * 1e6), self._stamp.time_us)
        self.changes.append(add(evidence, component_no, creation_us, held_order=True))
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


def _has_withdrawn(imported: ImportedComponent) -> bool:
    return any(new.withdrawn is not None for new in imported.evidence)


def _rights_of(model: Model) -> Model:
    """Copy who may what, to be changed and looked at before any of it counts."""
    rights = Model(model.user, model.root)
    rights.apps = dict(model.apps)
    rights.permissions = {app: dict(each) for app, each in model.permissions.items()}
    rights.component_permissions = {app: dict(each) for app, each in model.component_permissions.items()}
    return rights

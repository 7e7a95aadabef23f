"""How evidence, components and whole models come into being. Everything is checked before and stored after."""

from typing import Final, NamedTuple

import msgspec

from model.changes import CORRECTION, GOAL, PLAIN, AddEvidence, Change, RegistrationChanged
from model.checks import check_definition
from model.commands.rules import added_rule, subscription_of
from model.stamp import Stamp
from model.state import (
    NUMBERS_PER_COMMAND,
    App,
    Component,
    Context,
    ContextItem,
    Model,
    Subscription,
    View,
    put,
)
from schemas.apps import MAKERS_OF_MODELS, check_app
from schemas.commands import MakeModel
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import GOAL_FLAG, Evidence, NewEvidence
from schemas.paths import Path

_encode: Final = msgspec.json.Encoder().encode


class Made(NamedTuple):
    """A component that is not yet in the model, and what is to be stored of it."""

    component: Component
    rules: dict[str, Subscription]
    changes: list[Change]

    def put_into(self, context: Context, name: str) -> None:
        context.components[name] = self.component
        if self.rules:
            context.rules[name] = self.rules


def accept_evidence(new: NewEvidence, component_no: int, n: int, stamp: Stamp) -> AddEvidence:
    """Stamp new evidence with source, owner and time of acceptance; `n` is its place in the command."""
    user, app, seq, time_us = stamp
    creation_time = time_us / 1e6
    evidence = Evidence(
        seq=seq,
        n=n,
        value=new.value,
        evidence_type=new.evidence_type,
        source=app,
        owner=user,
        flags=new.flags,
        comment=new.comment,
        time=creation_time if new.time is None else new.time,
        creation_time=creation_time,
        useby=new.useby,
        extra=new.extra,
    )
    kind = GOAL if GOAL_FLAG in new.flags else PLAIN
    return AddEvidence(component_no, n, kind, time_us, new.useby, evidence, _encode(evidence))


def added_evidence(evidence: Evidence, component_no: int, creation_us: int) -> AddEvidence:
    """Make the change that stores a piece of evidence."""
    kind = CORRECTION if evidence.correction else GOAL if GOAL_FLAG in evidence.flags else PLAIN
    return AddEvidence(component_no, evidence.n, kind, creation_us, evidence.useby, evidence, _encode(evidence))


def make_component(
    definition: ComponentDefinition, path: Path, index: int, first_n: int, stamp: Stamp, withdrawals: bool = False
) -> Made:
    """Make the `index`-th component of a command with its rules and initial evidence, numbered from `first_n` on."""
    component = Component(
        number=stamp.seq * NUMBERS_PER_COMMAND + index,
        description=definition.description,
        component_type=definition.component_type,
        value_type=definition.value_type,
        value_list=definition.value_list,
        resolver=definition.resolver,
        goals=definition.goals,
        created_us=stamp.time_us,
        withdrawals=withdrawals,
    )
    changes: list[Change] = [put("component", path, component)]
    for n, new in enumerate(definition.evidence, first_n):
        changes.append(accept_evidence(new, component.number, n, stamp))
    rules: dict[str, Subscription] = {}
    for number, statement in enumerate(definition.rules):
        token = f"{stamp.seq}-{index}-{number}"
        rules[token] = subscription_of(statement, stamp)
        changes += added_rule(path, token, rules[token])
    return Made(component, rules, changes)


def check_maker(stamp: Stamp) -> None:
    """Raise `permission_denied` unless it is llum itself that wants to make a model."""
    if stamp.app not in MAKERS_OF_MODELS:
        raise Refusal(Code.PERMISSION_DENIED, f"{stamp.app} may not make models", None, "the operator makes them")


def make_model(command: MakeModel, sent: Stamp) -> tuple[Model, list[Change]]:
    """Make a model with the owner app that the command names; what is in it at first is of that app.

    Contexts that are only named as parents get no description.
    """
    check_maker(sent)
    check_app(command.owner, "owner")
    definition, stamp = command.definition, sent._replace(app=command.owner)
    check_definition(definition, "definition")
    model = Model(stamp.user, stamp.time_us)
    model.seq, model.time_us = stamp.seq, stamp.time_us
    model.apps[stamp.app] = App(role="owner", registration=stamp.seq)
    changes = _make_contexts(model, definition, stamp.time_us)
    changes += [put("app", stamp.app, model.apps[stamp.app]), RegistrationChanged(stamp.app, stamp.seq)]
    index = n = 0
    for context in definition.contexts:
        changes += _fill_context(model, context, index, n, stamp)
        index += len(context.components)
        n += sum(len(component.evidence) for component in context.components)
    return model, changes


def _make_contexts(model: Model, definition: ModelDefinition, time_us: int) -> list[Change]:
    described = {tuple(context.path): context for context in definition.contexts}
    changes: list[Change] = []
    for path in _with_parents(definition):
        context = described.get(path)
        item = ContextItem(created_us=time_us)
        if context is not None:
            item.description, item.resolver = context.description, context.resolver
        changes.append(put_context(model, path, item))
    return changes


def _with_parents(definition: ModelDefinition) -> dict[Path, None]:
    """List each context once, parents first, the root at the front."""
    paths: dict[Path, None] = {(): None}
    for context in definition.contexts:
        for depth in range(1, len(context.path) + 1):
            paths[tuple(context.path[:depth])] = None
    return paths


def put_context(model: Model, path: Path, item: ContextItem) -> Change:
    if not path:
        model.root.item = item
        return put("model", path, item)
    parent = model.context(path[:-1])
    assert parent is not None, "parents come first"
    parent.children[path[-1]] = Context(item)
    return put("context", path, item)


def _fill_context(model: Model, definition: ContextDefinition, index: int, n: int, stamp: Stamp) -> list[Change]:
    path = tuple(definition.path)
    context = model.context(path)
    assert context is not None, "all contexts are made before they are filled"
    changes: list[Change] = []
    for component in definition.components:
        made = make_component(component, (*path, component.name), index, n, stamp)
        made.put_into(context, component.name)
        changes += made.changes
        index += 1
        n += len(component.evidence)
    for view in definition.views:
        context.views[view.name] = View(components=view.components)
        changes.append(put("view", (*path, view.name), context.views[view.name]))
    return changes

"""How components and whole models come into being. All is checked before anything is made."""

import msgspec

from model.changes import Change, Decision, RegistrationChanged, put
from model.checks import check_definition
from model.commands.evidence import accepted_evidence
from model.commands.rules import new_rule, stored_rule
from model.stamp import Stamp
from model.state import NUMBERS_PER_COMMAND, App, Component, ContextItem, View
from schemas.apps import MAKERS_OF_MODELS, check_app
from schemas.commands import MakeModel
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.paths import Path


def check_maker(stamp: Stamp) -> None:
    """Raise `permission_denied` unless it is llum itself that wants to make a model."""
    if stamp.app not in MAKERS_OF_MODELS:
        raise Refusal(Code.PERMISSION_DENIED, f"{stamp.app} may not make models", None, "the operator makes them")


def make_model(command: MakeModel, sent: Stamp) -> Decision:
    """Make a model with the owner app that the command names; what is in it at first is of that app.

    Contexts that are only named as parents get no description.
    """
    check_maker(sent)
    check_app(command.owner, "owner")
    definition, stamp = command.definition, msgspec.structs.replace(sent, app=command.owner)
    check_definition(definition, "definition")
    changes = _made_contexts(definition, stamp.time_us)
    changes.append(put("app", (stamp.app,), App(role="owner", registration=stamp.seq)))
    changes.append(RegistrationChanged(stamp.app, stamp.seq))
    index = n = 0
    for context in definition.contexts:
        changes += _filled_context(context, index, n, stamp)
        index += len(context.components)
        n += sum(len(component.evidence) for component in context.components)
    return Decision(changes, True)


def made_component(
    definition: ComponentDefinition,
    path: Path,
    index: int,
    first_n: int,
    stamp: Stamp,
    withdrawals: bool = False,
    held_order: bool = False,
    may_notify: bool = True,
    made_by: str = "",
    created_us: int | None = None,
) -> list[Change]:
    """Make the `index`-th component of a command with its rules and initial evidence, numbered from `first_n` on."""
    created_us = stamp.time_us if created_us is None else created_us
    held_order = held_order or any(new.time is not None for new in definition.evidence)
    component = msgspec.structs.replace(
        _component(definition, component_number(index, stamp), created_us, made_by),
        withdrawals=withdrawals,
        held_order=held_order,
    )
    changes: list[Change] = [put("component", path, component)]
    changes += [accepted_evidence(new, component, n, stamp) for n, new in enumerate(definition.evidence, first_n)]
    for number, statement in enumerate(definition.rules):
        token = f"{stamp.seq}-{index}-{number}"
        rule = stored_rule(statement, stamp, may_notify)
        if definition.rules_suspended:
            rule = msgspec.structs.replace(rule, suspended="imported")
        changes += new_rule(path, token, rule, stamp)
    return changes


def component_number(index: int, stamp: Stamp) -> int:
    """Number the `index`-th component of a command."""
    return stamp.seq * NUMBERS_PER_COMMAND + index


def _component(definition: ComponentDefinition, number: int, created_us: int, made_by: str) -> Component:
    return Component(
        number=number,
        description=definition.description,
        component_type=definition.component_type,
        value_type=definition.value_type,
        value_list=definition.value_list,
        resolver=definition.resolver,
        goals=definition.goals,
        created_us=created_us,
        made_by=made_by,
        extra=definition.extra or None,
    )


def stored_view(view: ViewDefinition, made_by: str = "") -> View:
    """Make what is stored of a view."""
    return View(components=view.components, description=view.description, extra=view.extra or None, made_by=made_by)


def _made_contexts(definition: ModelDefinition, time_us: int) -> list[Change]:
    described = {tuple(context.path): context for context in definition.contexts}
    return [
        put("context" if path else "model", path, _context_item(described.get(path), time_us))
        for path in _with_parents(definition)
    ]


def _context_item(context: ContextDefinition | None, time_us: int) -> ContextItem:
    if context is None:
        return ContextItem(created_us=time_us)
    return ContextItem(description=context.description, resolver=context.resolver, created_us=time_us)


def _with_parents(definition: ModelDefinition) -> dict[Path, None]:
    """List each context once, parents first, the root at the front."""
    paths: dict[Path, None] = {(): None}
    for context in definition.contexts:
        for depth in range(1, len(context.path) + 1):
            paths[tuple(context.path[:depth])] = None
    return paths


def _filled_context(definition: ContextDefinition, index: int, n: int, stamp: Stamp) -> list[Change]:
    path = tuple(definition.path)
    changes: list[Change] = []
    for component in definition.components:
        changes += made_component(component, (*path, component.name), index, n, stamp)
        index += 1
        n += len(component.evidence)
    changes += [put("view", (*path, view.name), stored_view(view)) for view in definition.views]
    return changes

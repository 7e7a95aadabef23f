"""The fold: a command changes a model, deterministically, or is refused and changes nothing.

Every handler checks all, then encodes all that is to be stored, and only then touches the model. Permission is looked
at before existence, so that nobody learns what is there by asking for it.

Results: `make_model` and `delete_context` true; `make_context` true, or false when `exist_ok` found it there;
`make_rule` the token; `register_app` the registration; `correct` {seq, n}; `import` how much was made; everything else
null.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from model import permissions
from model.caches import Caches
from model.changes import Change, ForgetUser
from model.checks import (
    check_below,
    check_component,
    check_evidence,
    check_goals,
    check_resolver,
    check_text,
    check_view,
)
from model.commands.apps import delete_app, register_app, set_permission
from model.commands.evidence import correct, withdraw
from model.commands.imports import import_contexts
from model.commands.making import accept_evidence, added_evidence, check_maker, make_component, make_model
from model.commands.removing import delete_component, delete_context, delete_view, forget
from model.commands.rules import check_cause, count_cause, fire, fired, subscribe, unsubscribe
from model.commands.targets import component_to_change, context_to_change
from model.permissions import Grants
from model.reads import Found
from model.stamp import Stamp
from model.state import Component, Context, ContextItem, ItemKind, Model, View, put
from schemas import commands
from schemas.commands import Command, MakeComponent, MakeContext, MakeModel, MakeView, SetGoals, SetResolver, Tell
from schemas.errors import Code, Refusal
from schemas.paths import Path, check_segment


class Applied(msgspec.Struct):
    """A model after a command, and what there is to store. No changes: the command found nothing to do."""

    model: Model | None
    """None: it has been forgotten."""
    changes: list[Change]
    result: Any = None


Handled = tuple[list[Change], Any]


def apply(
    model: Model | None,
    user: str,
    app: str,
    command: Command,
    seq: int,
    time_us: int,
    named: Found | None = None,
    caches: Caches | None = None,
) -> Applied:
    """Apply a command to the user's model, which is changed in place; `make_model` needs None and makes one.

    Times never go back: an earlier `time_us` counts as the model's latest. `model.seq` and `model.time_us` move only
    with a change that is stored. `named` is what was found for `model.commands.evidence.evidence_named`; `caches` are
    told of the changes. Raises a `Refusal`, the model then is as it was.
    """
    caches = Caches() if caches is None else caches
    applied = _apply(model, user, app, command, seq, time_us, named, caches.grants)
    for change in applied.changes:
        caches.note(change, seq)
    return applied


def _apply(
    model: Model | None,
    user: str,
    app: str,
    command: Command,
    seq: int,
    time_us: int,
    named: Found | None,
    known: Grants,
) -> Applied:
    if model is None:
        return _apply_to_nothing(command, Stamp(user, app, seq, time_us))
    stamp = Stamp(user, app, seq, time_us if time_us > model.time_us else model.time_us)
    handler = _HANDLERS.get(type(command))
    if handler is None:
        return _apply_special(model, command, stamp, named)
    changes, result = _tell(model, command, stamp, known) if type(command) is Tell else handler(model, command, stamp)
    if changes:
        model.seq = seq
        model.time_us = stamp.time_us
    return Applied(model, changes, result)


def _apply_to_nothing(command: Command, stamp: Stamp) -> Applied:
    if isinstance(command, commands.Forget):
        # Accepted, so that forgetting can be done again; what is left of a person, a refused command say, goes.
        return Applied(None, [ForgetUser()])
    if not isinstance(command, MakeModel):
        raise Refusal(Code.NO_SUCH_MODEL, f"{stamp.user} has no model here", None, "the operator can make one")
    model, changes = make_model(command, stamp)
    return Applied(model, changes, True)


def _tell(model: Model, command: Tell, stamp: Stamp, known: Grants) -> Handled:
    path = tuple(command.context)
    name = command.component
    context = model.context(path)
    component = None if context is None else context.components.get(name)
    if context is None or component is None:
        component_to_change(model, stamp, command.context, name)
        raise AssertionError("what is not there is refused")
    grant = permissions.grant_of(model, stamp.app, path, stamp.time_us / 1e6, known)
    if model.component_permissions:
        grant = permissions.component_grant(model, stamp.app, path, name, grant, stamp.time_s)
    if not grant.tell:
        raise permissions.denied(stamp.app, "tell", "context")
    check_evidence(command.evidence, component.value_type, component.value_list, "evidence")
    if command.cause is not None or context.rules:
        return _tell_among_rules(model, context, component, command, stamp)
    return [accept_evidence(command.evidence, component.number, 0, stamp)], None


def _tell_among_rules(model: Model, context: Context, component: Component, command: Tell, stamp: Stamp) -> Handled:
    """Accept what a rule tells, or what a rule may wait for."""
    cause, name = command.cause, command.component
    if cause is not None:
        check_cause(model, cause)
    added = accept_evidence(command.evidence, component.number, 0, stamp)
    if cause is not None:
        added.evidence.rule = cause.rule
        added = added_evidence(added.evidence, component.number, stamp.time_us)
    counted = [] if cause is None else count_cause(model, cause)
    return [added, *counted, *fired(context, tuple(command.context), name, cause)], None


def _apply_special(model: Model, command: Command, stamp: Stamp, named: Found | None) -> Applied:
    """Apply what needs more than the model, or leaves none."""
    if isinstance(command, commands.Forget):
        return Applied(None, forget(model, command, stamp)[0])
    assert isinstance(command, commands.Withdraw), "every other command has a handler"
    changes, result = withdraw(model, command, stamp, named)
    model.seq, model.time_us = stamp.seq, stamp.time_us
    return Applied(model, changes, result)


def _make_model(model: Model, _command: MakeModel, stamp: Stamp) -> Handled:
    check_maker(stamp)
    raise Refusal(Code.ALREADY_EXISTS, f"{model.user} has a model")


def _make_context(model: Model, command: MakeContext, stamp: Stamp) -> Handled:
    path, parent = context_to_change(model, stamp, command.context)
    check_segment(command.name, "name")
    check_below(path, "name")
    check_text(command.description, "description")
    check_resolver(command.resolver, "resolver")
    if command.name in parent.children:
        return _existing(command.exist_ok, f"context {command.name[:80]!r}", "name"), False
    item = ContextItem(description=command.description, resolver=command.resolver, created_us=stamp.time_us)
    change = put("context", (*path, command.name), item)
    parent.children[command.name] = Context(item)
    return [change], True


def _make_component(model: Model, command: MakeComponent, stamp: Stamp) -> Handled:
    path, context = context_to_change(model, stamp, command.context)
    name = command.component.name
    check_component(command.component, "component")
    check_below(path, "component.name")
    if name in context.components:
        return _existing(command.exist_ok, f"component {name[:80]!r}", "component.name"), None
    made = make_component(command.component, (*path, name), 0, 0, stamp)
    made.put_into(context, name)
    return made.changes, None


def _make_view(model: Model, command: MakeView, stamp: Stamp) -> Handled:
    path, context = context_to_change(model, stamp, command.context)
    check_view(command.view, "view")
    check_below(path, "view.name")
    view = View(components=command.view.components)
    change = put("view", (*path, command.view.name), view)
    context.views[command.view.name] = view
    return [change], None


def _set_resolver(model: Model, command: SetResolver, stamp: Stamp) -> Handled:
    check_resolver(command.resolver, "resolver")
    if command.component is not None:
        place = component_to_change(model, stamp, command.context, command.component)
        return _changed(place.component, "component", place.full_path, "resolver", command.resolver), None
    path, context = context_to_change(model, stamp, command.context)
    return _changed(context.item, "context" if path else "model", path, "resolver", command.resolver), None


def _set_goals(model: Model, command: SetGoals, stamp: Stamp) -> Handled:
    place = component_to_change(model, stamp, command.context, command.component)
    check_goals(command.goals, "goals")
    return _changed(place.component, "component", place.full_path, "goals", command.goals), None


def _changed(item: Component | ContextItem, kind: ItemKind, path: Path, part: str, value: object) -> list[Change]:
    if getattr(item, part) == value:
        return []
    setattr(item, part, value)
    return [put(kind, path, item)]


def _existing(exist_ok: bool, what: str, field: str) -> list[Change]:
    if not exist_ok:
        raise Refusal(Code.ALREADY_EXISTS, f"{what} is there already", field, "use another name, or keep what is there")
    return []


_HANDLERS: Final[dict[type[Any], Callable[[Model, Any, Stamp], Handled]]] = {
    Tell: lambda model, command, stamp: _tell(model, command, stamp, {}),
    commands.Correct: correct,
    MakeModel: _make_model,
    MakeContext: _make_context,
    MakeComponent: _make_component,
    MakeView: _make_view,
    commands.DeleteContext: delete_context,
    commands.DeleteComponent: delete_component,
    commands.DeleteView: delete_view,
    SetResolver: _set_resolver,
    SetGoals: _set_goals,
    commands.MakeRule: subscribe,
    commands.DeleteRule: unsubscribe,
    commands.Fire: fire,
    commands.RegisterApp: register_app,
    commands.DeleteApp: delete_app,
    commands.SetPermission: set_permission,
    commands.Import: import_contexts,
}

"""The fold: a command changes a model, deterministically, or is refused and changes nothing.

Every handler checks all, then encodes all that is to be stored, and only then touches the model. Permission is looked
at before existence, so that nobody learns what is there by asking for it.

Results: `mkmodel` true; `mkcontext` true, or false when `exist_ok` found it there; everything else null.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn

import msgspec

from model import permissions
from model.changes import Change
from model.checks import (
    check_below,
    check_component,
    check_evidence,
    check_names,
    check_resolver,
    check_text,
    check_view,
)
from model.making import Moment, accept_evidence, keep_latest, make_component, make_model
from model.state import App, Context, ContextItem, Model, Permission, View, permission_key, put
from schemas.commands import Command, MakeComponent, MakeContext, MakeModel, MakeView, RegisterApp, SetPermission, Tell
from schemas.errors import Code, Refusal
from schemas.paths import Path, check_path, check_segment, check_token


class Applied(msgspec.Struct):
    """A model after a command, and what there is to store. No changes: the command found nothing to do."""

    model: Model
    changes: list[Change]
    result: Any = None


Handled = tuple[list[Change], Any]


def apply(model: Model | None, user: str, app: str, command: Command, seq: int, time_us: int) -> Applied:
    """Apply a command to the user's model, which is changed in place; `mkmodel` needs None and makes one.

    Times never go back: an earlier `time_us` counts as the model's latest. `model.seq` and `model.time_us` move only
    with a change that is stored. Raises a `Refusal`, the model then is as it was.
    """
    if model is None:
        return _apply_to_nothing(command, Moment(user, app, seq, time_us))
    moment = Moment(user, app, seq, max(time_us, model.time_us))
    changes, result = _HANDLERS[type(command)](model, command, moment)
    if changes:
        model.seq = seq
        model.time_us = moment.time_us
    return Applied(model, changes, result)


def _apply_to_nothing(command: Command, moment: Moment) -> Applied:
    if not isinstance(command, MakeModel):
        raise Refusal(Code.NO_SUCH_MODEL, f"{moment.user} has no model here", None, "make one with mkmodel")
    model, changes = make_model(command.definition, moment)
    return Applied(model, changes, True)


def _tell(model: Model, command: Tell, moment: Moment) -> Handled:
    path = tuple(command.context)
    name = command.component
    context = model.context(path)
    component = None if context is None else context.components.get(name)
    if context is None or component is None:
        _refuse_unknown(model, moment.app, path, name)
    if not permissions.grant_of(model, moment.app, path).tell:
        raise permissions.denied(moment.app, "tell", "context")
    check_evidence(command.evidence, component.value_type, component.value_list, "evidence")
    evidence, added = accept_evidence(command.evidence, component.number, 0, moment)
    latest = context.latest.get(name)
    if latest is not None:
        keep_latest(latest, evidence)
    return [added], None


def _refuse_unknown(model: Model, app: str, path: Path, name: str) -> NoReturn:
    _place(model, app, path)
    check_segment(name, "component")
    raise Refusal(Code.NO_SUCH_COMPONENT, f"there is no component {name[:80]!r}", "component")


def _make_model(model: Model, _command: MakeModel, _moment: Moment) -> Handled:
    raise Refusal(Code.ALREADY_EXISTS, f"{model.user} has a model")


def _make_context(model: Model, command: MakeContext, moment: Moment) -> Handled:
    path, parent = _place(model, moment.app, command.context)
    check_segment(command.name, "name")
    check_below(path, "name")
    check_text(command.description, "description")
    check_resolver(command.resolver, "resolver")
    if command.name in parent.children:
        return _existing(command.exist_ok, f"context {command.name[:80]!r}", "name"), False
    item = ContextItem(description=command.description, resolver=command.resolver, created_us=moment.time_us)
    change = put("context", (*path, command.name), item)
    parent.children[command.name] = Context(item)
    return [change], True


def _make_component(model: Model, command: MakeComponent, moment: Moment) -> Handled:
    path, context = _place(model, moment.app, command.context)
    name = command.component.name
    check_component(command.component, "component")
    check_below(path, "component.name")
    if name in context.components:
        return _existing(command.exist_ok, f"component {name[:80]!r}", "component.name"), None
    made = make_component(command.component, (*path, name), 0, 0, moment)
    context.components[name] = made.component
    context.latest[name] = made.latest
    return made.changes, None


def _make_view(model: Model, command: MakeView, moment: Moment) -> Handled:
    path, context = _place(model, moment.app, command.context)
    check_view(command.view, "view")
    check_below(path, "view.name")
    view = View(components=command.view.components)
    change = put("view", (*path, command.view.name), view)
    context.views[command.view.name] = view
    return [change], None


def _register_app(model: Model, command: RegisterApp, moment: Moment) -> Handled:
    _check_owner(model, moment.app, "register apps")
    check_token(command.app, "app")
    check_text(command.description, "description")
    item = App(description=command.description, role=command.role)
    if item == model.apps.get(command.app):
        return [], None
    if item.role != "owner" and _is_last_owner(model, command.app):
        raise Refusal(Code.BAD_FIELD, "the model needs an owner app, and this is the last one", "role")
    change = put("app", command.app, item)
    model.apps[command.app] = item
    permissions.forget(model)
    return [change], None


def _set_permission(model: Model, command: SetPermission, moment: Moment) -> Handled:
    _check_owner(model, moment.app, "set permissions")
    check_token(command.app, "app")
    path = check_path(command.context, "context")
    check_names(command.resolvers or [], "resolvers")
    if command.app not in model.apps:
        raise Refusal(Code.NO_SUCH_APP, f"{command.app} is not registered", "app", "register it with registerapp")
    if model.context(path) is None:
        raise _no_such_context()
    before = model.permissions.get(command.app, {}).get(path, Permission())
    after = _merged(before, command)
    if after == before:
        return [], None
    change = put("permission", permission_key(command.app, path), after)
    model.permissions.setdefault(command.app, {})[path] = after
    permissions.forget(model)
    return [change], None


def _merged(before: Permission, command: SetPermission) -> Permission:
    return Permission(
        ask=before.ask if command.ask is None else command.ask,
        tell=before.tell if command.tell is None else command.tell,
        resolvers=before.resolvers if command.resolvers is None else command.resolvers,
    )


def _place(model: Model, app: str, segments: list[str] | Path) -> tuple[Path, Context]:
    """Find the context that an app wants to change, or raise `bad_path`, `permission_denied`, `no_such_context`."""
    path = check_path(segments, "context")
    if not permissions.grant_of(model, app, path).tell:
        raise permissions.denied(app, "tell", "context")
    context = model.context(path)
    if context is None:
        raise _no_such_context()
    return path, context


def _no_such_context() -> Refusal:
    return Refusal(Code.NO_SUCH_CONTEXT, "there is no such context", "context", "make it with mkcontext")


def _existing(exist_ok: bool, what: str, field: str) -> list[Change]:
    if not exist_ok:
        raise Refusal(Code.ALREADY_EXISTS, f"{what} is there already", field, "send exist_ok to accept that")
    return []


def _check_owner(model: Model, app: str, action: str) -> None:
    if not permissions.is_owner(model, app):
        raise permissions.denied(app, action)


def _is_last_owner(model: Model, app: str) -> bool:
    return [name for name, item in model.apps.items() if item.role == "owner"] == [app]


_HANDLERS: Final[dict[type[Any], Callable[[Model, Any, Moment], Handled]]] = {
    Tell: _tell,
    MakeModel: _make_model,
    MakeContext: _make_context,
    MakeComponent: _make_component,
    MakeView: _make_view,
    RegisterApp: _register_app,
    SetPermission: _set_permission,
}

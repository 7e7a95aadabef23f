"""Deleting parts of a model, and forgetting all of it. What is dropped stays in the past, except what is forgotten.

Permissions are not dropped with what they are about: only the owner's apps change them, so deleting a context and
making it anew is no way around a setting.
"""

from collections.abc import Iterator

from model import permissions
from model.changes import Change, ForgetUser, ScheduleDropped
from model.commands.rules import drop_rules
from model.commands.targets import check_owner, component_to_change, context_to_change
from model.stamp import Stamp
from model.state import Context, Model, put
from schemas.commands import DeleteComponent, DeleteContext, DeleteView, Forget
from schemas.errors import Code, Refusal
from schemas.paths import Path, check_segment

Handled = tuple[list[Change], object]


def delete_context(model: Model, command: DeleteContext, stamp: Stamp) -> Handled:
    """Delete a context with all below it, which the app must all be allowed to change."""
    path, context = context_to_change(model, stamp, command.context)
    if not path:
        raise Refusal(Code.BAD_PATH, "the root cannot be deleted", "context", "delete what is in it, one by one")
    below = list(contexts_below(path, context))
    _check_all(model, stamp, below)
    changes = [change for at, each in below for change in _emptied(at, each)]
    parent = model.context(path[:-1])
    assert parent is not None, "what has a child exists"
    del parent.children[path[-1]]
    return changes, True


def delete_component(model: Model, command: DeleteComponent, stamp: Stamp) -> Handled:
    """Delete a component with its rules. Its evidence stays in the past."""
    place = component_to_change(model, stamp, command.context, command.component)
    return _without_component(place.context, place.path, place.name), None


def delete_view(model: Model, command: DeleteView, stamp: Stamp) -> Handled:
    path, context = context_to_change(model, stamp, command.context)
    if command.view not in context.views:
        check_segment(command.view, "view")
        raise Refusal(Code.NO_SUCH_VIEW, f"there is no view {command.view[:80]!r}", "view")
    del context.views[command.view]
    return [put("view", (*path, command.view), None)], None


def forget(model: Model, _command: Forget, stamp: Stamp) -> Handled:
    """Leave nothing of the model. Its schedules are taken down too."""
    check_owner(model, stamp.app, "forget the model")
    changes: list[Change] = [
        ScheduleDropped((*path, name), token)
        for path, context in contexts_below((), model.root)
        for name, rules in context.rules.items()
        for token, rule in rules.items()
        if rule.cron is not None
    ]
    return [*changes, ForgetUser()], None


def contexts_below(path: Path, context: Context) -> Iterator[tuple[Path, Context]]:
    """Give the context and all below it, parents before their children, these in the order of their names."""
    waiting = [(path, context)]
    while waiting:
        at, each = waiting.pop()
        yield at, each
        waiting += [((*at, name), each.children[name]) for name in sorted(each.children, reverse=True)]


def _check_all(model: Model, stamp: Stamp, below: list[tuple[Path, Context]]) -> None:
    app, now = stamp.app, stamp.time_s
    for at, each in below:
        grant = permissions.grant_of(model, app, at, now)
        single = model.component_permissions.get(app)
        names = each.components if single else ()
        grants = [permissions.component_grant(model, app, at, name, grant, now) for name in names]
        if not all(one.tell for one in (grant, *grants)):
            raise permissions.denied(app, "tell", "context")


def _emptied(path: Path, context: Context) -> list[Change]:
    changes: list[Change] = []
    for name in list(context.components):
        changes += _without_component(context, path, name)
    changes += [put("view", (*path, name), None) for name in context.views]
    return [*changes, put("context", path, None)]


def _without_component(context: Context, path: Path, name: str) -> list[Change]:
    changes = drop_rules(context, path, name, list(context.rules.get(name, ())))
    del context.components[name]
    return [*changes, put("component", (*path, name), None)]

"""Contexts, components and views: made, changed, deleted. What is dropped stays in the past.

Permissions are not dropped with what they are about: only the owner's apps change them, so deleting a context and
making it anew is no way around a setting. What a grant refers to is changed and deleted by the owner's apps alone
(`model.references`).

What is set for the very name that is to be made is heeded, whether or not it is taken. To an app that may not ask a
name it looks the same whether or not that is taken: what is there stays as it is, and the outcome is that of making it.
"""

import msgspec

from model import permissions, references
from model.changes import Change, Content, Decision, ItemKind, drop, put
from model.checks import check_below, check_component, check_extra, check_goals, check_resolver, check_view
from model.commands.apps import check_permission, check_registered, permission_set
from model.commands.causes import gone_with, may_have_fired
from model.commands.evidence import with_value
from model.commands.making import made_component, stored_view
from model.commands.quotas import check_rules, check_thing, maker_of
from model.commands.rule_rights import check_may_have_rules
from model.commands.rules import dropped_rules
from model.commands.targets import check_may, check_owner, component_to_change, context_to_change, no_such_context
from model.permissions import Asker
from model.reads import Reading
from model.sight import Sight
from model.stamp import Stamp
from model.state import Context, ContextItem, Model, contexts_below
from schemas.causes import CauseRange
from schemas.commands import (
    DeleteComponent,
    DeleteContext,
    DeleteView,
    MakeComponent,
    MakeContext,
    MakeView,
    SetGoals,
    SetResolver,
)
from schemas.definitions import ComponentDefinition
from schemas.errors import Code, Refusal
from schemas.paths import Path, check_path, check_segment
from schemas.plain_checks import check_text


def make_context(model: Model, command: MakeContext, stamp: Stamp) -> Decision:
    """Make a context; the result says whether it was not there before."""
    path = check_path(command.context, "context")
    check_segment(command.name, "name")
    check_below(path, "name")
    made = (*path, command.name)
    # Who may make things in a place that is not there yet may make the place.
    check_may(permissions.grant_of(model, stamp.app, made, stamp.time_s), stamp.app, "make", made)
    parent = model.context(path)
    if parent is None:
        raise no_such_context()
    check_text(command.description, "description")
    check_resolver(command.resolver, "resolver")
    check_extra(command.extra, "extra")
    _check_permissions(model, command, stamp)
    if command.name in parent.children:
        if not _sight(model, stamp).sees_context(made):
            check_thing(model, stamp.app)
            return Decision([], True)
        _check_may_exist(command.exist_ok, f"context {command.name[:80]!r}", "name")
        return Decision([], False)
    check_thing(model, stamp.app)
    item = ContextItem(
        description=command.description,
        resolver=command.resolver,
        created_us=stamp.time_us,
        made_by=maker_of(model, stamp.app),
        extra=command.extra or None,
    )
    changes: list[Change] = [put("context", made, item)]
    for app, setting in command.permissions.items():
        changes += permission_set(model, app, made, None, setting, stamp)
    return Decision(changes, True)


def make_component(model: Model, command: MakeComponent, stamp: Stamp) -> Decision:
    """Make a component with its rules and initial evidence."""
    path, context = context_to_change(model, stamp, command.context, "make")
    definition = _with_values(command.component) if command.convert else command.component
    name = definition.name
    check_component(definition, "component")
    check_below(path, "component.name")
    grant = permissions.grant_at(model, stamp.app, path, name, stamp.time_s)
    check_may(grant, stamp.app, "make", path, name)
    if definition.evidence:
        check_may(grant, stamp.app, "tell", path, name)
    if definition.rules:
        check_may_have_rules(model, path, name, stamp)
    if name in context.contents.components:
        if not _sight(model, stamp).sees(path, name):
            check_thing(model, stamp.app)
            check_rules(model, stamp.app, definition.rules, "component.rules")
            return Decision([])
        _check_may_exist(command.exist_ok, f"component {name[:80]!r}", "component.name")
        return Decision([])
    check_thing(model, stamp.app)
    check_rules(model, stamp.app, definition.rules, "component.rules")
    maker = maker_of(model, stamp.app)
    made = made_component(definition, (*path, name), 0, 0, stamp, may_notify=grant.notify, made_by=maker)
    return Decision(made)


def _with_values(definition: ComponentDefinition) -> ComponentDefinition:
    value_type, value_list = definition.value_type, definition.value_list
    evidence = [with_value(new, value_type, value_list, "None") for new in definition.evidence]
    return msgspec.structs.replace(definition, evidence=evidence)


def make_view(model: Model, command: MakeView, stamp: Stamp) -> Decision:
    """Make a view."""
    path, context = context_to_change(model, stamp, command.context, "make")
    check_view(command.view, "view")
    check_below(path, "view.name")
    references.check_view(model, stamp, path, command.view.name)
    if command.view.name in context.views:
        if not _sight(model, stamp).sees_view(path, command.view.name):
            check_thing(model, stamp.app)
            return Decision([])
        _check_may_exist(False, f"view {command.view.name[:80]!r}", "view.name")
    check_thing(model, stamp.app)
    view = stored_view(command.view, maker_of(model, stamp.app))
    return Decision([put("view", (*path, command.view.name), view)])


def set_resolver(model: Model, command: SetResolver, stamp: Stamp) -> Decision:
    """Set the resolver of a component, or of the context if none is named."""
    check_resolver(command.resolver, "resolver")
    if command.component is not None:
        place = component_to_change(model, stamp, command.context, command.component, "make")
        references.check_resolver_of_component(model, stamp, place.full_path)
        return _changed(place.component, "component", place.full_path, "resolver", command.resolver)
    path, context = context_to_change(model, stamp, command.context, "make")
    references.check_resolver_of_context(model, stamp, path)
    return _changed(context.item, "context" if path else "model", path, "resolver", command.resolver)


def set_goals(model: Model, command: SetGoals, stamp: Stamp) -> Decision:
    """Set the paths of the components that this one serves."""
    place = component_to_change(model, stamp, command.context, command.component, "make")
    check_goals(command.goals, "goals")
    return _changed(place.component, "component", place.full_path, "goals", command.goals)


def delete_context(model: Model, command: DeleteContext, stamp: Stamp) -> Reading[Decision]:
    """Delete a context with all below it, which the app must all be allowed to change.

    What rules elsewhere have told because of its evidence is withdrawn.
    """
    path, context = context_to_change(model, stamp, command.context, "delete")
    if not path:
        raise Refusal(Code.BAD_PATH, "the root cannot be deleted", "context", "delete what is in it, one by one")
    below = list(contexts_below(path, context))
    _check_all(model, stamp, below)
    references.check_context(model, stamp, path, context)
    gone = yield from _gone_with(model, [(each, name) for _, each in below for name in each.contents.components], stamp)
    return Decision([*gone, *(change for at, each in reversed(below) for change in _emptied(at, each))], True)


def delete_component(model: Model, command: DeleteComponent, stamp: Stamp) -> Reading[Decision]:
    """Delete a component with its rules. Its evidence stays in the past.

    What rules have told because of it is withdrawn.
    """
    place = component_to_change(model, stamp, command.context, command.component, "delete")
    references.check_component(model, stamp, place.full_path, place.component.resolver)
    gone = yield from _gone_with(model, [(place.context, place.name)], stamp)
    return Decision([*gone, *_without_component(place.context, place.path, place.name)])


def _gone_with(model: Model, leaves: list[tuple[Context, str]], stamp: Stamp) -> Reading[list[Change]]:
    """Say what is withdrawn because these components are deleted."""
    numbers: set[int] = set()
    origins: list[CauseRange] = []
    for context, name in leaves:
        leaf = context.contents.components[name]
        numbers.add(number := context.first + leaf.offset)
        if may_have_fired(context, name, leaf):
            origins.append(CauseRange(component_no=number))
    return (yield from gone_with(model, origins, stamp.app, stamp, numbers))


def delete_view(model: Model, command: DeleteView, stamp: Stamp) -> Decision:
    """Delete a view."""
    path, context = context_to_change(model, stamp, command.context, "delete")
    references.check_view(model, stamp, path, command.view)
    if command.view not in context.views:
        check_segment(command.view, "view")
        raise Refusal(Code.NO_SUCH_VIEW, f"there is no view {command.view[:80]!r}", "view")
    return Decision([drop("view", (*path, command.view))])


def _sight(model: Model, stamp: Stamp) -> Sight:
    return Sight(Asker(stamp.app, model, stamp.time_s))


def _check_permissions(model: Model, command: MakeContext, stamp: Stamp) -> None:
    """Check what is to be set in the new context: refused before anything is made."""
    if command.permissions:
        check_owner(model, stamp.app, "set permissions")
    for app, setting in command.permissions.items():
        check_permission(model, app, setting, f"permissions.{app[:64]}.", for_component=False)
        check_registered(model, app, f"permissions.{app[:64]}")


def _check_may_exist(exist_ok: bool, what: str, field: str) -> None:
    if not exist_ok:
        raise Refusal(Code.ALREADY_EXISTS, f"{what} is there already", field, "use another name, or keep what is there")


def _changed(content: Content, kind: ItemKind, path: Path, part: str, value: object) -> Decision:
    if getattr(content, part) == value:
        return Decision([])
    return Decision([put(kind, path, msgspec.structs.replace(content, **{part: value}))])


def _check_all(model: Model, stamp: Stamp, below: list[tuple[Path, Context]]) -> None:
    app, now = stamp.app, stamp.time_s
    for at, each in below:
        grant = permissions.grant_of(model, app, at, now)
        single = model.component_permissions.get(app)
        names = each.contents.components if single else ()
        check_may(grant, app, "delete", at)
        for name in names:
            check_may(permissions.component_grant(model, app, at, name, grant, now), app, "delete", at, name)


def _emptied(path: Path, context: Context) -> list[Change]:
    changes: list[Change] = []
    for name in context.contents.components:
        changes += _without_component(context, path, name)
    changes += [drop("view", (*path, name)) for name in sorted(context.views)]
    return [*changes, drop("context", path)]


def _without_component(context: Context, path: Path, name: str) -> list[Change]:
    return [*dropped_rules(context, path, name, context.rules.get(name, ())), drop("component", (*path, name))]

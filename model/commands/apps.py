"""Apps and what they may do: all of it is for the owner's apps."""

import msgspec

from model import permissions
from model.changes import Change, Decision, PutItem, RegistrationChanged, drop, put
from model.commands.rules import removed_rules
from model.commands.targets import check_owner, existing_component, no_such_context
from model.stamp import Stamp
from model.state import App, Model, contexts_below
from schemas.app_names import app_name
from schemas.apps import check_app, check_origins
from schemas.commands import DeleteApp, RegisterApp, SetPermission
from schemas.errors import Code, Refusal
from schemas.paths import Path, check_path, check_segment, check_token
from schemas.permissions import PERMISSION_PARTS, VERBS, Permission
from schemas.plain_checks import check_name, check_names, check_text
from schemas.setting_checks import check_filters, check_of_rules, check_times


def register_app(model: Model, command: RegisterApp, stamp: Stamp) -> Decision:
    check_owner(model, stamp.app, "register apps")
    check_app(command.app, "app")
    check_text(command.description, "description")
    known = model.apps.get(command.app)
    registration = known.registration if known else stamp.seq
    item = App(
        description=command.description,
        role=command.role,
        registration=registration,
        origins=_origins(command, known),
        quotas=known.quotas if known else None,
    )
    if item == known:
        return Decision([], registration)
    if item.role != "owner":
        check_not_last(model, command.app, "role")
    changes: list[Change] = [put("app", (command.app,), item)]
    if known is None or item.origins != known.origins:
        changes.append(RegistrationChanged(command.app, registration, item.origins))
    return Decision(changes, registration)


def _origins(command: RegisterApp, known: App | None) -> tuple[str, ...]:
    if command.origins is not None:
        return check_origins(command.origins, "origins")
    return known.origins if known else ()


def delete_app(model: Model, command: DeleteApp, stamp: Stamp) -> Decision:
    """Remove an app with its permissions and rules. Its tokens end with its registration."""
    check_owner(model, stamp.app, "delete apps")
    check_registered(model, command.app, "app")
    check_not_last(model, command.app, "app")
    changes: list[Change] = [drop("app", (command.app,)), RegistrationChanged(command.app, None)]
    changes += without_settings(model, command.app)
    for path, context in contexts_below((), model.root):
        for name in sorted(context.rules):
            own = [token for token, rule in context.rules[name].items() if rule.app == command.app]
            changes += removed_rules(context, path, name, own)
    return Decision(changes)


def set_permission(model: Model, command: SetPermission, stamp: Stamp) -> Decision:
    """Merge a setting into what is set there; one that has expired does not count any more and is begun anew."""
    check_owner(model, stamp.app, "set permissions")
    check_token(command.app, "app")
    path = check_path(command.context, "context")
    grantee = permissions.grantee_of(command.app, command.whose_rules)
    check_permission(model, grantee, command, "", for_component=command.component is not None)
    check_registered(model, command.app, "app")
    if model.context(path) is None:
        raise no_such_context()
    if command.component is not None:
        existing_component(model, path, command.component)
    changes = permission_set(model, grantee, path, command.component, command, stamp)
    if changes and command.whose_rules is None:
        # Whoever has let the app in looks again at what it may do.
        app = model.apps[command.app]
        changes.append(RegistrationChanged(command.app, app.registration, app.origins))
    return Decision(changes)


def permission_set(
    model: Model, grantee: str, path: Path, component: str | None, setting: Permission, stamp: Stamp
) -> list[Change]:
    """Merge a checked setting into what is set for a grantee in a context, or with a component of it."""
    at = path if component is None else (*path, component)
    of_all = model.permissions if component is None else model.component_permissions
    before = of_all.get(grantee, {}).get(at, Permission())
    after = _merged(Permission() if permissions.is_expired(before, stamp.time_s) else before, setting)
    if after == before:
        return []
    return [put("permission" if component is None else "component_permission", (grantee, *at), after)]


def without_settings(model: Model, app: str) -> list[PutItem]:
    """Drop what is set for an app and for its rules elsewhere."""
    dropped: list[PutItem] = []
    for grantee in permissions.grantees_of(model, app):
        of_contexts = sorted(model.permissions.get(grantee, ()))
        of_components = sorted(model.component_permissions.get(grantee, ()))
        dropped += [drop("permission", (grantee, *path)) for path in of_contexts]
        dropped += [drop("component_permission", (grantee, *path)) for path in of_components]
    return dropped


def _merged(before: Permission, setting: Permission) -> Permission:
    said = {part: value for part in PERMISSION_PARTS if (value := getattr(setting, part)) is not None}
    after = msgspec.structs.replace(before, **said)
    return msgspec.structs.replace(after, expires=after.expires or None)


def check_permission(model: Model, grantee: str, setting: Permission, below: str, *, for_component: bool) -> None:
    """Check the parts of a setting; the names of their fields begin with `below`."""
    check_names(setting.resolvers or [], f"{below}resolvers")
    check_filters(setting.filters or [], f"{below}filters")
    if setting.bind_resolver:
        check_name(setting.bind_resolver, f"{below}bind_resolver")
    if setting.bind_view:
        check_segment(setting.bind_view, f"{below}bind_view")
    if setting.bind_view and for_component:
        raise Refusal(Code.BAD_FIELD, "a view is bound for a context, not for one component", f"{below}bind_view")
    check_times(setting, below)
    if setting.purpose is not None:
        check_text(setting.purpose, f"{below}purpose")
    _, person = permissions.parted_grantee(grantee)
    if person is not None:
        _check_for_rules(model, setting, person, below)


def _check_for_rules(model: Model, setting: Permission, person: str, below: str) -> None:
    """Check what is said of rules in another person's model: they ask and tell, and do nothing else here."""
    check_token(person, f"{below}whose_rules")
    if person == model.user:
        message = "rules in this model may do what their app may"
        raise Refusal(Code.BAD_FIELD, message, f"{below}whose_rules", "leave whose_rules out")
    check_of_rules([verb for verb in VERBS if getattr(setting, verb)], below)


def check_registered(model: Model, app: str, field: str) -> None:
    """Raise `no_such_app` unless the app is registered."""
    if app not in model.apps:
        raise Refusal(Code.NO_SUCH_APP, f"{app_name(app)[:80]!r} is not registered", field, "register the app first")


def check_not_last(model: Model, app: str, field: str) -> None:
    """Raise `bad_field` if it is the last owner's app of the model."""
    if [name for name, item in model.apps.items() if item.role == "owner"] == [app]:
        raise Refusal(Code.BAD_FIELD, "the model needs an owner app, and this is the last one", field)

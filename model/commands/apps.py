"""Apps and what they may do: all of it is for the owner's apps."""

from collections.abc import Sequence

import msgspec

from model import permissions
from model.changes import Change, Decision, ItemKind, RegistrationChanged, drop, put
from model.checks import check_name, check_names, check_text, check_time
from model.commands.rules import dropped_rules
from model.commands.targets import check_owner, existing_component, no_such_context
from model.stamp import Stamp
from model.state import App, Model, contexts_below
from schemas.app_names import app_name
from schemas.apps import check_app, check_origins
from schemas.commands import DeleteApp, RegisterApp, SetPermission
from schemas.errors import Code, Refusal
from schemas.evidence import FILTER_NAMES
from schemas.paths import Path, check_path, check_segment, check_token
from schemas.permissions import NOT_ENFORCED, PERMISSION_PARTS, Permission


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
        _check_not_last(model, command.app, "role")
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
    _check_registered(model, command.app)
    _check_not_last(model, command.app, "app")
    changes: list[Change] = [drop("app", (command.app,)), RegistrationChanged(command.app, None)]
    changes += _without_settings(model, command.app)
    for path, context in contexts_below((), model.root):
        for name in sorted(context.rules):
            own = [token for token, rule in context.rules[name].items() if rule.app == command.app]
            changes += dropped_rules(context, path, name, own)
    return Decision(changes)


def set_permission(model: Model, command: SetPermission, stamp: Stamp) -> Decision:
    """Merge a setting into what is set there; one that has expired does not count any more and is begun anew."""
    check_owner(model, stamp.app, "set permissions")
    check_token(command.app, "app")
    path = check_path(command.context, "context")
    _check_parts(command)
    _check_registered(model, command.app)
    if command.whose_rules is not None:
        _check_for_rules(model, command, command.whose_rules)
    if model.context(path) is None:
        raise no_such_context()
    if command.component is not None:
        existing_component(model, path, command.component)
    grantee = command.app if command.whose_rules is None else permissions.grantee_of(command.app, command.whose_rules)
    of_all, at = _place_of(model, command, path)
    before = of_all.get(grantee, {}).get(at, Permission())
    after = _merged(Permission() if permissions.is_expired(before, stamp.time_s) else before, command)
    if after == before:
        return Decision([])
    kind: ItemKind = "permission" if command.component is None else "component_permission"
    return Decision([put(kind, (grantee, *at), after)])


def _without_settings(model: Model, app: str) -> list[Change]:
    """Drop what is set for an app and for its rules elsewhere."""
    dropped: list[Change] = []
    for grantee in permissions.grantees_of(model, app):
        of_contexts = sorted(model.permissions.get(grantee, ()))
        of_components = sorted(model.component_permissions.get(grantee, ()))
        dropped += [drop("permission", (grantee, *path)) for path in of_contexts]
        dropped += [drop("component_permission", (grantee, *path)) for path in of_components]
    return dropped


def _place_of(model: Model, command: SetPermission, path: Path) -> tuple[dict[str, dict[Path, Permission]], Path]:
    if command.component is None:
        return model.permissions, path
    return model.component_permissions, (*path, command.component)


def _merged(before: Permission, command: SetPermission) -> Permission:
    said = {part: value for part in PERMISSION_PARTS if (value := getattr(command, part)) is not None}
    after = msgspec.structs.replace(before, **said)
    return msgspec.structs.replace(after, expires=after.expires or None)


def _check_parts(command: SetPermission) -> None:
    check_names(command.resolvers or [], "resolvers")
    _check_filters(command.filters or [])
    if command.bind_resolver:
        check_name(command.bind_resolver, "bind_resolver")
    if command.bind_view:
        check_segment(command.bind_view, "bind_view")
    if command.bind_view is not None and command.component is not None:
        raise Refusal(Code.BAD_FIELD, "a view is bound for a context, not for one component", "bind_view")
    if command.expires is not None:
        check_time(command.expires, "expires")
    if command.purpose is not None:
        check_text(command.purpose, "purpose")
    for part in NOT_ENFORCED:
        if getattr(command, part) is not None:
            message = f"this llum does not enforce {part} yet, so it cannot be set"
            raise Refusal(Code.BAD_FIELD, message, part, "leave it out")


def _check_for_rules(model: Model, command: SetPermission, person: str) -> None:
    """Check what is said of rules in another person's model: they ask and tell, and do nothing else here."""
    check_token(person, "whose_rules")
    if person == model.user:
        message = "rules in this model may do what their app may"
        raise Refusal(Code.BAD_FIELD, message, "whose_rules", "leave whose_rules out")
    for verb in ("make", "delete", "rules", "notify"):
        if getattr(command, verb):
            message = f"a rule in another person's model can ask and tell here, not {verb}"
            raise Refusal(Code.BAD_FIELD, message, verb, "permit ask or tell")


def _check_filters(names: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name not in FILTER_NAMES:
            known = ", ".join(FILTER_NAMES)
            raise Refusal(Code.BAD_FILTER, f"there is no filter {name[:80]!r}", f"filters[{index}]", f"one of {known}")


def _check_registered(model: Model, app: str) -> None:
    if app not in model.apps:
        raise Refusal(Code.NO_SUCH_APP, f"{app_name(app)[:80]!r} is not registered", "app", "register the app first")


def _check_not_last(model: Model, app: str, field: str) -> None:
    if [name for name, item in model.apps.items() if item.role == "owner"] == [app]:
        raise Refusal(Code.BAD_FIELD, "the model needs an owner app, and this is the last one", field)

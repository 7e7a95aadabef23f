"""Consent: an owner decides what an app may do, and the decision is kept with the model.

A setting of a slice is complete: of how an app may ask, nothing that is set for a wider place counts
(`schemas.slicing`).
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from model import permissions
from model.changes import Change, Decision, RegistrationChanged, ScheduleDropped, put
from model.commands.apps import check_not_last, check_permission, check_registered, without_settings
from model.commands.targets import check_owner
from model.stamp import Stamp
from model.state import App, Model, contexts_below
from schemas.app_names import app_name
from schemas.apps import check_app
from schemas.errors import Code, Refusal
from schemas.grants import MAX_DECISION_BYTES, Consent, ConsentDecision
from schemas.paths import format_path
from schemas.permissions import Permission
from schemas.plain_checks import check_text
from schemas.slicing import FIELD_OF_PART, MAX_PLACES, GrantPlace, GrantSettings, check_ends, checked, settings_of


def consent(model: Model, command: Consent, stamp: Stamp) -> Decision:
    """Decide what an app may do. The result is its registration."""
    check_owner(model, stamp.app, "decide what apps may do")
    check_app(command.app, "app")
    command = _checked(command)
    registration, changes = _DECIDED[command.decision](model, command, stamp)
    return Decision([*changes, decided(_record(command, stamp), 0)], registration)


def decided(record: ConsentDecision, number: int) -> Change:
    """Keep a decision with the model; `number` tells it from others about the app that the same command brings."""
    change = put("decision", (record.app, str(number)), record)
    if change.body is not None and len(change.body) > MAX_DECISION_BYTES:
        message = f"the decision takes {len(change.body)} bytes, at most {MAX_DECISION_BYTES}"
        raise Refusal(Code.TOO_LARGE, message, "granted", "decide about fewer places, or wider ones")
    return change


def settings_at(model: Model, app: str, now: float) -> GrantSettings:
    """Give all that is set for an app, and for its rules elsewhere, and has not expired."""
    found: GrantSettings = {}
    for grantee in permissions.grantees_of(model, app):
        _, person = permissions.parted_grantee(grantee)
        for kept, is_component in ((model.permissions, False), (model.component_permissions, True)):
            for path, setting in kept.get(grantee, {}).items():
                if not permissions.is_expired(setting, now):
                    found[GrantPlace(path, is_component, person)] = setting
    return found


def _checked(command: Consent) -> Consent:
    for field in ("name", "host", "purpose", "how"):
        check_text(getattr(command, field), field)
    granted, refused = checked(command.granted, "granted"), checked(command.refused, "refused")
    if granted and command.decision in ("refused", "revoked"):
        raise Refusal(Code.BAD_FIELD, f"what is {command.decision} grants nothing", "granted", "leave it out")
    if command.role == "owner" and command.decision != "allowed" and command.decision != "changed":
        raise Refusal(Code.BAD_FIELD, f"what is {command.decision} makes no owner's app", "role", "leave it out")
    purpose = command.purpose or None
    granted = [msgspec.structs.replace(one, purpose=one.purpose or purpose) for one in granted]
    return msgspec.structs.replace(command, granted=granted, refused=refused)


def _record(command: Consent, stamp: Stamp) -> ConsentDecision:
    ends = [one.expires for one in command.granted]
    return ConsentDecision(
        app=command.app,
        decision=command.decision,
        time=stamp.time_s,
        by=stamp.app,
        how=command.how,
        granted=command.granted,
        refused=command.refused,
        name=command.name,
        host=command.host,
        purpose=command.purpose,
        role=command.role,
        until=max(end for end in ends if end) if ends and all(ends) else None,
    )


_Outcome = tuple[int | None, list[Change]]
"""The app's registration, and what changes."""


def _allowed(model: Model, command: Consent, stamp: Stamp) -> _Outcome:
    """Register the app, if it is not there, and add to what it may do."""
    before = model.apps.get(command.app)
    app = before or App(description=command.name, registration=stamp.seq)
    if command.role == "owner":
        app = msgspec.structs.replace(app, role="owner")
    changes: list[Change] = [] if app == before else [put("app", (command.app,), app)]
    stay = settings_at(model, command.app, stamp.time_s)
    changes += _set(model, command, settings_of(command.granted, stay), stamp)
    if len({*stay, *settings_of(command.granted)}) > MAX_PLACES:
        message = f"{app_name(command.app)} would have settings at more than {MAX_PLACES} places"
        raise Refusal(Code.TOO_LARGE, message, "granted", "allow wider places, or change the whole grant")
    return app.registration, [*changes, *_announced(command.app, app, changes)]


def _changed(model: Model, command: Consent, stamp: Stamp) -> _Outcome:
    """Have what is granted be all that the app may do."""
    check_registered(model, command.app, "app")
    before = model.apps[command.app]
    app = msgspec.structs.replace(before, role=command.role)
    if command.role != "owner":
        check_not_last(model, command.app, "role")
    changes: list[Change] = [] if app == before else [put("app", (command.app,), app)]
    settings = settings_of(command.granted)
    items = {_item(command.app, place) for place in settings}
    changes += [each for each in without_settings(model, command.app) if (each.kind, each.path) not in items]
    changes += _set(model, command, settings, stamp)
    return app.registration, [*changes, *_announced(command.app, app, changes)]


def _refused(model: Model, command: Consent, _stamp: Stamp) -> _Outcome:
    app = model.apps.get(command.app)
    return None if app is None else app.registration, []


def _revoked(model: Model, command: Consent, stamp: Stamp) -> _Outcome:
    """Take all from an app. What lets it in ends with its registration."""
    check_registered(model, command.app, "app")
    check_not_last(model, command.app, "app")
    app = msgspec.structs.replace(model.apps[command.app], role="app", registration=stamp.seq)
    changes: list[Change] = [put("app", (command.app,), app)]
    changes += without_settings(model, command.app)
    changes += _suspended(model, command.app)
    return app.registration, [*changes, *_announced(command.app, app, changes)]


_DECIDED: Final[dict[str, Callable[[Model, Consent, Stamp], _Outcome]]] = {
    "allowed": _allowed,
    "changed": _changed,
    "refused": _refused,
    "revoked": _revoked,
}


def _set(model: Model, command: Consent, settings: GrantSettings, stamp: Stamp) -> list[Change]:
    """Set what is granted, each place anew."""
    changes: list[Change] = []
    check_ends(command.granted, stamp.time_s, "granted")
    for place, setting in settings.items():
        grantee = permissions.grantee_of(command.app, place.whose_rules)
        _check_setting(model, grantee, place, setting)
        kept = model.component_permissions if place.is_component else model.permissions
        if kept.get(grantee, {}).get(place.path) != setting:
            changes.append(put(*_item(command.app, place), setting))
    return changes


def _check_setting(model: Model, grantee: str, place: GrantPlace, setting: Permission) -> None:
    try:
        check_permission(model, grantee, setting, "", for_component=place.is_component)
    except Refusal as refusal:
        error = refusal.error
        part, bracket, rest = (error.field or "").partition("[")
        field = f"granted.{FIELD_OF_PART.get(part, part)}{bracket}{rest}"
        message = f"{error.message} (/{format_path(place.path)})"
        raise Refusal(error.code, message, field, error.hint) from refusal


def _item(app: str, place: GrantPlace) -> tuple[permissions.SettingKind, tuple[str, ...]]:
    grantee = permissions.grantee_of(app, place.whose_rules)
    return ("component_permission" if place.is_component else "permission"), (grantee, *place.path)


def _suspended(model: Model, app: str) -> list[Change]:
    changes: list[Change] = []
    for path, context in contexts_below((), model.root):
        for name in sorted(context.rules):
            for token, rule in context.rules[name].items():
                if rule.app == app and rule.suspended != "revoked":
                    revoked = msgspec.structs.replace(rule, suspended="revoked")
                    changes.append(put("rule", (*path, name, token), revoked))
                    if rule.cron is not None and rule.suspended is None:
                        changes.append(ScheduleDropped((*path, name), token))
    return changes


def _announced(app: str, item: App, changes: Sequence[Change]) -> list[Change]:
    """Have whoever let the app in look again at what it may do."""
    return [RegistrationChanged(app, item.registration, item.origins)] if changes else []

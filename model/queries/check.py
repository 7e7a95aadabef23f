"""May an app do something in a place, and which settings decide that? Asked by the owner, answered by the same settings
and in the same order as `model.permissions` has them; a law compares the two.
"""

from collections.abc import Generator, Iterator
from typing import Any, Final

import msgspec

from model.caches import Caches
from model.permissions import Asker, Grant, denied, grant_at, grant_of, grantee_of, is_expired, settings_at
from model.resolvers.registry import Resolvers
from model.sight import Sight
from model.state import Model
from schemas.granting import CheckedPart, CheckReply, CheckVerdict
from schemas.missing import right
from schemas.paths import Path, check_path, check_segment, check_token, format_path
from schemas.permissions import Permission, said
from schemas.queries import Check
from schemas.slices import Action

_NEEDED: Final[dict[Action, tuple[Action, ...]]] = {
    "rules": ("rules", "ask"),
    "notify": ("notify", "rules", "ask"),
}
"""What an action needs, if that is not itself alone: its own verb first."""

_OF_ASKS: Final = ("bind_resolver", "bind_view", "resolvers", "filters", "types", "past", "since")
"""The parts that say how an app may ask."""


class _Place(msgspec.Struct, frozen=True):
    path: Path
    name: str | None


def answer_check(
    model: Model, _caches: Caches, asker: Asker, query: Check, _resolvers: Resolvers
) -> Generator[Any, Any, CheckReply]:
    """Say whether an app may. Raises `permission_denied`, `bad_field`, `bad_path`."""
    yield from ()
    if not asker.is_owner:
        raise denied(asker.app, "check what apps may do")
    place = _checked(query)
    app = model.apps.get(query.app)
    reply = CheckReply(seq=model.seq, time=asker.now, allowed=False, reason="not_registered")
    reply.exists = _exists(model, place)
    reply.role = None if app is None else app.role
    if app is not None and app.role == "owner" and query.whose_rules is None:
        reply.allowed, reply.reason = True, "owner"
        return reply
    _judge(reply, model, Asker(grantee_of(query.app, query.whose_rules), model, asker.now), query, place)
    return reply


def _checked(query: Check) -> _Place:
    check_token(query.app, "app")
    if query.whose_rules is not None:
        check_token(query.whose_rules, "whose_rules")
    path = check_path(query.context, "context")
    return _Place(path, None if query.component is None else check_segment(query.component, "component"))


def _exists(model: Model, place: _Place) -> bool:
    context = model.context(place.path)
    return context is not None and (place.name is None or context.component(place.name) is not None)


def _judge(reply: CheckReply, model: Model, grantee: Asker, query: Check, place: _Place) -> None:
    """Say whether an app may that is no owner's, by which settings, and what it lacks."""
    needed = _NEEDED.get(query.action, (query.action,))
    grant = _grant(model, grantee, place)
    in_view = "ask" not in needed or _reaches(grantee, grant, place)
    if reply.role is not None:
        parts = [*needed, *(_OF_ASKS if "ask" in needed else ()), "purpose"]
        reply.parts = [_part(model, grantee, place, part) for part in parts]
    reply.needs = [verb for verb in needed if not getattr(grant, verb)]
    reply.allowed = not reply.needs and in_view
    if reply.role is not None:
        reply.reason = _reason(reply, query.action)
    if not reply.allowed:
        lacks: list[Action] = reply.needs or ["ask"]
        limits = {} if query.whose_rules is None else {"whose_rules": query.whose_rules}
        reply.missing = right(lacks, place.path, place.name, **limits)


def _grant(model: Model, grantee: Asker, place: _Place) -> Grant:
    if place.name is None:
        return grant_of(model, grantee.app, place.path, grantee.now)
    return grant_at(model, grantee.app, place.path, place.name, grantee.now)


def _reaches(grantee: Asker, grant: Grant, place: _Place) -> bool:
    """Tell whether a grant to ask holds there: it may be bound to a view."""
    sight = Sight(grantee)
    if place.name is None:
        return not grant.ask or sight.enters(grant, place.path)
    return not grant.ask or sight.reaches(grant, place.path, place.name)


def _reason(reply: CheckReply, action: Action) -> CheckVerdict:
    own = reply.parts[0]
    if reply.allowed:
        return "setting"
    if not reply.needs:
        return "outside_view"
    if action not in reply.needs:
        return "needs"
    if own.expired is not None:
        return "expired"
    return "not_said" if own.place is None else "forbidden"


def _part(model: Model, grantee: Asker, place: _Place, part: str) -> CheckedPart:
    """Say which setting decides a part: the nearest that says something of it and has not expired."""
    found = CheckedPart(part=part)
    for path, is_component, setting in _settings(model, grantee.app, place):
        value = said(setting, part)
        if value is None:
            continue
        at = "/" + format_path(path)
        if is_expired(setting, grantee.now):
            found.expired = found.expired or at
            continue
        found.value = value or (False if value is False else None)
        found.place, found.is_component, found.until = at, is_component, setting.expires
        found.said_as = "tell" if getattr(setting, part) is None else None
        return found
    return found


def _settings(model: Model, grantee: str, place: _Place) -> Iterator[tuple[Path, bool, Permission]]:
    """Give the settings that hold, nearest first."""
    own = model.component_permissions.get(grantee, {}).get((*place.path, place.name)) if place.name else None
    if own is not None and place.name is not None:
        yield (*place.path, place.name), True, own
    for path, setting in settings_at(model, grantee, place.path):
        yield path, False, setting

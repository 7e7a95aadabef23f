"""Who may do what, where. The owner's apps may do everything; another app may do what settings say.

A setting is about a grantee and a context with all below it, or one component. Each of its parts is looked up by itself
and the nearest wins: the component's, its context's, then that of each ancestor. What is said nowhere is not allowed
(the verbs, and `past`) or not restricted (the rest). A setting that has expired does not count.

A grantee is an app, or the rules that an app has in another person's model (`grantee_of`). These have settings of
their own and nothing from the app's: what a person lets an app do is not let to whoever else uses that app. Nor do an
owner app's rights reach from one model into another.

Answers may be remembered in `KnownGrants`, for contexts that exist and apps that are registered, so their number is
bounded by the model's size. Where a setting expires, nothing is remembered. `model.caches` says when they are dropped.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from model.state import Model
from schemas.app_names import app_name
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, EvidenceType
from schemas.paths import Path, format_path
from schemas.permissions import PERMISSION_PARTS, VERBS, Permission, said
from schemas.slices import Slice


class Grant(msgspec.Struct, frozen=True, gc=False):
    """What an app may do in one context or with one component."""

    ask: bool = False
    tell: bool = False
    make: bool = False
    delete: bool = False
    rules: bool = False
    notify: bool = False
    resolvers: frozenset[str] | None = None
    """None: all of them."""
    filters: frozenset[str] | None = None
    """None: all of them."""
    bind_resolver: str | None = None
    """The app gets this resolver's value and nothing else; None: unbound."""
    bind_view: tuple[Path, str] | None = None
    """The app sees only the components of this view of that context; None: unbound."""
    source: str = ""
    """Where `ask` comes from: `owner`, or a path with a `/` in front; empty: said nowhere."""
    unlimited: bool = True
    """Of `resolvers`, `filters`, the bindings, `types` and `since` none is set."""
    types: frozenset[EvidenceType] | None = None
    """None: all of them."""
    past: float = 0.0
    """Seconds."""
    since: float | None = None
    """Seconds since 1970; None: all evidence exists."""
    purpose: str | None = None


KnownGrants = dict[tuple[str, Path], Grant]
"""Remembered answers, by grantee and the path of a context."""

OWNER: Final = Grant(
    ask=True, tell=True, make=True, delete=True, rules=True, notify=True, past=math.inf, source="owner"
)
NOTHING: Final = Grant()


class Asker(msgspec.Struct, frozen=True, gc=False):
    """Who asks, and by which settings that is judged: those of the present, also when the ask is about the past."""

    app: str
    rights: Model
    now: float
    known: KnownGrants | None = None
    fired: bool = False
    """It is llum itself that asks, for a rule of the app, as of what has set off the rule."""

    @property
    def sees_all_of_the_past(self) -> bool:
        """Tell whether it may ask about any time, and see what has been deleted and withdrawn since."""
        return self.fired or self.is_owner

    def grant(self, path: Path) -> Grant:
        return grant_of(self.rights, self.app, path, self.now, self.known)

    def component_grant(self, path: Path, name: str, of_context: Grant) -> Grant:
        return component_grant(self.rights, self.app, path, name, of_context, self.now)

    def is_shown(self, path: Path, piece: Evidence) -> bool:
        """Tell whether a piece of evidence of the component at `path` exists for it."""
        return exists_for(self.component_grant(path[:-1], path[-1], self.grant(path[:-1])), piece)

    @property
    def is_owner(self) -> bool:
        return is_owner(self.rights, self.app)


def rights_somewhere(model: Model, app: str, now: float) -> list[str]:
    """Name the verbs that the app may use somewhere in the model, in their order. `now` is seconds since 1970."""
    if is_owner(model, app):
        return list(VERBS)
    settings = [*model.permissions.get(app, {}).values(), *model.component_permissions.get(app, {}).values()]
    valid = [one for one in settings if not is_expired(one, now)]
    return [verb for verb in VERBS if any(said(one, verb) for one in valid)]


def grant_of(model: Model, app: str, path: Path, now: float, known: KnownGrants | None = None) -> Grant:
    """Say what the app may do at the path, whether or not there is a context. `now` is seconds since 1970.

    `known` are the answers that are remembered; this one is added.
    """
    registered = model.apps.get(app)
    if registered is None:
        # Nothing is remembered of rules that nothing is set for: anyone could name any number of them.
        if app not in model.permissions or not _are_rules(app):
            return NOTHING
    elif registered.role == "owner":
        return OWNER
    if known is not None and (remembered := known.get((app, path))) is not None:
        return remembered
    settings = list(_settings(model.permissions.get(app, {}), path))
    grant = _combined(settings, now)
    if known is not None and _last(settings) and model.context(path) is not None:
        known[app, path] = grant
    return grant


def grant_at(model: Model, app: str, path: Path, name: str, now: float, known: KnownGrants | None = None) -> Grant:
    """Say what the app may do with one component, whether or not it and its context are there."""
    registered = model.apps.get(app)
    if registered is not None and registered.role == "owner":
        return OWNER
    of_context = grant_of(model, app, path, now, known)
    if app not in model.component_permissions:
        return of_context
    return component_grant(model, app, path, name, of_context, now)


def component_grant(model: Model, app: str, path: Path, name: str, of_context: Grant, now: float) -> Grant:
    """Say what the app may do with one component of the context at `path`, where it has `of_context`."""
    own = model.component_permissions.get(app)
    setting = own.get((*path, name)) if own else None
    if setting is None or of_context is OWNER or not (app in model.apps or _are_rules(app)):
        return of_context
    return _combined([((*path, name), setting), *_settings(model.permissions.get(app, {}), path)], now)


def grantee_of(app: str, whose_rules: str | None) -> str:
    """Give the grantee: the app itself, or the rules that it has in another person's model.

    No app's id holds an `@`. Settings for its rules are dropped with the app, so there are none for an app that is not
    registered.
    """
    return app if whose_rules is None else f"{app}{_IN}{whose_rules}"


def grantees_of(model: Model, app: str) -> list[str]:
    """List the app and its rules elsewhere, as far as there are settings for them."""
    known = {*model.permissions, *model.component_permissions}
    return sorted(each for each in known if each == app or each.startswith(f"{app}{_IN}"))


def parted_grantee(grantee: str) -> tuple[str, str | None]:
    """Give the app, and the person in whose model its rules are; None: it is the app itself."""
    app, _, person = grantee.partition(_IN)
    return app, person or None


def _are_rules(grantee: str) -> bool:
    return _IN in grantee


_IN: Final = "@"


def is_owner(model: Model, app: str) -> bool:
    registered = model.apps.get(app)
    return registered is not None and registered.role == "owner"


def exists_for(grant: Grant, piece: Evidence) -> bool:
    """Tell whether a piece of evidence exists for whoever has the grant."""
    return (grant.since is None or piece.creation_time >= grant.since) and (
        grant.types is None or piece.evidence_type in grant.types
    )


def is_expired(setting: Permission, now: float) -> bool:
    return setting.expires is not None and setting.expires <= now


def denied(app: str, action: str, field: str | None = None, missing: Slice | None = None) -> Refusal:
    """Make the refusal; it is the same whether or not there is something at the path.

    `missing` is what the owner would have to grant; None: it is for owner apps alone, whatever is granted.
    """
    name, person = parted_grantee(app)
    who = app_name(name) if person is None else f"a rule of {app_name(name)} in {person}'s model"
    if missing is not None and person is not None:
        missing = msgspec.structs.replace(missing, whose_rules=person)
    hint = "the model's owner can grant it"
    return Refusal(Code.PERMISSION_DENIED, f"{who} may not {action} here", field, hint, missing)


SettingKind = Literal["permission", "component_permission"]
"""How settings are stored: those of contexts, and those of components."""

PlacedPermission = tuple[Path, Permission]


def settings_at(model: Model, grantee: str, path: Path) -> Iterator[PlacedPermission]:
    """Give what is set for a grantee in a context and above, nearest first, what has expired included."""
    return _settings(model.permissions.get(grantee, {}), path)


def _settings(permissions: dict[Path, Permission], path: Path) -> Iterator[PlacedPermission]:
    """Give the settings that hold at a path, nearest first."""
    for depth in range(len(path), -1, -1):
        permission = permissions.get(path[:depth])
        if permission is not None:
            yield path[:depth], permission


def _last(settings: Iterable[PlacedPermission]) -> bool:
    return all(setting.expires is None for _, setting in settings)


def _combined(settings: Iterable[PlacedPermission], now: float) -> Grant:
    parts: dict[str, object] = {}
    source = ""
    viewed: Path = ()
    for path, setting in settings:
        if is_expired(setting, now):
            continue
        if setting.ask is not None and "ask" not in parts:
            source = "/" + format_path(path)
        if setting.bind_view is not None and "bind_view" not in parts:
            viewed = path
        for part in _PARTS:
            value = said(setting, part)
            if value is not None:
                parts.setdefault(part, value)
    return _grant(Permission(**parts), source, viewed)  # type: ignore[arg-type]


_PARTS: Final = tuple(part for part in PERMISSION_PARTS if part != "expires")


def _grant(effective: Permission, source: str, viewed: Path) -> Grant:
    resolvers = frozenset(effective.resolvers) if effective.resolvers else None
    filters = frozenset(effective.filters) if effective.filters else None
    bind_resolver = effective.bind_resolver or None
    bind_view = (viewed, effective.bind_view) if effective.bind_view else None
    return Grant(
        ask=bool(effective.ask),
        tell=bool(effective.tell),
        make=bool(effective.make),
        delete=bool(effective.delete),
        rules=bool(effective.rules),
        notify=bool(effective.notify),
        resolvers=resolvers,
        filters=filters,
        bind_resolver=bind_resolver,
        bind_view=bind_view,
        source=source,
        unlimited=not (resolvers or filters or bind_resolver or bind_view or effective.types or effective.since),
        types=frozenset(effective.types) if effective.types else None,
        past=effective.past or 0.0,
        since=effective.since or None,
        purpose=effective.purpose or None,
    )

"""All that is set for an app in a part of a model."""

import msgspec

from model.permissions import grantees_of, parted_grantee
from model.state import Model
from schemas.paths import Path
from schemas.permissions import Permission
from schemas.replies import ArchivedPermission


def settings_of(model: Model, app: str, base: Path) -> list[ArchivedPermission]:
    """List settings; those about what has been deleted are left out, since they could not be made elsewhere."""
    return [one for grantee in grantees_of(model, app) for one in _settings_of(model, grantee, base)]


def _settings_of(model: Model, grantee: str, base: Path) -> list[ArchivedPermission]:
    of_contexts = sorted(model.permissions.get(grantee, {}).items())
    of_components = sorted(model.component_permissions.get(grantee, {}).items())
    places = [(path, None, one) for path, one in of_contexts] + [
        (path[:-1], path[-1], one) for path, one in of_components
    ]
    _, person = parted_grantee(grantee)
    return [
        _setting(path, name, person, one)
        for path, name, one in places
        if path[: len(base)] == base
        and (context := model.context(path)) is not None
        and (name is None or context.component(name) is not None)
    ]


def _setting(path: Path, component: str | None, person: str | None, setting: Permission) -> ArchivedPermission:
    return ArchivedPermission(
        context=list(path), component=component, whose_rules=person, **msgspec.structs.asdict(setting)
    )

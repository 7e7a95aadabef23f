"""What the original's clients may write in more than one way, and the one way that llum knows."""

from typing import Any, Final

import msgspec

from schemas.decoding import convert
from schemas.permissions import AS_TELL, Permission

Segments = list[str]

GoalsSpelling = str | list[Segments] | None
TextsSpelling = str | list[str] | None

_NUMBERS: Final = (int, float)


def from_root(path: Segments) -> Segments:
    """Give a path without its empty segments: the original writes the root as `["", ""]`, paths as `["", "T", ""]`."""
    return [segment for segment in path if segment]


def texts_of(spelling: TextsSpelling) -> list[str]:
    """Read a list of texts; one text stands for a list of it."""
    return [spelling] if isinstance(spelling, str) else spelling or []


def goals_of(spelling: GoalsSpelling) -> list[Segments]:
    """Read the paths of the components that one serves; one text `a/b` stands for a list of one path."""
    paths = [spelling.split("/")] if isinstance(spelling, str) else spelling or []
    return [from_root(path) for path in paths]


def told_members(members: dict[str, Any]) -> dict[str, Any]:
    """Read the members of evidence: `flags` may be one text, a `comment` a number. Null is taken as absent."""
    told = {name: member for name, member in members.items() if member is not None}
    if isinstance(told.get("flags"), str):
        told["flags"] = [told["flags"]]
    if isinstance(told.get("comment"), _NUMBERS):
        told["comment"] = msgspec.json.encode(told["comment"]).decode()
    return told


def permissions_of(perms: Any, field: str) -> dict[str, Permission]:
    """Read what a context sets for apps: `{app: {…}}`. Anything else is passed over, as the original did.

    Its own apps send the permission itself, without an app. Raises `bad_field`.
    """
    entries = perms.items() if isinstance(perms, dict) else ()
    read = {app: convert(one, Permission, f"{field}.{app[:64]}") for app, one in entries if isinstance(one, dict)}
    return {app: as_once_meant(setting) for app, setting in read.items()}


def as_once_meant(setting: Permission) -> Permission:
    """Write out what `tell` meant in old calls: to make, to delete and to have rules, too."""
    silent = {verb: setting.tell for verb in AS_TELL if getattr(setting, verb) is None}
    return msgspec.structs.replace(setting, **silent)

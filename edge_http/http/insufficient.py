"""The challenge of a 403: which right a token's app would need (RFC 6750)."""

from typing import Final

from schemas.errors import Error
from schemas.paths import format_path, split_path
from schemas.scopes import format_scope
from schemas.slices import Slice

MAX_SCOPE_CHARACTERS: Final = 2000
"""A longer scope is left out of the header, which clients bound. The body has the slice in any case."""


def insufficient_scope(error: Error, metadata_url: str) -> str:
    """Give the challenge. Without a scope: nothing that could be granted to an app would help."""
    scope = "" if error.missing is None else scope_of(error.missing)
    named = f', scope="{scope}"' if 0 < len(scope) <= MAX_SCOPE_CHARACTERS else ""
    return f'Bearer error="insufficient_scope"{named}, resource_metadata="{metadata_url}"'


def scope_of(missing: Slice) -> str:
    """Give the scope that has what is missing. A scope names contexts: of a component it is the one around it."""
    around = [format_path(split_path(path)[:-1]) for path in missing.components]
    paths = list(dict.fromkeys([*missing.paths, *around]))
    return format_scope([Slice(paths=paths, actions=missing.actions)])

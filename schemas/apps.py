"""Apps: the ids of those that llum itself uses, and the origins of those that are web pages.

Ids with a `_` in front can be registered by nobody, and no token names them.
"""

import re
from collections.abc import Sequence
from typing import Final

from schemas.errors import Code, Refusal
from schemas.paths import check_token

OWNER_APP: Final = "llum"
"""The command line's own app: the owner app of every model, unless who makes the model names another one."""

ADMIN_APP: Final = "_admin"
"""Makes models for the operator."""

SIGN_IN_APP: Final = "_sign_in"
"""Makes a model when a person signs in for the first time."""

PREFERENCES_APP: Final = "_preferences"
"""Makes a model when preferences of a new person are stored."""

RULES_APP: Final = "_rules"
"""Notes in a model what its rules bring about elsewhere, and withdraws what followed from withdrawn evidence."""

CRON_APP: Final = "_cron"
"""Fires rules whose time has come."""

APPS_OF_RULES: Final = frozenset({RULES_APP, CRON_APP})
"""They tell for a person's rules, as long as there are any."""

RESTATING_APP: Final = "_restate"
"""Writes into the log anew what is left of a person of whom a part was forgotten."""

MAX_ORIGINS: Final = 16
"""Origins of one app."""

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]{0,31}://(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
"""An origin as browsers send it (RFC 6454): scheme, host and port, in small letters, without a path."""

MAKERS_OF_MODELS: Final = frozenset({ADMIN_APP, SIGN_IN_APP, PREFERENCES_APP})


def check_app(name: str, field: str) -> str:
    """Return the id of an app that may be registered, or raise `bad_field`."""
    if is_llums_own(name):
        raise Refusal(Code.BAD_FIELD, "ids with a _ in front are llum's own", field)
    return check_token(name, field)


def is_llums_own(name: str) -> bool:
    """Tell whether an id is kept for llum itself."""
    return name.startswith("_")


def check_origins(origins: Sequence[str], field: str) -> tuple[str, ...]:
    """Return the origins of an app's web pages, sorted, or raise `bad_field`."""
    if len(origins) > MAX_ORIGINS:
        raise Refusal(Code.TOO_LARGE, f"an app has {len(origins)} origins, at most {MAX_ORIGINS}", field)
    for index, origin in enumerate(origins):
        if _ORIGIN.fullmatch(origin) is None:
            hint = "write scheme, host and port as browsers do, without a path: https://log.example"
            raise Refusal(Code.BAD_FIELD, f"{origin[:80]!r} is not an origin", f"{field}[{index}]", hint)
    return tuple(sorted(set(origins)))

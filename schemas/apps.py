"""Ids of apps that llum itself uses. Those with a `_` in front can be registered by nobody, and no token names them."""

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

MAKERS_OF_MODELS: Final = frozenset({ADMIN_APP, SIGN_IN_APP, PREFERENCES_APP})


def check_app(name: str, field: str) -> str:
    """Return the id of an app that may be registered, or raise `bad_field`."""
    if is_llums_own(name):
        raise Refusal(Code.BAD_FIELD, "ids with a _ in front are llum's own", field)
    return check_token(name, field)


def is_llums_own(name: str) -> bool:
    """Tell whether an id is kept for llum itself."""
    return name.startswith("_")

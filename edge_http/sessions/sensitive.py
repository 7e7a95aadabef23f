"""What somebody known by a cookie may do only if they have proven within five minutes who they are (RFC 9470).

A session lasts for a month, and a browser may be left open. So what cannot be undone, takes a model away, or lets
others in asks once more. Bearer tokens and passwords of apps are judged as ever: they are no sessions, and what they
may do the model says.
"""

import enum
import time
from typing import Final

from aiohttp import web

from edge_http.sessions.current import not_fresh
from identity.principal import Principal
from identity.sessions.session import FRESH_S


class Sensitive(enum.StrEnum):
    """Why something asks for a fresh sign-in."""

    ERASE = "erases for good"
    EXPORT = "takes the model away"
    IMPORT = "puts another model in its place"
    WAY_IN = "changes by what one signs in"
    ADMINISTRATOR = "gives rights over others"
    CLIENT = "lets programs of others ask people for their models"
    KEY = "lets whoever has a key reach a part of the model"
    APP_PASSWORD = "lets an app in by a password"  # noqa: S105 - says why


SENSITIVE_OPERATIONS: Final = {
    "forgetpart": Sensitive.ERASE,
    "export_model": Sensitive.EXPORT,
    "import_model": Sensitive.IMPORT,
    "registerapp": Sensitive.APP_PASSWORD,
}
"""Operations of the Personis face."""

SENSITIVE_FORMS: Final = {
    "/account/delete": Sensitive.ERASE,
    "/account/passkeys/add": Sensitive.WAY_IN,
    "/account/passkeys/rename": Sensitive.WAY_IN,
    "/account/passkeys/remove": Sensitive.WAY_IN,
    "/account/password": Sensitive.WAY_IN,
    "/account/password/remove": Sensitive.WAY_IN,
    "/account/recovery-codes": Sensitive.WAY_IN,
    "/identities/link": Sensitive.WAY_IN,
    "/identities/unlink": Sensitive.WAY_IN,
    "/admin/make-administrator": Sensitive.ADMINISTRATOR,
    "/admin/invite": Sensitive.ADMINISTRATOR,
    "/list_clients/add": Sensitive.CLIENT,
    "/list_clients/change": Sensitive.CLIENT,
    "/list_clients/secret": Sensitive.CLIENT,
    "/list_clients/icon": Sensitive.CLIENT,
    "/list_clients/delete": Sensitive.CLIENT,
    "/list_clients_put": Sensitive.CLIENT,
    "/list_clients_save": Sensitive.CLIENT,
    "/my-preferences/join": Sensitive.KEY,
}
"""Forms of pages. Each calls `require_fresh` where it is answered; a test holds this list and the pages together."""


def check_fresh(request: web.Request, op: str, principal: Principal) -> None:
    """Raise `not_fresh` if the session that makes a call has to be renewed first."""
    if principal.how == "session" and op in SENSITIVE_OPERATIONS and time.time() - principal.authenticated >= FRESH_S:
        raise not_fresh(request)

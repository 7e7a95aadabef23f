"""The pages of accounts, added to the application."""

from typing import TYPE_CHECKING, Final

from aiohttp import web

from edge_http.accounts import administering, changing, entering, own_account, signing_up
from edge_http.accounts.reception import RECEPTION, Reception

if TYPE_CHECKING:
    from edge_http.http.observe import HttpHandler

_SHOWN: Final[dict[str, "HttpHandler"]] = {
    "/sign-up": signing_up.show_sign_up,
    "/sign-in": entering.show_sign_in,
    "/sign-in/recovery-code": entering.show_recovery_code,
    "/sign-in/by-link": entering.show_link,
    "/account": own_account.show_account,
    "/account/welcome": own_account.show_welcome,
    "/account/new-way": own_account.show_new_way,
    "/admin": administering.show_admin,
}

_POSTED: Final[dict[str, "HttpHandler"]] = {
    "/sign-up": signing_up.sign_up,
    "/sign-in": entering.sign_in,
    "/sign-in/recovery-code": entering.use_recovery_code,
    "/sign-in/by-link": entering.use_link,
    "/account/name": changing.changing(changing.change_name, fresh=False),
    "/account/passkeys/add": changing.changing(changing.add_passkey),
    "/account/passkeys/rename": changing.changing(changing.rename_passkey),
    "/account/passkeys/remove": changing.changing(changing.remove_passkey),
    "/account/password": changing.changing(changing.set_password),
    "/account/password/remove": changing.changing(changing.remove_password),
    "/account/recovery-codes": changing.changing(changing.make_recovery_codes),
    "/account/delete": changing.changing(changing.delete_account),
    "/admin/make-administrator": administering.make_administrator,
    "/admin/invite": administering.invite,
}


def add_accounts(app: web.Application, reception: Reception) -> None:
    """Add the pages."""
    app[RECEPTION] = reception
    for path, handler in _SHOWN.items():
        app.router.add_get(path, handler)
    for path, handler in _POSTED.items():
        app.router.add_post(path, handler)

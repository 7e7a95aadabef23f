"""`/account`: what a person sees of their own account, and the pages that follow on signing up and coming back."""

from typing import Any, Final

from aiohttp import web

from edge_http.accounts.mistakes import Mistakes, shown_again
from edge_http.accounts.people import PERSONAL, personal_of
from edge_http.accounts.reception import reception_of
from edge_http.http.observe import TRACE
from edge_http.keys import BUS
from edge_http.sessions.current import require_session, see_other
from edge_http.sessions.local_paths import local_path
from edge_http.sessions.own_model import zone_of
from edge_http.web.pages import page
from identity.accounts.account import Account
from identity.accounts.ceremonies import PasskeyOwner
from identity.accounts.events import events_of, in_words
from identity.sessions.session import Session
from schemas.asked import ADMIN
from schemas.errors import Code, LlumError, Refusal

ACCOUNT: Final = "/account"

DONE: Final = {
    "name": "Your name is changed.",
    "passkey": "The passkey is added. You can sign in with it from now on.",
    "renamed": "The passkey has its new name.",
    "removed": "The passkey is removed, and all other sessions are ended.",
    "password": "The password is set, and all other sessions are ended.",
    "no-password": "The password is removed, and all other sessions are ended.",
}
"""What is said after a change, by what the address says."""


async def show_account(request: web.Request) -> web.Response:
    """Show name, passkeys, password, recovery codes and events."""
    session = await require_session(request)
    if session.temporary:
        return see_other("/sign-up")
    return page(request, "account.html", errors=Mistakes(), **await account_values(request, session))


async def show_welcome(request: web.Request) -> web.Response:
    """Greet whoever has just signed up."""
    account = await own_account(request, await require_session(request))
    then = local_path(request.query.get("then"))
    return page(request, "account_welcome.html", account=account, then=then)


async def show_new_way(request: web.Request) -> web.Response:
    """Have somebody who has come back choose how to sign in from now on."""
    session = await require_session(request)
    then = local_path(request.query.get("then"))
    return page(request, "account_new_way.html", errors=Mistakes(), then=then, **await account_values(request, session))


async def own_account(request: web.Request, session: Session) -> Account:
    """Give the account of a session. Raises `permission_denied` for whoever has none, as a temporary user."""
    account = await reception_of(request).accounts.find(session.user)
    if account is None:
        raise Refusal(Code.PERMISSION_DENIED, f"{session.user} has no account", None, "sign up first")
    return account


async def account_again(request: web.Request, session: Session, error: LlumError, **typed: Any) -> web.Response:
    """Show the account's page again, with what was wrong."""
    return shown_again(request, error, "account.html", **await account_values(request, session, **typed))


async def account_values(request: web.Request, session: Session, **typed: Any) -> dict[str, Any]:
    """Give what the page of an account shows. `typed` stands in place of what is known of the person."""
    reception = reception_of(request)
    account = await own_account(request, session)
    events = await events_of(request[TRACE].edge[BUS], account.user)
    has_passkeys = reception.passkeys.site.has_passkeys
    return {
        "account": account,
        "zone": await zone_of(request, account.user),
        "personal": dict.fromkeys(PERSONAL, "") | await personal_of(request, account.user) | typed,
        "options": await reception.passkeys.creation_options(person_of(account, session), account.passkeys)
        if has_passkeys
        else "",
        "events": [(one.last, in_words(one.verb), _who(one.by), one.place or "") for one in events],
        "done": DONE.get(request.query.get("done", ""), ""),
        "may_forget": reception.forget is not None,
    }


def person_of(account: Account, session: Session) -> PasskeyOwner:
    """Give what an authenticator is told of a person."""
    return PasskeyOwner(account.user, account.handle, str(session.details.get("fullname") or account.user))


def _who(by: str | None) -> str:
    if by is None:
        return "you"
    return f"administrator {by.removeprefix(ADMIN)}" if by.startswith(ADMIN) else f"the {by} of this llum"

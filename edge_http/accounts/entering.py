"""`/sign-in`, and the other ways back into an account: a recovery code, a one-time link."""

from typing import Any, Final

from aiohttp import web

from edge_http.accounts.localhost import to_public_name
from edge_http.accounts.mistakes import Mistakes, shown_again, wrong_credentials
from edge_http.accounts.people import details_of, personal_of
from edge_http.accounts.reception import reception_of, source_of
from edge_http.sessions.current import current_session
from edge_http.sessions.elsewhere import starts
from edge_http.sessions.forms import Form, posted_form
from edge_http.sessions.local_paths import HOME, local_path, path_with
from edge_http.sessions.signing_in import after_authentication
from edge_http.web.pages import page
from identity.accounts.account import Account
from identity.accounts.links import Link
from identity.sessions.store import shown_id
from schemas.errors import Code, LlumError, Refusal

NEW_WAY: Final = "/account/new-way"
RECOVERY_CODE: Final = "/sign-in/recovery-code"

_SIGN_IN, _CODE, _LINK = "sign_in.html", "recovery_code.html", "come_back.html"

_EVENTS: Final = {
    "passkey": "signed_in_with_passkey",
    "password": "signed_in_with_password",
    "recovery": "signed_in_with_recovery_code",
    "link": "signed_in_with_link",
}

_MAX_TYPED_CHARACTERS: Final = 200


async def show_sign_in(request: web.Request) -> web.Response:
    """Show the ways in; to whoever is signed in, how they prove once more that it is they."""
    elsewhere = to_public_name(request)
    if elsewhere is not None:
        return elsewhere
    then = local_path(request.query.get("then"))
    return page(request, _SIGN_IN, errors=Mistakes(), **await _values(request, then))


async def sign_in(request: web.Request) -> web.Response:
    """Take a passkey or a password."""
    form = await posted_form(request)
    then = local_path(form.get("then"))
    try:
        account, how = await _proven(request, form)
    except LlumError as error:
        typed = form.get("user")[:_MAX_TYPED_CHARACTERS]
        return shown_again(request, error, _SIGN_IN, **await _values(request, then, typed))
    return await _let_in(request, account, how, then)


async def show_recovery_code(request: web.Request) -> web.Response:
    """Ask for a name and a code."""
    await current_session(request)
    user, then = request.query.get("user", "")[:_MAX_TYPED_CHARACTERS], local_path(request.query.get("then"))
    return page(request, _CODE, errors=Mistakes(), user=user, then=then)


async def use_recovery_code(request: web.Request) -> web.Response:
    """Let somebody in by a code, and have them choose a new way to sign in."""
    form = await posted_form(request)
    user, then = _user_in(form), local_path(form.get("then"))
    try:
        device = await _device(request, user)
        account = await reception_of(request).recovery.use(user, form.get("code"), source_of(request), device)
        if account is None:
            raise wrong_credentials(request, "The name or the code is wrong, or the code has been used")
    except LlumError as error:
        return shown_again(request, error, _CODE, user=user[:_MAX_TYPED_CHARACTERS], then=then)
    return await _let_in(request, account, "recovery", path_with(NEW_WAY, then))


async def show_link(request: web.Request) -> web.Response:
    """Show to whose account a link leads; it is used by a button, so that what looks at links does not use it up."""
    elsewhere = to_public_name(request)
    if elsewhere is not None:
        return elsewhere
    await current_session(request)
    token = request.query.get("link", "")
    try:
        link = await _link(request, token)
    except LlumError as error:
        return shown_again(request, error, _LINK, user="", token="")
    return page(request, _LINK, errors=Mistakes(), user=link.user, token=token)


async def use_link(request: web.Request) -> web.Response:
    """Let somebody in by a link, and have them choose a new way to sign in."""
    form = await posted_form(request)
    reception = reception_of(request)
    try:
        link = await _link(request, form.get("link"))
        account = await reception.accounts.find(link.user or "")
        if account is None or not await reception.links.take(link):
            raise _no_link()
    except LlumError as error:
        return shown_again(request, error, _LINK, user="", token="")
    return await _let_in(request, account, "link", NEW_WAY)


async def _proven(request: web.Request, form: Form) -> tuple[Account, str]:
    """Give whose passkey or password this is. Raises `bad_field`, `not_authenticated`, `rate_limited`."""
    reception, source = reception_of(request), source_of(request)
    if form.get("way") == "passkey":
        current = await current_session(request)
        # Of nobody else is it said whether there is an account.
        is_theirs = current is not None and current.session.user == form.get("whose")
        wanted = await reception.accounts.find(form.get("whose")) if is_theirs else None
        return await reception.passkeys.prove(form.get("credential"), source, wanted), "passkey"
    user = _user_in(form)
    account = await reception.passwords.verify(user, form.get("password"), source, await _device(request, user))
    if account is None:
        raise wrong_credentials(request, "The name or the password is wrong")
    return account, "password"


async def _let_in(request: web.Request, account: Account, how: str, then: str) -> web.Response:
    await reception_of(request).note(request, account.user, _EVENTS[how])
    details = details_of(account.user, await personal_of(request, account.user))
    return await after_authentication(request, account.user, how, then, details)


async def _device(request: web.Request, user: str) -> str:
    """Name this browser if it is in the account now: strangers' guesses do not count against it."""
    current = await current_session(request)
    if current is None or current.session.temporary or current.session.user != user:
        return ""
    return shown_id(current.sid)


async def _values(request: web.Request, then: str, typed: str = "") -> dict[str, Any]:
    """Give what the page of signing in shows."""
    reception, current = reception_of(request), await current_session(request)
    known = current.session.user if current is not None and not current.session.temporary else ""
    account = await reception.accounts.find(known) if known else None
    passkeys = reception.passkeys
    offered = passkeys.site.has_passkeys and (account is None or bool(account.passkeys))
    return {
        "then": then,
        "is_home": then == HOME,
        "known": account.user if account is not None else "",
        "has_password": account is None or bool(account.password),
        "user": typed or known,
        "options": await passkeys.request_options(account) if offered else "",
        "issuers": starts(request, then) if account is None or account.has_kind("oidc") else [],
        "sign_up": path_with("/sign-up", then),
        "recovery_code": path_with(RECOVERY_CODE, then),
        "may_sign_up": reception.sign_up == "open",
    }


async def _link(request: web.Request, token: str) -> Link:
    """Find a link to come back by. Raises `permission_denied`."""
    link = await reception_of(request).links.find(token)
    if link is None or link.purpose != "recover":
        raise _no_link()
    return link


def _no_link() -> Refusal:
    message = "This link has been used, or its time is over."
    return Refusal(Code.PERMISSION_DENIED, message, None, "Ask whoever runs this llum for another one.")


def _user_in(form: Form) -> str:
    return form.get("user").strip().lower()

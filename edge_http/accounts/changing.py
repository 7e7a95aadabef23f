"""`/account/…`: what a person changes of their own account. All but the name needs a fresh sign-in."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from bus.as_app import new_id
from edge_http.accounts.own_account import (
    ACCOUNT,
    account_again,
    account_values,
    own_account,
    person_of,
)
from edge_http.accounts.people import MAX_CHARACTERS, PERSONAL
from edge_http.accounts.reception import reception_of
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import current_session, require_fresh, require_session, see_other
from edge_http.sessions.ending import end_session
from edge_http.sessions.forms import Form, posted_form
from edge_http.sessions.local_paths import local_path
from edge_http.sessions.own_model import own_model
from edge_http.sessions.places import browser_in_words
from edge_http.web.pages import page
from identity.accounts.account import Account
from identity.accounts.passkeys import check_passkey_name, renamed
from identity.accounts.recovery import new_codes, with_codes
from identity.sessions.session import Session
from schemas.commands import Tell
from schemas.errors import Code, LlumError, Refusal
from schemas.evidence import NewEvidence
from schemas.names import check_seen

AccountWork = Callable[[web.Request, Session, Form], Awaitable[web.Response]]
"""Does what a form wants. What it raises is shown on the account's page."""

_CONFIRMED: Final = "confirm"


def changing(work: AccountWork, *, fresh: bool = True) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make the handler of a form about one's own account."""

    async def handle(request: web.Request) -> web.Response:
        form = await posted_form(request)
        session = await (require_fresh(request) if fresh else require_session(request))
        await own_account(request, session)
        try:
            return await work(request, session, form)
        except LlumError as error:
            typed = {name: form.get(name)[:MAX_CHARACTERS] for name in PERSONAL if name in form}
            return await account_again(request, session, error, **typed)

    return handle


async def change_name(request: web.Request, session: Session, form: Form) -> web.Response:
    """Tell the model what the person says of themself, where it is new."""
    model = own_model(request, session.user)
    values = await account_values(request, session)
    for name in PERSONAL:
        value = form.get(name).strip()
        if len(value) > MAX_CHARACTERS:
            raise Refusal(Code.BAD_FIELD, f"This has at most {MAX_CHARACTERS} characters.", name)
        check_seen(value, Code.BAD_FIELD, name)
        if value != values["personal"].get(name, ""):
            told = Tell(id=new_id(), context=["Personal"], component=name, evidence=NewEvidence(value=value))
            await model.send(told)
    return _done("name")


async def add_passkey(request: web.Request, session: Session, form: Form) -> web.Response:
    """Add a passkey, under the name that was typed or that of the browser."""
    reception, account = reception_of(request), await own_account(request, session)
    name = form.get("name").strip() or browser_in_words(request.headers.get("User-Agent", ""))
    made = await reception.passkeys.made(person_of(account, session), form.get("credential"), name)
    await reception.passkeys.add(account, made)
    await reception.note(request, account.user, "added_passkey")
    return _on_from(form, "passkey")


async def rename_passkey(request: web.Request, session: Session, form: Form) -> web.Response:
    """Give a passkey another name."""
    name = check_passkey_name(form.get("name"))
    await reception_of(request).accounts.change(session.user, lambda one: renamed(one, form.get("passkey"), name))
    return _done("renamed")


async def remove_passkey(request: web.Request, session: Session, form: Form) -> web.Response:
    """Remove a passkey, and end all other sessions: whoever has the lost device may be signed in on it."""
    reception = reception_of(request)
    await reception.passkeys.remove(session.user, form.get("passkey"), _with_a_way)
    await _end_others(request, session)
    await reception.note(request, session.user, "removed_passkey")
    return _done("removed")


async def set_password(request: web.Request, session: Session, form: Form) -> web.Response:
    """Set or change the password, and end all other sessions."""
    reception = reception_of(request)
    words = [session.user, *(str(one) for one in session.details.values())]
    hashed = await reception.passwords.hashed(form.get("password"), words)
    await reception.accounts.change(session.user, lambda one: _with_password(one, hashed))
    await _end_others(request, session)
    await reception.note(request, session.user, "set_password")
    return _on_from(form, "password")


async def remove_password(request: web.Request, session: Session, _form: Form) -> web.Response:
    """Remove the password, and end all other sessions."""
    reception = reception_of(request)
    await reception.accounts.change(session.user, _without_password)
    await _end_others(request, session)
    await reception.note(request, session.user, "removed_password")
    return _done("no-password")


async def make_recovery_codes(request: web.Request, session: Session, form: Form) -> web.Response:
    """Make new codes, and show them this once."""
    reception, codes = reception_of(request), new_codes()
    await reception.accounts.change(session.user, lambda one: with_codes(one, codes, time.time()))
    await reception.note(request, session.user, "made_recovery_codes")
    then = local_path(form.get("then")) if "then" in form else ACCOUNT
    return page(request, "recovery_codes.html", codes=codes, then=then)


async def delete_account(request: web.Request, session: Session, form: Form) -> web.Response:
    """Erase the account, the model and all else of the person, and show the receipt."""
    forget = reception_of(request).forget
    if forget is None:
        raise Refusal(Code.UNAVAILABLE, "this address of llum cannot erase accounts", _CONFIRMED, "ask whoever runs it")
    if form.get(_CONFIRMED).strip().lower() != session.user:
        raise Refusal(Code.BAD_FIELD, "Type your name here to confirm.", _CONFIRMED)
    trace = request[TRACE]
    # No line of the log may name them once they are forgotten.
    trace.user = None
    receipt = await forget(session.user)
    await end_session(request)
    return page(request, "account_deleted.html", receipt=receipt)


async def _end_others(request: web.Request, session: Session) -> None:
    current = await current_session(request)
    sessions = request[TRACE].edge[AUTHENTICATOR].sessions
    await sessions.end_all(session.user, current.sid if current is not None else None)


def _with_password(account: Account, hashed: str) -> Account:
    return msgspec.structs.replace(account, password=hashed, password_set=time.time())


def _without_password(account: Account) -> Account:
    return _with_a_way(msgspec.structs.replace(account, password="", password_set=None))


def _with_a_way(account: Account) -> Account:
    """Give an account by which one can sign in again. Raises `bad_field`."""
    if account.ways == 0:
        raise Refusal(Code.BAD_FIELD, "This is your only way to sign in.", "way", "Add another one first.")
    return account


def _on_from(form: Form, what: str) -> web.Response:
    """Lead whoever has come back to sign in to the page that they wanted."""
    return see_other(local_path(form.get("then"))) if "then" in form else _done(what)


def _done(what: str) -> web.Response:
    return see_other(f"{ACCOUNT}?done={what}")

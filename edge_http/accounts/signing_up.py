"""`/sign-up`: first a name, then a way to sign in. Nothing is kept before both are there."""

import secrets
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import web

from edge_http.accounts.localhost import to_public_name
from edge_http.accounts.mistakes import Mistakes, shown_again
from edge_http.accounts.people import MAX_CHARACTERS, PERSONAL, details_of
from edge_http.accounts.reception import Reception, reception_of, source_of
from edge_http.sessions.current import current_session, sign_in_path
from edge_http.sessions.elsewhere import starts
from edge_http.sessions.forms import Form, posted_form
from edge_http.sessions.local_paths import HOME, local_path, path_with
from edge_http.sessions.places import browser_in_words
from edge_http.sessions.signing_in import after_authentication
from edge_http.web.pages import page
from identity.accounts.account import Account
from identity.accounts.ceremonies import PasskeyOwner
from identity.accounts.joining import Admission
from identity.accounts.passkeys import identifier_of, with_passkey
from identity.accounts.store import HANDLE_BYTES
from schemas.errors import Code, LlumError, Refusal
from schemas.names import check_seen

WELCOME: Final = "/account/welcome"

_NAME, _WAY, _CLOSED = "sign_up.html", "sign_up_way.html", "sign_up_closed.html"


class Typed(NamedTuple):
    """What somebody has typed who signs up, but for secrets."""

    user: str = ""
    firstname: str = ""
    lastname: str = ""
    email: str = ""
    link: str = ""
    then: str = HOME
    """Where they wanted to go, a path of ours."""

    @property
    def profile(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in PERSONAL}

    @property
    def shown(self) -> str:
        return f"{self.firstname} {self.lastname}".strip() or self.user


async def show_sign_up(request: web.Request) -> web.Response:
    """Ask for a name, or say why nobody may sign up."""
    elsewhere = to_public_name(request)
    if elsewhere is not None:
        return elsewhere
    await current_session(request)
    token = request.query.get("link", "")
    try:
        admission = await reception_of(request).joining.admission(token)
    except Refusal as refusal:
        return shown_again(request, refusal, _CLOSED)
    typed = Typed(user=admission.user or "", link=token, then=local_path(request.query.get("then")))
    return page(request, _NAME, typed=typed, errors=Mistakes(), **_named(request, admission, typed))


async def sign_up(request: web.Request) -> web.Response:
    """Take a name; with a way to sign in, make the account."""
    form = await posted_form(request)
    reception, typed = reception_of(request), _typed(form)
    try:
        admission = await reception.joining.admission(typed.link)
    except Refusal as refusal:
        return shown_again(request, refusal, _CLOSED)
    if admission.user is not None:
        typed = typed._replace(user=admission.user)
    way = form.get("way")
    shown: dict[str, Any] = {"typed": typed, **_named(request, admission, typed)}
    try:
        _check_profile(typed)
        if not way:
            if admission.user is None:
                await reception.accounts.check_free(typed.user)
            return page(request, _WAY, errors=Mistakes(), **shown, **await _ways(reception, typed))
    except LlumError as error:
        return shown_again(request, error, _NAME, **shown)
    try:
        reception.sign_ups.take(source_of(request))
        account = await _register(request, form, typed, admission)
    except LlumError as error:
        is_about_name = error.error.field in Typed._fields
        ways = {} if is_about_name else await _ways(reception, typed)
        return shown_again(request, error, _NAME if is_about_name else _WAY, **shown, **ways)
    await reception.note(request, account.user, "signed_up")
    details = details_of(account.user, {name: one for name, one in typed.profile.items() if one})
    return await after_authentication(request, account.user, way, _welcome(typed.then), details)


def _named(request: web.Request, admission: Admission, typed: Typed) -> dict[str, Any]:
    """Give what the first page shows: as what somebody signs up, and where else they may."""
    return {
        "admission": admission,
        "issuers": starts(request, _welcome(typed.then), typed.link),
        "sign_in": sign_in_path(typed.then),
    }


def _welcome(then: str) -> str:
    """Give the page that welcomes them, from which they go where they wanted."""
    return path_with(WELCOME, then)


async def _register(request: web.Request, form: Form, typed: Typed, admission: Admission) -> Account:
    """Make the account with the way to sign in that was chosen."""
    reception = reception_of(request)
    if form.get("way") == "password":
        hashed = await reception.passwords.hashed(form.get("password"), [typed.user, *typed.profile.values()])
        return await reception.joining.register(
            admission, typed.user, (), typed.profile, change=lambda one: _with_password(one, hashed)
        )
    handle = form.get("handle")
    name = browser_in_words(request.headers.get("User-Agent", ""))
    made = await reception.passkeys.made(PasskeyOwner(typed.user, handle, typed.shown), form.get("credential"), name)
    return await reception.joining.register(
        admission, typed.user, [identifier_of(made)], typed.profile, change=lambda one: with_passkey(one, made, handle)
    )


def _with_password(account: Account, hashed: str) -> Account:
    return msgspec.structs.replace(account, password=hashed, password_set=account.made)


async def _ways(reception: Reception, typed: Typed) -> dict[str, Any]:
    """Give what the second page needs: for a passkey, if browsers make them here."""
    if not reception.passkeys.site.has_passkeys:
        return {"options": "", "handle": ""}
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    return {
        "options": await reception.passkeys.creation_options(PasskeyOwner(typed.user, handle, typed.shown)),
        "handle": handle,
    }


def _typed(form: Form) -> Typed:
    """Read what was typed. An id is written in small letters, however it was typed."""
    return Typed(
        user=form.get("user").strip().lower(),
        firstname=form.get("firstname").strip(),
        lastname=form.get("lastname").strip(),
        email=form.get("email").strip(),
        link=form.get("link"),
        then=local_path(form.get("then")),
    )


def _check_profile(typed: Typed) -> None:
    """Raise `bad_field` for what cannot be a name or an address."""
    for name, value in typed.profile.items():
        if len(value) > MAX_CHARACTERS:
            raise Refusal(Code.BAD_FIELD, f"This has at most {MAX_CHARACTERS} characters.", name)
        check_seen(value, Code.BAD_FIELD, name)
    if typed.email and not _looks_like_address(typed.email):
        raise Refusal(Code.BAD_FIELD, "This is no e-mail address.", "email", "It looks like alice@example.org.")


def _looks_like_address(text: str) -> bool:
    local, at, host = text.rpartition("@")
    return bool(local and at and host) and not any(one.isspace() for one in text)

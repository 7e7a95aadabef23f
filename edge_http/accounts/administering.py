"""`/admin`: accounts, as administrators see them. No value of anybody's model is shown there."""

from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.accounts.mistakes import Mistakes, shown_again
from edge_http.accounts.reception import reception_of
from edge_http.sessions.current import require_fresh, require_session
from edge_http.sessions.forms import posted_form
from edge_http.sessions.own_model import zone_of
from edge_http.web.pages import page
from identity.accounts.account import Account
from identity.accounts.links import sign_up_address
from identity.sessions.session import Session
from schemas.asked import ADMIN
from schemas.errors import Code, LlumError, Refusal

MOST_SHOWN: Final = 1000
"""Accounts that the page lists, the oldest; `llum admin account list` lists all."""

_PAGE: Final = "admin.html"


async def show_admin(request: web.Request) -> web.Response:
    """List the accounts."""
    session = await require_session(request)
    await check_admin(request, session)
    return page(request, _PAGE, errors=Mistakes(), **await _values(request, session))


async def make_administrator(request: web.Request) -> web.Response:
    """Make somebody an administrator, too. It is noted in their record."""
    form = await posted_form(request)
    session = await require_fresh(request)
    await check_admin(request, session)
    reception, user = reception_of(request), form.get("user").strip().lower()
    try:
        if await reception.accounts.find(user) is None:
            raise Refusal(Code.BAD_FIELD, "There is no account of this name.", "user")
        await reception.accounts.change(user, lambda one: msgspec.structs.replace(one, admin=True))
    except LlumError as error:
        return shown_again(request, error, _PAGE, **await _values(request, session, typed=user))
    await reception.note(request, user, "made_administrator", by=f"{ADMIN}{session.user}")
    return page(
        request, _PAGE, errors=Mistakes(), **await _values(request, session, done=f"{user} is an administrator now.")
    )


async def invite(request: web.Request) -> web.Response:
    """Make a link with which somebody new may sign up, and show it this once."""
    await posted_form(request)
    session = await require_fresh(request)
    await check_admin(request, session)
    reception = reception_of(request)
    token = await reception.links.make("invite", by=session.user)
    link = sign_up_address(reception.public_url, token)
    return page(request, _PAGE, errors=Mistakes(), **await _values(request, session, link=link))


async def check_admin(request: web.Request, session: Session) -> Account:
    """Give the administrator's account. Raises `permission_denied` for anybody else."""
    account = None if session.temporary else await reception_of(request).accounts.find(session.user)
    if account is None or not account.admin:
        raise Refusal(Code.PERMISSION_DENIED, "this page is for administrators", None, "ask one of them")
    return account


async def _values(request: web.Request, session: Session, **more: Any) -> dict[str, Any]:
    reception = reception_of(request)
    accounts = await reception.accounts.list()
    known = {"accounts": accounts[:MOST_SHOWN], "hidden": max(0, len(accounts) - MOST_SHOWN)}
    said = {"link": "", "done": "", "typed": "", "may_invite": reception.sign_up != "closed"}
    return known | said | {"zone": await zone_of(request, session.user)} | more

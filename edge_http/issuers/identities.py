"""The identities that are linked to an account: which there are, one more, one less."""

from typing import Final

from aiohttp import web

from edge_http.accounts.reception import reception_of
from edge_http.http.observe import TRACE
from edge_http.issuers.browser import marked_browser
from edge_http.issuers.people import accounts_of
from edge_http.keys import ISSUERS
from edge_http.sessions.current import require_fresh, require_session, see_other
from edge_http.sessions.elsewhere import starts
from edge_http.sessions.forms import posted_form
from edge_http.sessions.own_model import zone_of
from edge_http.web.pages import page
from identity.accounts.account import Account
from schemas.errors import Code, Refusal

IDENTITIES: Final = "/identities"
LINK: Final = f"{IDENTITIES}/link"
UNLINK: Final = f"{IDENTITIES}/unlink"


async def show(request: web.Request) -> web.Response:
    """List the linked identities, and offer to link others."""
    session = await require_session(request)
    account = await accounts_of(request).find(session.user)
    linked = [one for one in account.identifiers if one.kind == "oidc"] if account is not None else []
    return page(
        request,
        "identities.html",
        linked=linked,
        is_registered=account is not None,
        is_last=account is not None and account.ways <= 1,
        offered=starts(request),
        zone=await zone_of(request, session.user),
    )


async def link(request: web.Request) -> web.Response:
    """Send somebody to an issuer for one more identity, who has proven lately who they are."""
    form = await posted_form(request)
    session = await require_fresh(request)
    if session.temporary or await accounts_of(request).find(session.user) is None:
        raise Refusal(Code.PERMISSION_DENIED, "only an account has identities", None, "sign up first")
    issuers, id_ = request[TRACE].edge[ISSUERS], form.get("issuer")
    name = issuers.find(id_).name
    browser = marked_browser(request)
    address = await issuers.begin(id_, browser, IDENTITIES, session.user)
    # Not a redirect: browsers hold a form to its page's policy wherever the form leads.
    return page(request, "to_issuer.html", address=address, issuer=name)


async def unlink(request: web.Request) -> web.Response:
    """Take an identity from an account, unless it is the last way in."""
    form = await posted_form(request)
    session = await require_fresh(request)
    await accounts_of(request).unlink(session.user, "oidc", form.get("identity"), _with_a_way_in)
    await reception_of(request).note(request, session.user, "unlinked_identity")
    return see_other(IDENTITIES)


def _with_a_way_in(account: Account) -> Account:
    """Refuse an account that nobody could sign in to any more."""
    if account.ways < 1:
        hint = "add a passkey, a password or another identity first"
        raise Refusal(Code.LAST_WAY_IN, "this is your only way to sign in", "identity", hint)
    return account

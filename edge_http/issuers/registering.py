"""The first time that somebody comes back from an issuer: they choose an id, and account and model are made."""

from typing import Final

from aiohttp import web

from edge_http.accounts.reception import reception_of, source_of
from edge_http.http.observe import TRACE
from edge_http.issuers.browser import browser_secret, unmark_browser
from edge_http.issuers.people import accounts_of, let_in
from edge_http.issuers.signing_in import REGISTER
from edge_http.keys import BUS, ISSUERS
from edge_http.sessions.forms import posted_form, prepare_forms
from edge_http.web.pages import page
from identity.accounts.joining import Admission
from identity.accounts.store import Accounts
from identity.issuers.newcomers import Newcomer, Newcomers
from schemas.errors import Code, Refusal

_PROPOSALS: Final = 5
"""Ids that are tried before none is proposed: `ada`, `ada-2` and so on."""

_SHOWN: Final = (("firstname", "First name"), ("lastname", "Last name"), ("email", "E-mail"), ("picture", "Picture"))
"""What the page shows of a profile, and how it calls it."""


async def show(request: web.Request) -> web.Response:
    """Show what is known, and ask for an id."""
    await prepare_forms(request)
    newcomer = await _newcomer(request)
    admission = await reception_of(request).joining.admission(newcomer.link)
    user = admission.user or await _proposal(accounts_of(request), newcomer.proposed)
    return _page(request, newcomer, admission, user)


async def register(request: web.Request) -> web.Response:
    """Make the account with the chosen id, and sign its person in."""
    form = await posted_form(request)
    newcomer = await _newcomer(request)
    reception = reception_of(request)
    admission = await reception.joining.admission(newcomer.link)
    user = admission.user or form.get("user").strip().lower()
    identity = ("oidc", newcomer.key, newcomer.label)
    try:
        reception.sign_ups.take(source_of(request))
        await reception.joining.register(admission, user, [identity], newcomer.profile, source=newcomer.issuer)
    except Refusal as refusal:
        if refusal.error.field != "user":
            raise
        return _page(request, newcomer, admission, user, refusal)
    browser = browser_secret(request)
    assert browser is not None, "somebody waits in this browser"
    await Newcomers(request[TRACE].edge[BUS]).drop(browser)
    unmark_browser(request)
    return await let_in(request, user, newcomer.issuer, newcomer.then, "signed_up", newcomer.authenticated)


async def _newcomer(request: web.Request) -> Newcomer:
    """Give who waits in this browser. Raises `not_proven`."""
    edge = request[TRACE].edge
    newcomer = await Newcomers(edge[BUS]).find(browser_secret(request))
    if newcomer is None or newcomer.issuer not in edge[ISSUERS].configured:
        raise Refusal(Code.NOT_PROVEN, "nobody has come back here who wants to register", None, "sign in once more")
    return newcomer


async def _proposal(accounts: Accounts, proposed: str) -> str:
    """Give an id that nobody has; empty if none is at hand."""
    if not proposed:
        return ""
    candidates = [proposed, *(f"{proposed}-{number}" for number in range(2, _PROPOSALS + 1))]
    for candidate in candidates:
        if await accounts.find(candidate) is None:
            return candidate
    return ""


def _page(
    request: web.Request, newcomer: Newcomer, admission: Admission, user: str, refusal: Refusal | None = None
) -> web.Response:
    return page(
        request,
        "register_with.html",
        200 if refusal is None else 422,
        action=REGISTER,
        issuer=request[TRACE].edge[ISSUERS].find(newcomer.issuer).name,
        label=newcomer.label,
        known=[(title, newcomer.profile[name]) for name, title in _SHOWN if name in newcomer.profile],
        user=user,
        is_given=admission.user is not None,
        is_admin=admission.admin,
        error="" if refusal is None else refusal.message,
    )

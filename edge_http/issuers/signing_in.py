"""To an issuer and back: who comes back is signed in, or registers, or has one more identity.

Going there changes nothing here, so it is a plain link: whoever makes a browser follow it has it come back as its own
person. Who comes back is taken only from the browser that was sent.
"""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from edge_http.accounts.mistakes import shown_again
from edge_http.accounts.reception import reception_of, source_of
from edge_http.http.observe import TRACE
from edge_http.issuers.bounds import GOING
from edge_http.issuers.browser import browser_secret, marked_browser, unmark_browser
from edge_http.issuers.identities import IDENTITIES
from edge_http.issuers.people import accounts_of, let_in
from edge_http.keys import BUS, ISSUERS, PUBLIC_URL
from edge_http.sessions.arriving import Proof, arrive
from edge_http.sessions.current import see_other, session_of
from edge_http.sessions.forms import prepare_forms
from edge_http.sessions.local_paths import local_path
from identity.issuers.newcomers import Newcomer, Newcomers
from identity.issuers.profiles import label_of, profile_of, proposed_id
from identity.issuers.urls import is_loopback
from identity.sessions.session import FRESH_S
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from identity.issuers.parties import Returned
    from identity.issuers.relying_party import Proven

REGISTER: Final = "/sign-up/with"
"""Where those choose an id who have come back for the first time."""

MAX_LINK_CHARACTERS: Final = 64
"""Characters of a one-time link's token that are kept: longer is none."""

_READ: Final = ("state", "code", "iss", "error")
"""What is looked at of what an issuer sends back."""


async def go(request: web.Request) -> web.Response:
    """Send a browser to an issuer. Whoever is signed in since long proves there anew who they are."""
    elsewhere = _at_public_address(request)
    if elsewhere is not None:
        return _sent(elsewhere)
    session = await session_of(request)
    must_prove = session is not None and not session.temporary and not session.is_fresh(time.time())
    then = local_path(request.query.get("then"))
    issuers, id_ = request[TRACE].edge[ISSUERS], request.match_info["issuer"]
    issuers.find(id_)
    request[TRACE].edge[GOING].take(source_of(request))
    address = await issuers.begin(
        id_,
        marked_browser(request),
        then,
        max_age_s=int(FRESH_S) if must_prove else None,
        link=request.query.get("link", "")[:MAX_LINK_CHARACTERS],
    )
    return _sent(address)


async def come_back(request: web.Request) -> web.Response:
    """Take who comes back from an issuer."""
    issuers, id_ = request[TRACE].edge[ISSUERS], request.match_info["issuer"]
    issuers.find(id_)
    browser = browser_secret(request)
    returned = await issuers.end(id_, browser, _answer_of(request))
    assert browser is not None, "nobody comes back who was not sent"
    if returned.transaction.user is not None:
        return await _link(request, returned, returned.transaction.user)
    proven = returned.proven
    user = await accounts_of(request).by_identifier("oidc", proven.key)
    if user is None:
        return await _have_wait(request, browser, returned)
    unmark_browser(request)
    then = returned.transaction.then
    return await let_in(request, user, id_, then, "signed_in_with_issuer", _authenticated(proven))


async def _link(request: web.Request, returned: "Returned", user: str) -> web.Response:
    """Add an identity to the account of whoever has set out for it, and is still signed in."""
    session = await session_of(request)
    if session is None or session.user != user:
        hint = "sign in, and link it once more"
        raise Refusal(Code.NOT_PROVEN, "whoever wanted to link this is no longer signed in", None, hint)
    proven = await request[TRACE].edge[ISSUERS].with_profile(returned.proven)
    await accounts_of(request).link(user, "oidc", proven.key, full_label(proven))
    unmark_browser(request)
    await reception_of(request).note(request, user, "linked_identity")
    return see_other(IDENTITIES)


async def _have_wait(request: web.Request, browser: str, returned: "Returned") -> web.Response:
    """Let somebody choose an id who has no account yet, if they may sign up. Otherwise say why not."""
    edge, transaction = request[TRACE].edge, returned.transaction
    try:
        await reception_of(request).joining.admission(transaction.link)
    except Refusal as refusal:
        await prepare_forms(request)
        return shown_again(request, refusal, "sign_up_closed.html")
    await arrive(request, Proof(is_registered=False))
    proven = await edge[ISSUERS].with_profile(returned.proven)
    newcomer = Newcomer(
        issuer=proven.issuer.id,
        key=proven.key,
        label=full_label(proven),
        profile=profile_of(proven.claims),
        proposed=proposed_id(proven.claims),
        authenticated=_authenticated(proven),
        then=transaction.then,
        link=transaction.link,
        made=time.time(),
    )
    await Newcomers(edge[BUS]).put(browser, newcomer)
    return see_other(REGISTER)


def full_label(proven: "Proven") -> str:
    """Name an identity for its person: where it is, and what it is called there."""
    return " · ".join(part for part in (proven.issuer.name, label_of(proven.claims)) if part)


def _authenticated(proven: "Proven") -> float:
    """Tell when somebody has proven who they are. An issuer that can say it and does not may have remembered them."""
    now = time.time()
    if proven.auth_time is not None:
        return min(proven.auth_time, now)
    return now - FRESH_S if proven.issuer.says_when else now


def _answer_of(request: web.Request) -> Mapping[str, str]:
    """Read what an issuer sends back. Raises `not_proven` for something that is there twice."""
    query = request.query
    if any(len(query.getall(name, ())) > 1 for name in _READ):
        raise Refusal(Code.NOT_PROVEN, "the answer says something twice", None, "begin again")
    return {name: query[name] for name in _READ if name in query}


def _at_public_address(request: web.Request) -> str | None:
    """Give where a browser goes first that calls this machine by another name than issuers do: it has no cookies there.

    None: it calls it by the right one, or it is not known by which.
    """
    public = urlsplit(request[TRACE].edge[PUBLIC_URL])
    given = urlsplit(f"//{request.host}")
    if not (given.hostname and public.hostname) or given.hostname == public.hostname:
        return None
    if not (is_loopback(given.hostname) and is_loopback(public.hostname)):
        return None
    return f"{public.scheme}://{public.netloc}{local_path(request.raw_path)}"


def _sent(address: str) -> web.Response:
    headers = {hdrs.LOCATION: address, hdrs.CACHE_CONTROL: "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=303, headers=headers)

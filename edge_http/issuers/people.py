"""The accounts of this llum, as signing in elsewhere needs them."""

from aiohttp import web

from edge_http.accounts.people import details_of, personal_of
from edge_http.accounts.reception import reception_of
from edge_http.sessions.elsewhere import how_of
from edge_http.sessions.signing_in import after_authentication
from identity.accounts.store import Accounts


def accounts_of(request: web.Request) -> Accounts:
    """Give the accounts of this llum."""
    return reception_of(request).accounts


async def let_in(
    request: web.Request, user: str, issuer: str, then: str, event: str, authenticated: float
) -> web.Response:
    """Sign in who has come back from an issuer, and write into their record what they have done."""
    await reception_of(request).note(request, user, event)
    details = details_of(user, await personal_of(request, user))
    return await after_authentication(request, user, how_of(issuer), then, details, authenticated)

"""Who may see and change clients: administrators, and to change anything they have just proven who they are."""

from aiohttp import web

from edge_http.accounts.administering import check_admin
from edge_http.accounts.reception import reception_of
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.current import require_fresh, require_session
from identity.oauth.clients import Clients


async def require_admin(request: web.Request) -> None:
    """Raise `permission_denied` for who is no administrator, and what `require_session` raises."""
    await check_admin(request, await require_session(request))


async def require_fresh_admin(request: web.Request) -> None:
    """Raise `permission_denied` for who is no administrator, and what `require_fresh` raises."""
    await check_admin(request, await require_fresh(request))


async def note_client(request: web.Request, event: str, client_id: str) -> None:
    """Write what an administrator has done to a client into their own record, at once."""
    session = await require_session(request)
    await reception_of(request).note(request, session.user, event, app=client_id)


def clients_of(request: web.Request) -> Clients:
    return request[TRACE].edge[AUTHENTICATOR].clients

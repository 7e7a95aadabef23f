"""The accounts of this llum, as signing in elsewhere needs them."""

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.keys import BUS, REQUESTS, SIGN_UP
from edge_http.sessions.places import place_of
from identity.accounts.events import note
from identity.accounts.joining import Joining
from identity.accounts.links import Links
from identity.accounts.store import Accounts


def accounts_of(request: web.Request) -> Accounts:
    """Give the accounts of this llum."""
    edge = request[TRACE].edge
    return Accounts(edge[BUS], edge[REQUESTS])


def joining_of(request: web.Request) -> Joining:
    """Give who decides who may sign up."""
    edge = request[TRACE].edge
    return Joining(accounts_of(request), Links(edge[BUS]), edge[SIGN_UP])


async def note_event(request: web.Request, user: str, event: str) -> None:
    """Write into a person's record what has been done with their account."""
    await note(request[TRACE].edge[BUS], user, event, place=place_of(request))

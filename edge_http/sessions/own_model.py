"""A person's model as they themselves see it, and by which clock they read times."""

from typing import Final

from aiohttp import web

from bus.as_app import AsApp
from edge_http.auth.as_caller import AsCaller
from edge_http.http.observe import TRACE
from edge_http.keys import TIME_ZONE
from schemas.apps import OWNER_APP
from schemas.errors import LlumError
from schemas.queries import GetContext
from schemas.replies import ContextReply

_ROOT: Final = GetContext()


def own_model(request: web.Request, user: str) -> AsApp:
    """Give a person's model as they themselves see it: as their own app, which is an owner's."""
    return AsCaller(request, user, OWNER_APP)


async def zone_of(request: web.Request, user: str) -> str:
    """Give a person's time zone, or the installation's if the model says none or cannot be read. Raises nothing."""
    try:
        root = await own_model(request, user).find(_ROOT, ContextReply)
    except LlumError:
        return request[TRACE].edge[TIME_ZONE]
    return root.time_zone or request[TRACE].edge[TIME_ZONE]

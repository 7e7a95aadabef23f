"""What pages know of a person beside their account: what `Personal` says, as their own app sees it."""

from typing import Any, Final

from aiohttp import web

from edge_http.sessions.own_model import own_model
from schemas.errors import LlumError
from schemas.queries import Ask
from schemas.replies import AskReply

PERSONAL: Final = ("firstname", "lastname", "email")

MAX_CHARACTERS: Final = 200
"""Characters of one of these that are shown and kept with a session."""


async def personal_of(request: web.Request, user: str) -> dict[str, str]:
    """Give what is known of a person's name and address; what cannot be read is left out. Raises nothing."""
    try:
        reply = await own_model(request, user).find(Ask(context=["Personal"], view=list(PERSONAL)), AskReply)
    except LlumError:
        return {}
    return {one.path[-1]: one.value[:MAX_CHARACTERS] for one in reply.components if isinstance(one.value, str)}


def details_of(user: str, personal: dict[str, str]) -> dict[str, Any]:
    """Give what a session keeps of a person."""
    names = " ".join(filter(None, (personal.get("firstname"), personal.get("lastname"))))
    return personal | ({"fullname": names} if names else {}) | {"user_id": user}

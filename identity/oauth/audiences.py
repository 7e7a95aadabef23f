"""For whom a token is meant (RFC 8707): llum itself, or a resource server that is registered as a client."""

from identity.oauth.clients import Clients
from schemas.errors import Code, Refusal


async def audience_of(resource: str, public_url: str, clients: Clients) -> str:
    """Give the audience that a client asks for by `resource`: "" for llum itself, or if it has named none.

    Raises `invalid_target` when there is no such resource server, `Transient`.
    """
    if not resource or resource.rstrip("/") == public_url.rstrip("/"):
        return ""
    if any(client.audience == resource for client in await clients.list()):
        return resource
    hint = "leave resource out, or name a resource server that an administrator has registered"
    raise Refusal(Code.INVALID_TARGET, f"there is no resource server {resource[:200]}", "resource", hint)

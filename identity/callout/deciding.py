"""Who may connect to the bus, and as what: decided from a token and from what the person has granted."""

from typing import Final

from identity.authenticator import Authenticator
from identity.callout.claims import Request
from identity.callout.connections import Identity
from identity.callout.service import Admitted
from identity.callout.subjects import subjects_of
from identity.inboxes import Inboxes
from identity.principal import Principal
from identity.registrations import Asking, access
from schemas.replies import AccessReply

KINDS: Final = frozenset({"nats", "websocket"})
"""How clients may connect. MQTT has no inbox of its own."""

UNTIL_S: Final = 100 * 365 * 86_400.0
"""Seconds since 1970 until which a credential is good that ends with its registration alone."""


class Deciding:
    """Decides on connections, as an `Authenticator` tells who somebody is and the worker what they may."""

    def __init__(self, authenticator: Authenticator, requests: Asking, inboxes: Inboxes) -> None:
        self._authenticator = authenticator
        self._requests = requests
        self._inboxes = inboxes

    async def decide(self, request: Request) -> Admitted | None:
        """Tell as what somebody may connect; None: not at all. Raises `Refusal`, `Transient`."""
        if request.client_info.type not in KINDS:
            return None
        options = request.connect_opts
        principal = await self._authenticator.by_token(options.auth_token or options.password)
        if principal is None:
            return None
        reply = await access(self._requests, principal.user, principal.app)
        inbox = self._inboxes.prefix(principal.user, principal.app, principal.sign_in)
        allowed = subjects_of(principal.user, principal.app, reply.rights, owner=reply.role == "owner", inbox=inbox)
        identity = identity_of(principal, reply)
        return Admitted(identity.name, allowed, principal.expires or UNTIL_S)


def identity_of(principal: Principal, reply: AccessReply) -> Identity:
    """Say what a connection is admitted as."""
    return Identity(principal.user, principal.app, principal.credential, reply.registration, rights_text(reply))


def rights_text(reply: AccessReply) -> str:
    """Write what an app may do, to see whether that has changed."""
    return "owner" if reply.role == "owner" else "+".join(reply.rights) or "none"

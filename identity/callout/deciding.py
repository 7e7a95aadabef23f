"""Who may connect to the bus, and as what: decided from a token and from what the person has granted."""

import time
from collections.abc import Callable
from typing import Final

from identity.authenticator import Bearers
from identity.callout.claims import ConnectRequest
from identity.callout.connections import Identity
from identity.callout.service import Admitted
from identity.callout.subjects import subjects_of
from identity.inboxes import Inboxes
from identity.principal import Principal
from identity.registrations import Asking, access
from identity.throttle import Throttle
from schemas.errors import Code, Refusal, Transient
from schemas.replies import AccessReply

KINDS: Final = frozenset({"nats"})
"""How clients connect unless the operator allows more. MQTT is never let in: its acknowledgements say nothing, and its
client ids are anybody's to choose."""

UNTIL_S: Final = 100 * 365 * 86_400.0
"""Seconds since 1970 until which a credential is good that ends with its registration alone."""

STRANGERS: Final = 100
"""Attempts with tokens that are none, or not known here yet, from one address at once: a fleet that comes back."""

STRANGER_EVERY_S: Final = 0.2
"""Seconds for one of these to come back. No token is guessed: this bounds what looking them up costs."""


class Admitting:
    """Decides on connections, as `Bearers` tell who somebody is and the worker what they may."""

    def __init__(
        self,
        bearers: Bearers,
        requests: Asking,
        inboxes: Inboxes,
        kinds: frozenset[str] = KINDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bearers = bearers
        self._requests = requests
        self._inboxes = inboxes
        self._kinds = kinds
        self._throttle = Throttle(monotonic, STRANGERS, STRANGER_EVERY_S, "wrong tokens from this address")

    async def decide(self, request: ConnectRequest) -> Admitted:
        """Tell as what somebody may connect. Raises `Refusal`: not at all; `Transient`: not now."""
        client, options = request.client_info, request.connect_opts
        if client.type not in self._kinds:
            raise Refusal(Code.PERMISSION_DENIED, f"no client connects to this bus by {client.type or 'this protocol'}")
        principal = await self._who(options.auth_token or options.password, client.host)
        reply = await access(self._requests, principal.user, principal.app)
        inboxes = self._inboxes.prefixes(principal.user, principal.app, principal.sign_in)
        allowed = subjects_of(principal.user, principal.app, reply.rights, owner=reply.role == "owner", inboxes=inboxes)
        identity = identity_of(principal, reply)
        return Admitted(identity.name, allowed, principal.expires or UNTIL_S)

    async def _who(self, token: str, host: str) -> Principal:
        """Tell whose token it is. An address has so many attempts with those that are not."""
        principal = self._bearers.at_hand(token)
        if principal is not None:
            return principal
        self._throttle.take(host)
        try:
            principal = await self._bearers.by_token(token)
        except Transient:
            self._throttle.give_back(host)
            raise
        if principal is None:
            raise Refusal(Code.NOT_AUTHENTICATED, "the token is unknown, has expired or was revoked")
        self._throttle.give_back(host)
        return principal


def kinds_of(clients: str) -> frozenset[str]:
    """Read the setting of how apps may connect: `nats+websocket`, say."""
    return frozenset(clients.split("+"))


def identity_of(principal: Principal, reply: AccessReply) -> Identity:
    """Say what a connection is admitted as."""
    return Identity(principal.user, principal.app, principal.credential, reply.registration, rights_text(reply))


def rights_text(reply: AccessReply) -> str:
    """Write what an app may do, to see whether that has changed."""
    return "owner" if reply.role == "owner" else "+".join(reply.rights) or "none"

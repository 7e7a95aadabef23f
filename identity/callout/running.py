"""A callout as it runs: it decides on connections, and ends those whose grounds have gone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bus.connection import Bus
from bus.credentials import Credentials
from bus.nkeys import CurveKey, SigningKey
from identity.authenticator import Bearers
from identity.callout.connections import Connections
from identity.callout.deciding import KINDS, Admitting
from identity.callout.ending import Ending
from identity.callout.service import Callout
from identity.inboxes import inboxes_of
from identity.registrations import Asking


@asynccontextmanager
async def running_callout(
    url: str,
    bus: Bus,
    requests: Asking,
    bearers: Bearers,
    credentials: Credentials,
    kinds: frozenset[str] = KINDS,
) -> AsyncIterator[Connections]:
    """Answer nats-server at `url` as long as the block lasts. `bus` is llum's own, for the installation's secrets.

    The bearers run, so that it hears of what is revoked. `kinds` are the ways in which clients may connect. Raises
    `Transient`.
    """
    issuer, xkey = SigningKey(bytes.fromhex(credentials.issuer)), CurveKey(bytes.fromhex(credentials.xkey))
    async with AsyncExitStack() as stack:
        auth, system = [await _connected(stack, credentials.at(url, role), role) for role in ("auth", "system")]
        connections = Connections(system)
        await connections.open()
        stack.push_async_callback(connections.close)
        await stack.enter_async_context(Ending(connections, bearers, requests).running())
        deciding = Admitting(bearers, requests, await inboxes_of(bus), kinds)
        callout = Callout(auth, issuer, xkey, deciding.decide)
        await callout.open()
        stack.push_async_callback(callout.close)
        yield connections


async def _connected(stack: AsyncExitStack, url: str, role: str) -> Bus:
    bus = await Bus.connect(url, name=f"llum-callout-{role}")
    stack.push_async_callback(bus.close)
    return bus

"""A callout as it runs: it decides on connections, and ends those whose grounds have gone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bus.connection import Bus
from bus.credentials import OwnPassword, Role, load
from identity.authenticator import Bearers
from identity.callout.connections import Connections
from identity.callout.deciding import KINDS, Admitting
from identity.callout.ending import Ending
from identity.callout.keys import CalloutKeys
from identity.callout.service import Callout
from identity.inboxes import WatchedInboxes
from identity.registrations import Asking


@asynccontextmanager
async def running_callout(
    url: str,
    bus: Bus,
    requests: Asking,
    bearers: Bearers,
    file: Path,
    kinds: frozenset[str] = KINDS,
) -> AsyncIterator[Connections]:
    """Answer nats-server at `url` as long as the block lasts. `bus` is llum's own, for the installation's secrets.

    The bearers run, so that it hears of what is revoked. `file` holds llum's credentials. `kinds` are the ways in which
    clients may connect. Raises `Transient`, `InstallationError`.
    """
    async with AsyncExitStack() as stack:
        auth, system = await _connected(stack, url, "auth", file), await _connected(stack, url, "system", file)
        connections = Connections(system)
        await connections.open()
        stack.push_async_callback(connections.close)
        await stack.enter_async_context(Ending(connections, bearers, requests).running())
        inboxes = WatchedInboxes(bus)
        stack.callback(inboxes.close)
        deciding = Admitting(bearers, requests, await inboxes.open(), kinds)
        callout = Callout(auth, CalloutKeys(file), deciding.decide)
        await callout.open()
        stack.push_async_callback(callout.close)
        yield connections


async def _connected(stack: AsyncExitStack, url: str, role: Role, file: Path) -> Bus:
    bus = await Bus.connect(load(file).at(url, role), name=f"llum-callout-{role}", password=OwnPassword(file, role))
    stack.push_async_callback(bus.close)
    return bus

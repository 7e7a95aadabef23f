"""`llum edge`: the wiring of one HTTP edge process."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from bus.connection import Bus
from bus.installation import check
from bus.requests import Requests
from edge_http.app import make_app
from edge_http.http.connections import descriptors_for_all
from edge_http.http.server import serve_on
from edge_http.http.sources import Proxies
from identity.authenticator import Authenticator
from llum.failures import Fault
from llum.issuer_file import read_issuers
from llum.own_credentials import checked_bus, connected_with_login, credentials_file, is_ruled_by_others
from llum.processes.lifeline import ChildEnd
from llum.processes.listening import listen, url_of
from llum.processes.process import Starting, Supervised, begin, run_process
from llum.settings import Settings


def run_child(line: ChildEnd) -> int:
    """Be the edge of a `llum up`."""
    return run(*begin(line))


def run(settings: Settings, supervised: Supervised) -> int:
    """Serve HTTP until a signal, on the socket that was handed down or on one of its own."""

    async def serve(nats_url: str, starting: Starting, stop: asyncio.Event) -> None:
        listening = _listening(settings, supervised.line)
        descriptors_for_all()
        starting.step("connecting to nats-server")
        bus = await _connected(settings, supervised, nats_url)
        try:
            await _serve_http(bus, settings, listening, starting.ready, stop)
        finally:
            await bus.close()

    return run_process("edge", settings, supervised, serve)


async def _connected(settings: Settings, supervised: Supervised, url: str) -> Bus:
    """Connect. Only the nats-server of its own `llum up` is known to be as llum needs it."""
    if supervised.line is not None and settings.nats_url is None:
        return await connected_with_login(settings, "edge", url, "llum-edge")
    bus = await checked_bus(settings, "edge", url, "llum-edge")
    try:
        await check(bus, settings.partitions)
    except BaseException:
        await bus.close()
        raise
    return bus


def proxies_of(settings: Settings) -> Proxies:
    """Read the setting. Raises a `Fault`."""
    try:
        return Proxies.parse(settings.proxies)
    except ValueError as error:
        raise Fault(f"proxies has no address or network: {error}", "Name them as 10.0.0.7 or 10.0.0.0/24.") from error


def allows_temporary_users(settings: Settings) -> bool:
    """Tell whether visitors may try llum: by default where it runs its own nats-server, as on one's own machine."""
    return settings.temporary_users == "on" or (settings.temporary_users == "auto" and settings.nats_url is None)


def _listening(settings: Settings, line: ChildEnd | None) -> socket.socket:
    if line is None:
        return listen(settings.http_host, settings.http_port)
    return socket.socket(fileno=line.descriptors[0])


async def _serve_http(
    bus: Bus, settings: Settings, listening: socket.socket, on_ready: Callable[[], None], stop: asyncio.Event
) -> None:
    requests = Requests(bus)
    await requests.start()
    public_url = settings.public_url or url_of(listening)
    authenticator = Authenticator(bus, requests)
    app = make_app(
        bus,
        requests,
        authenticator,
        public_url,
        settings.partitions,
        proxies_of(settings),
        settings.time_zone,
        temporary_users=allows_temporary_users(settings),
        issuers=read_issuers(settings.issuers),
    )
    try:
        async with _callout(bus, requests, authenticator, settings):
            await serve_on(listening, app, stop, on_ready)
    finally:
        await requests.close()


def _callout(
    bus: Bus, requests: Requests, authenticator: Authenticator, settings: Settings
) -> AbstractAsyncContextManager[object]:
    """Answer nats-server when it asks who connects, unless others do: where somebody else rules over it, say."""
    if not settings.edge_callout or (settings.nats_url is not None and is_ruled_by_others(settings.nats_url)):
        return nullcontext()
    # It brings cryptography, which takes a moment to import.
    from identity.callout.deciding import kinds_of
    from identity.callout.running import running_callout

    kinds = kinds_of(settings.app_clients)
    return running_callout(bus.url, bus, requests, authenticator, credentials_file(settings), kinds)

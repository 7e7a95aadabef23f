"""`llum edge`: the wiring of one HTTP edge process."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bus import addresses
from bus.connection import Bus
from bus.installation import check
from bus.requests import Requests
from edge_http.app import make_app
from edge_http.http.connections import Places, descriptors_for_all
from edge_http.http.faces import Faces, faces_of
from edge_http.http.server import serve_on
from edge_http.http.sources import Proxies
from edge_http.preferences.face import PreferencesFace
from identity.accounts.joining import SignUp
from identity.accounts.links import Links, sign_up_address
from identity.authenticator import Authenticator
from identity.oauth.families import Lifetimes
from llum.failures import Fault
from llum.issuer_file import read_issuers
from llum.own_credentials import checked_bus, connected_with_login, credentials_file, is_ruled_by_others
from llum.processes.forgetting import Forgetting
from llum.processes.lifeline import ChildEnd
from llum.processes.listening import listen, url_of
from llum.processes.process import Starting, Supervised, begin, run_process
from llum.processes.reached import certificate_of, checked_public_url, openness_of
from llum.processes.shown import shown_on_the_bus
from llum.running import browser_url
from llum.settings import Settings

if TYPE_CHECKING:
    from model.preferences.installed import InstalledOntologies

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


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
            if supervised.line is not None and settings.nats_url is None:
                await _offer_first_link(bus, settings, listening, starting)
            # Two processes of a `llum up` tell metrics, each on a port of its own.
            further = 0 if supervised.line is None else 1
            await _serve_http(bus, settings, listening, starting.ready, stop, further)
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


def lifetimes_of(settings: Settings) -> Lifetimes:
    """Say for how long tokens of apps are good."""
    return Lifetimes(settings.access_token_minutes * 60.0, settings.refresh_token_days * 86_400.0)


def _listening(settings: Settings, line: ChildEnd | None) -> socket.socket:
    if line is None:
        return listen(settings.http_host, settings.http_port)
    return socket.socket(fileno=line.descriptors[0])


async def _serve_http(
    bus: Bus,
    settings: Settings,
    listening: socket.socket,
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    further: int,
) -> None:
    requests = Requests(bus)
    await requests.start()
    certificate = certificate_of(settings)
    authenticator = Authenticator(bus, requests, lifetimes_of(settings))
    app = make_app(
        bus,
        requests,
        authenticator,
        _public_url(settings, listening),
        settings.partitions,
        proxies_of(settings),
        settings.time_zone,
        temporary_users=allows_temporary_users(settings),
        issuers=read_issuers(settings.issuers),
        sign_up=sign_up_of(settings),
        forget=Forgetting(settings),
        public_bus=_public_bus(settings, bus, _public_url(settings, listening)),
        client_registrations=settings.client_registrations,
        password_grant=settings.password_grant,
        preferences=_preferences(settings),
        key_grant=settings.legacy_password_grant,
    )
    places = Places.of_process()
    try:
        async with (
            _callout(bus, requests, authenticator, settings),
            _telling_metrics(bus, settings, lambda: faces_of(app), places, further),
            shown_on_the_bus(bus),
        ):
            await serve_on(listening, app, stop, on_ready, certificate, places)
    finally:
        await requests.close()


def _telling_metrics(
    bus: Bus, settings: Settings, faces: Callable[[], Faces], places: Places, further: int
) -> AbstractAsyncContextManager[None]:
    """Serve metrics of these faces, if that is wanted, `further` ports above the one in the settings."""
    if settings.metrics_port is None:
        return nullcontext()
    from llum.metrics.of_edge import EdgeMetrics
    from llum.metrics.serving import serving

    return serving(settings, EdgeMetrics(bus, settings.partitions, faces(), places).read, further)


def _preferences(settings: Settings) -> PreferencesFace:
    """Have the ontologies read with the first request that needs them; those of the operator are checked at once."""
    face = PreferencesFace(lambda: _ontologies(settings), openness_of(settings))
    if settings.ontologies is not None:
        face.prepare()
    return face


def _ontologies(settings: Settings) -> "InstalledOntologies":
    # Here: most starts need none of it.
    from llum.ontologies.loading import load

    return load(settings.ontologies)


def _public_url(settings: Settings, listening: socket.socket) -> str:
    return checked_public_url(settings, browser_url(url_of(listening, tls=settings.tls_certificate is not None)))


def _public_bus(settings: Settings, bus: Bus, public_url: str) -> str:
    """Give how programs of people reach the bus: as this edge does, where only this machine reaches llum."""
    if settings.public_bus is not None:
        return settings.public_bus
    hosts = [urlsplit(public_url).hostname, *(parts.hostname for parts in addresses.places(bus.url))]
    return addresses.without_login(bus.url) if all(host in _LOOPBACK for host in hosts) else ""


def sign_up_of(settings: Settings) -> SignUp:
    """Say who may make an account: everybody as long as that is whoever uses this machine."""
    if settings.sign_up != "auto":
        return settings.sign_up
    is_local = settings.http_host in _LOOPBACK and settings.public_url is None and not settings.proxies
    return "open" if is_local else "invited"


async def _offer_first_link(bus: Bus, settings: Settings, listening: socket.socket, starting: Starting) -> None:
    """As long as nobody has an account: make the link by which the first person signs up, in place of earlier ones."""
    links = Links(bus)
    if not await links.is_founded():
        address = sign_up_address(_public_url(settings, listening), await links.make("first"))
        starting.first_link(address)


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

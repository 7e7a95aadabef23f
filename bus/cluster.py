"""What a nats-server of a cluster has in its configuration beside the accounts: its name, its routes, TLS.

Strings are quoted as in JSON.
"""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from bus import addresses

ROUTE_USER: Final = "route"
"""As whom the servers of a cluster come to each other."""

LEAVES_WITHIN: Final = "30s"
"""How long a server that is told to leave (SIGUSR2) takes to send its clients to the others, a few at a time."""

TLS_WITHIN_S: Final = 5
"""Seconds for a handshake: on a busy machine the usual two may be too few."""

_PINGS: Final = {"ping_interval": "5s", "ping_max": 2}
"""After so many pings without an answer a connection is dead: in about 15 seconds, where nats-server by itself takes
minutes. Until then it goes on to send asks to a worker whose machine is lost."""


class Tls(NamedTuple):
    """Files in PEM, as the server finds them."""

    certificate: Path
    """Of the server. Routes want it to be good for clients, too."""
    key: Path
    authority: Path | None = None
    """Whose certificates of other servers are believed. Routes need it."""


class ServerCluster(NamedTuple):
    """A server's place among others."""

    name: str
    routes: tuple[str, ...]
    """The addresses at which servers reach each other; the server's own may be among them."""
    password: str
    listen: str = "0.0.0.0:6222"


class ServerPlace(NamedTuple):
    """What is of one server alone. None: as nats-server does by itself."""

    name: str | None = None
    listen: str | None = None
    monitor: str | None = None
    """Where it says over HTTP how it is. That needs no login."""
    tls: Tls | None = None
    cluster: ServerCluster | None = None


def server_lines(server: ServerPlace) -> list[str]:
    """Give the lines of the configuration."""
    content: dict[str, Any] = {"server_name": server.name, "listen": server.listen, "http": server.monitor}
    if server.tls is not None:
        content["tls"] = _tls(server.tls)
    if server.cluster is not None:
        content["lame_duck_duration"] = LEAVES_WITHIN
        content["cluster"] = _cluster(server.cluster, server.tls)
    return [f"{key}: {json.dumps(value, indent=1)}" for key, value in content.items() if value is not None]


def pings() -> list[str]:
    """Give the lines that say when a client that says nothing is dead."""
    return [f"{key}: {json.dumps(value)}" for key, value in _PINGS.items()]


def _cluster(cluster: ServerCluster, tls: Tls | None) -> dict[str, Any]:
    routes = [addresses.with_login(route, ROUTE_USER, cluster.password) for route in cluster.routes]
    content: dict[str, Any] = {
        "name": cluster.name,
        "listen": cluster.listen,
        "authorization": {"user": ROUTE_USER, "password": cluster.password},
        "routes": routes,
        **_PINGS,
    }
    # Both ends of a route show a certificate, and look at that of the other.
    return content if tls is None else content | {"tls": _tls(tls) | {"verify": True}}


def _tls(tls: Tls) -> dict[str, Any]:
    files = {"cert_file": str(tls.certificate), "key_file": str(tls.key), "timeout": TLS_WITHIN_S}
    return files if tls.authority is None else files | {"ca_file": str(tls.authority)}

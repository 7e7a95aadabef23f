"""A cluster of three nats-servers on loopback, each with the configuration that llum prints for it."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bus.nats_process import find_binary
from tests.end_to_end.external import External
from tests.ports import free_port, free_ports

SERVERS = 3


class Place(NamedTuple):
    """Where a server of the cluster is."""

    name: str
    port: int
    route_port: int
    host: str = "127.0.0.1"


class Cluster(External):
    """Three nats-servers, and whichever processes of llum are started beside them."""

    def __init__(
        self,
        folder: Path,
        scheme: str = "nats",
        tls: tuple[str, ...] = (),
        places: Sequence[Place] = (),
        **settings: str,
    ) -> None:
        """`places`: where the servers are; none: anywhere on loopback."""
        self.places = places or _on_loopback()
        self.tls = tls
        """Options of `llum nats-config` for TLS."""
        urls = ",".join(f"{scheme}://{place.host}:{place.port}" for place in self.places)
        super().__init__(folder, **{"LLUM_NATS_URL": urls} | settings)
        self.url = urls
        self.servers: dict[str, subprocess.Popen[bytes]] = {}

    def configuration_of(self, place: Place) -> Path:
        """Write what llum prints for a server into a file."""
        routes = [word for each in self.places for word in ("--route", f"nats://{each.host}:{each.route_port}")]
        own = {
            "--server-name": place.name,
            "--listen": f"{place.host}:{place.port}",
            "--cluster-name": "llum",
            "--cluster-listen": f"{place.host}:{place.route_port}",
            "--store-dir": str(self.folder / place.name),
        }
        options = [word for option in own.items() for word in option]
        printed = self.cli("nats-config", "--json", "--sync", "10s", *options, *routes, *self.tls)
        file = self.folder / f"{place.name}.conf"
        file.write_text(json.loads(printed.stdout)["config"])
        return file

    def start_servers(self) -> None:
        """Start all three. A server says that it is ready only once the cluster has a leader."""
        files = {place.name: self.configuration_of(place) for place in self.places}
        for name, file in files.items():
            self.start_server(name, file)

    def start_server(self, name: str, file: Path) -> None:
        log = self.folder / f"{name}.log"
        self.servers[name] = self._run_to(log, "Server is ready", *self.on_host(name, find_binary(), "-c", str(file)))

    def on_host(self, _name: str, *command: str) -> tuple[str, ...]:
        """Give the command that runs one on the host of a process."""
        return command

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker with a data folder of its own; each partition is to be served by two."""
        credentials = str(self.data_dir / "credentials.json")
        options = {"--data-dir": str(self.folder / name), "--credentials": credentials, "--replicas": "2"}
        return self.start_process("worker", *(word for option in options.items() for word in option))

    def start_edge(self) -> None:
        """Start an edge, and remember where it is."""
        port = free_port()
        self.start_process("edge", "--http-port", str(port))
        self.http = f"http://127.0.0.1:{port}"


def _on_loopback() -> list[Place]:
    ports = free_ports(2 * SERVERS)
    return [Place(f"nats-{at + 1}", ports[2 * at], ports[2 * at + 1]) for at in range(SERVERS)]

"""The processes: a cluster of nats-servers, workers each with a folder of its own, and edges, as on several machines.

Each is on a host of its own. What they say to nats-servers, and what those say to each other, goes over links.
"""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from tests.chaos import own_clock
from tests.chaos.hosts import hosts_for
from tests.chaos.links import Endpoint, Link
from tests.deploy.cluster import Cluster, Place
from tests.ports import free_ports
from tests.small_disk import Disk, mounted
from tests.system.harness import until

PARTITIONS: Final = 16
WORKERS: Final = ("worker-a", "worker-b", "worker-c")
EDGES: Final = ("edge-a", "edge-b")
SERVERS: Final = ("nats-1", "nats-2", "nats-3")
CRAMPED: Final = "worker-c"
"""The worker with a disk of its own, which can be full; where this user may mount one."""

DISK_MEGABYTES: Final = 1024
"""More than a run needs: it takes memory only for what is on it."""

STARTS: Final = 5
"""A process that reaches no nats-server in time ends, and whatever supervises it starts it again. So does this."""

NO_SERVER: Final = "no nats-server answers"

NOWHERE: Final = "127.0.0.1:1"
"""An address at which nobody listens."""


class Held(NamedTuple):
    """What a worker holds of a partition: where it stands in the log, and sums of what it has applied."""

    applied_seq: int
    log_sum: str
    state_sum: int
    evidence: str
    """A digest of all its evidence."""


class Stage(Cluster):
    """Starts, kills, stops and restarts each of them, by its name."""

    def __init__(self, folder: Path, replicas: int) -> None:
        self.hosts = hosts_for((*WORKERS, *EDGES, *SERVERS))
        super().__init__(
            folder,
            places=[self._place(name) for name in SERVERS],
            LLUM_PARTITIONS=str(PARTITIONS),
            LLUM_PREFERENCES_OPEN="1",
        )
        self.settings["LLUM_PREFERENCES_OPEN_ANYWHERE"] = "1"
        self.replicas = replicas
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.disk: Disk | None = None
        self._files: dict[str, Path] = {}
        clients, here = (*WORKERS, *EDGES), self.hosts.here
        ports = iter(free_ports((len(clients) + len(SERVERS)) * len(SERVERS), here))
        self.links = {
            (name, place.name): Link(
                f"{name} to {place.name}", Endpoint(here, next(ports)), Endpoint(place.host, place.port)
            )
            for name in clients
            for place in self.places
        }
        self.routes = {
            (one.name, other.name): Link(
                f"{one.name} to {other.name}", Endpoint(here, next(ports)), Endpoint(other.host, other.route_port)
            )
            for one in self.places
            for other in self.places
        }
        self.edges = {name: Endpoint(self.hosts.address_of(name), *self.hosts.ports_of(name, 1)) for name in EDGES}

    def _place(self, name: str) -> Place:
        port, route_port = self.hosts.ports_of(name, 2)
        return Place(name, port, route_port, self.hosts.address_of(name))

    def on_host(self, name: str, *command: str) -> tuple[str, ...]:
        """Run those that are only looked at beside the run itself."""
        return self.hosts.on(name, *command) if name in self.names else command

    @property
    def names(self) -> tuple[str, ...]:
        """All that can be started and ended."""
        return (*WORKERS, *EDGES, *self.servers_by_name)

    @property
    def servers_by_name(self) -> dict[str, Place]:
        return {place.name: place for place in self.places}

    def url_of(self, edge: str) -> str:
        return f"http://{self.edges[edge]}"

    async def open_links(self) -> None:
        for link in (*self.links.values(), *self.routes.values()):
            await link.open()

    def close_links(self) -> None:
        for link in (*self.links.values(), *self.routes.values()):
            link.close()

    def start_all(self) -> None:
        self._files = {place.name: self._configuration_with_links(place) for place in self.places}
        for name in self._files:
            self.start_one(name)
        # Streams of a cluster that has just begun may be without a leader for some seconds.
        until(lambda: self.cli("admin", "install", check=False).returncode == 0, "llum is installed")
        self.disk = mounted(self.folder / CRAMPED, DISK_MEGABYTES)
        with ThreadPoolExecutor() as together:
            list(together.map(self.start_one, (*WORKERS, *EDGES)))

    def start_one(self, name: str) -> None:
        """Start a process, and return when it serves: a worker answers for what is its own."""
        if name in self._files:
            self.start_server(name, self._files[name])
            self.processes[name] = self.servers[name]
        elif name in EDGES:
            host, port = self.edges[name]
            self._start_llum(name, "edge", "--http-host", host, "--http-port", str(port))
        else:
            self._start_llum(
                name, "worker", "--data-dir", str(self.folder / name), "--replicas", str(self.replicas)
            )  # fmt: skip

    def end_one(self, name: str) -> None:
        """End a process in order."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        code = process.wait(120)
        assert code == 0 or name in self._files, self.logged()

    def kill_one(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def logged_by(self, name: str) -> str:
        """Give all that a process has logged, however often it was started."""
        return "\n".join(file.read_text() for file in self.folder.glob(f"{name}-*.log"))

    def step_clock(self, name: str, ahead_s: float) -> None:
        """Put the wall clock of a worker or an edge forward or back, from what it really is."""
        own_clock.put(self._clock_of(name), ahead_s)

    def held(self, name: str) -> dict[int, Held]:
        """Read what a worker that has ended has on its disk, by partition."""
        files = (self.folder / name / "shards").glob("[0-9]*.db")
        return {int(path.stem): _read(path) for path in files}

    def clean_up(self) -> None:
        try:
            super().clean_up()
        finally:
            self.hosts.remove()
            if self.disk is not None:
                self.disk.unmount()

    def _start_llum(self, name: str, kind: str, *options: str) -> None:
        clock = self._clock_of(name)
        if not clock.exists():
            own_clock.put(clock, 0.0)
        own = {"--nats-url": self._urls_of(name), "--credentials": str(self.data_dir / "credentials.json")}
        words = [word for option in own.items() for word in option]
        command = [sys.executable, str(Path(own_clock.__file__)), str(clock), kind, *words, *options]
        for left in reversed(range(STARTS)):
            log = self.folder / f"{name}-{len(list(self.folder.glob(f'{name}-*.log')))}.log"
            try:
                self.processes[name] = self._run_to(log, '"event":"ready"', *self.on_host(name, *command))
            except AssertionError:
                if not left or NO_SERVER not in log.read_text():
                    raise
            else:
                return

    def _clock_of(self, name: str) -> Path:
        return self.folder / f"{name}.clock"

    def _urls_of(self, name: str) -> str:
        """Name all nats-servers, over the links of this process; one that is only looked at has none."""
        links = [self.links.get((name, place.name)) for place in self.places]
        return ",".join(f"nats://{link.at}" for link in links if link is not None) or self.url

    def _configuration_with_links(self, place: Place) -> Path:
        """Have a server reach the others over links, and tell nobody of other ways."""
        linked = {link.to: link.at for (one, _), link in self.routes.items() if one == place.name}
        file = self.configuration_of(place)
        head, routes, rest = file.read_text().partition('"routes": [')
        routed, end, rest = rest.partition("]")
        for direct, over in linked.items():
            routed = routed.replace(f"{direct}", f"{over}")
        own = f'cluster: {{\n "no_advertise": true,\n "advertise": "{NOWHERE}",'
        file.write_text(head.replace("cluster: {", own) + routes + routed + end + rest)
        return file


def _read(path: Path) -> Held:
    with closing(sqlite3.connect(path)) as shard:
        meta = dict(shard.execute("SELECT name, value FROM meta"))
        rows = sha256()
        for row in shard.execute("SELECT seq, n, kind, creation_us, body FROM evidence ORDER BY seq, n, kind"):
            rows.update(repr(row).encode())
        return Held(int(meta["applied_seq"]), bytes(meta["log_sum"]).hex(), int(meta["state_sum"]), rows.hexdigest())

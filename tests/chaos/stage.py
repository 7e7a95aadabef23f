"""The processes: a cluster of nats-servers, and workers each with a folder of its own, as on several machines."""

import signal
import sqlite3
import subprocess
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tests.deploy.cluster import Cluster

PARTITIONS = 16
WORKERS = ("worker-a", "worker-b", "worker-c")


class Held(NamedTuple):
    """What a worker holds of a partition: where it stands in the log, and sums of what it has applied."""

    applied_seq: int
    log_sum: str
    evidence: str
    """A digest of all its evidence."""


class Stage(Cluster):
    """Starts, kills, stops and restarts each of them."""

    def __init__(self, folder: Path, replicas: int) -> None:
        super().__init__(folder, LLUM_PARTITIONS=str(PARTITIONS))
        self.replicas = replicas
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._files: dict[str, Path] = {}

    def start_all(self) -> None:
        self._files = {place.name: self.configuration_of(place) for place in self.places}
        for name in self._files:
            self.restart_server(name)
        self.cli("admin", "install")
        for name in WORKERS:
            self.start_worker(name)

    def start_worker(self, name: str) -> None:
        """Start a worker, and return when it answers for what is its own."""
        credentials = self.data_dir / "credentials.json"
        self.workers[name] = self.start_process(
            "worker",
            "--data-dir", str(self.folder / name),
            "--credentials", str(credentials),
            "--replicas", str(self.replicas),
        )  # fmt: skip

    def end_worker(self, name: str) -> None:
        """Stop a worker in order."""
        process = self.workers.pop(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0, self.logged()

    def kill_worker(self, name: str) -> None:
        process = self.workers.pop(name)
        process.kill()
        process.wait()

    def kill_server(self, name: str) -> None:
        process = self.servers.pop(name)
        process.kill()
        process.wait()

    def restart_server(self, name: str) -> None:
        self.start_server(name, self._files[name])

    def held(self, name: str) -> dict[int, Held]:
        """Read what a worker that has ended has on its disk, by partition."""
        files = (self.folder / name / "shards").glob("[0-9]*.db")
        return {int(path.stem): _read(path) for path in files}


def _read(path: Path) -> Held:
    with closing(sqlite3.connect(path)) as shard:
        meta = dict(shard.execute("SELECT name, value FROM meta"))
        rows = sha256()
        for row in shard.execute("SELECT seq, n, kind, creation_us, body FROM evidence ORDER BY seq, n, kind"):
            rows.update(repr(row).encode())
        return Held(int(meta["applied_seq"]), bytes(meta["log_sum"]).hex(), rows.hexdigest())

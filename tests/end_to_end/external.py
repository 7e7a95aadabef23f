"""An llum on an external nats-server, each process started by hand, as an operator runs it on several machines."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

from bus.nats_process import find_binary
from tests.end_to_end.conftest import Llum
from tests.ports import free_port
from tests.system.harness import until

PARTITIONS = 4


class External(Llum):
    """A nats-server with the configuration that llum prints, and whichever processes of llum are started beside it."""

    def __init__(self, folder: Path, more: str = "", **settings: str) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        super().__init__(folder, **{"LLUM_NATS_URL": self.url, "LLUM_PARTITIONS": str(PARTITIONS)} | settings)
        self.more = more
        self._started: list[subprocess.Popen[bytes]] = []

    def configured(self, change: Any = lambda text: text) -> str:
        """Give the configuration that llum prints, for this machine."""
        text = json.loads(self.cli("nats-config", "--json", "--sync", "10s").stdout)["config"]
        text = text.replace("/var/lib/nats", str(self.folder / "nats"))
        return f'listen: "127.0.0.1:{self.port}"\n{change(text)}\n{self.more}\n'

    def start_nats(self, configuration: str) -> None:
        file = self.folder / "nats.conf"
        file.write_text(configuration)
        self._run_to(self.folder / "nats.log", "Server is ready", find_binary(), "-c", str(file))

    def start_process(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a process of llum, and return when it serves."""
        log = self.folder / f"{name}-{len(self._started)}.log"
        return self._run_to(log, '"event":"ready"', *self.program, name, *options)

    def clean_up(self) -> None:
        for process in reversed(self._started):
            process.send_signal(signal.SIGKILL)
            process.wait()
        super().clean_up()

    def logged(self) -> str:
        return "\n".join(file.read_text() for file in self.folder.glob("*.log"))

    def _run_to(self, log: Path, sign: str, *command: str) -> subprocess.Popen[bytes]:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        self._started.append(process)
        until(lambda: process.poll() is not None or sign in log.read_text(), f"{command[-1]} serves")
        assert process.poll() is None, log.read_text()
        return process


def without(text: str, pattern: str) -> str:
    """Take lines out of a configuration that match; there must be some."""
    kept = re.sub(pattern, "", text)
    assert kept != text
    return kept


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

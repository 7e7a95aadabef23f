"""A worker process, for tests that kill it."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from pathlib import Path

from bus.embedded import EmbeddedServer
from tests.actors.serving import PARTITIONS
from tests.waiting import DEADLINE_S


class WorkerProcess:
    """One worker process at a time, on one data folder."""

    def __init__(self, server: EmbeddedServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.process: Process | None = None

    async def start(self, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LLUM_")}
        ours = {
            "LLUM_DATA_DIR": str(self._folder),
            "LLUM_NATS_URL": self._server.url_as("operator"),
            "LLUM_PARTITIONS": str(PARTITIONS),
            "LLUM_ALLOW_PRIVATE_WEBHOOKS": "true",
        }
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "llum", "worker", env=kept | ours | environment, stdout=DEVNULL, stderr=DEVNULL
        )

    async def died(self) -> None:
        """Wait until it has been killed by its failpoint."""
        assert self.process is not None
        assert await asyncio.wait_for(self.process.wait(), DEADLINE_S) == -9

    async def end(self, end: Callable[[Process], None] = Process.terminate) -> None:
        """End it, and wait for that; `Process.kill` is kill -9."""
        if self.process is not None and self.process.returncode is None:
            end(self.process)
            await self.process.wait()

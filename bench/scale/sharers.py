"""Workers that share the partitions of one nats-server, each a process of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import NamedTuple

from bench import accounting
from bench.accounting import Spent
from bench.ground import PARTITIONS, BenchGround
from bench.in_turn import US, Turn
from bench.processes import Started, program
from bus.embedded import EmbeddedServer

LAG_S = 2.0
"""Seconds after which a worker has written to the disk what it has applied."""


class Sharer(NamedTuple):
    """A worker that answers for its share."""

    started: Started
    folder: Path

    @property
    def seconds(self) -> float:
        """Seconds that it took until then, without its imports."""
        return float(self.started.said["seconds"])

    def cpu_seconds(self) -> float:
        """Give what it has cost so far, without its imports."""
        return accounting.cpu_seconds([self.started.pid]) - float(self.started.said["imports_s"])


@contextlib.asynccontextmanager
async def sharer(url: str, folder: Path, name: str, *options: str) -> AsyncIterator[Sharer]:
    """Run a worker of that name on the shards in a folder."""
    async with program("programs.sharer", url, str(folder), str(PARTITIONS), name, *options) as started:
        yield Sharer(started, folder)


class SharersAtOnce:
    """One side of a ratio: so many workers that start at once with empty folders, until all have caught up."""

    def __init__(self, ground: BenchGround, server: EmbeddedServer, workers: int, commands: int) -> None:
        self._server = server
        self._commands = commands
        self._folders = (
            [ground.new_folder(f"{workers}-workers-{turn}-{number}") for number in range(workers)] for turn in count()
        )
        self._cpu_seconds = 0.0
        self.seconds: list[float] = []
        """Seconds of each turn until the last one answered for its share."""

    def spent(self) -> Spent:
        assert self._server.pid is not None, "it runs as long as the benchmark does"
        return {**accounting.spent([self._server.pid]), "worker": self._cpu_seconds}

    async def turn(self, _duration_s: float) -> Turn:
        """Catch up; the figure is CPU seconds per million commands, those of nats-server too."""
        before, folders = sum(self.spent().values()), next(self._folders)
        url = self._server.url_as("operator")
        async with AsyncExitStack() as exits:
            starts = (exits.enter_async_context(sharer(url, folder, folder.name)) for folder in folders)
            sharers = await asyncio.gather(*starts)
            self.seconds.append(max(one.seconds for one in sharers))
            await asyncio.sleep(LAG_S)
            self._cpu_seconds += sum(one.cpu_seconds() for one in sharers)
        return Turn((sum(self.spent().values()) - before) / self._commands * US, self._commands)


def shard_bytes(folders: Sequence[Path]) -> int:
    """Give what the shards in these folders take."""
    return sum(file.stat().st_size for folder in folders for file in (folder / "shards").glob("*.db*"))

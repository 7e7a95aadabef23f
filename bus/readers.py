"""The readers of a worker: each of its partitions is read from its own place, however late it joins.

One reader for each log stream follows the stream's end. Partitions that join further back are read by another one, so
that those which answer already wait for nothing; it hands them over once it has got as far. What joins together is
read together: many readers of one stream would have nats-server look through the same blocks for each of them.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bus.connection import Bus
from bus.log import LogMessage, LogReader
from bus.subjects import log_stream_of


class _Stream:
    """The readers of one log stream, and who waits for the next one to begin."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.follower: LogReader | None = None
        """The reader that follows the end."""
        self.at_end: dict[int, int] = {}
        """Partitions that are to be read from the end on, with their first sequences."""
        self.behind: dict[int, int] = {}
        """The same of those that have something to catch up with."""
        self.end = 0
        """Where the stream ended when the last of them joined."""


class LogReaders:
    """Calls `deliver` with bursts of messages of the partitions that have joined, each once and in order.

    `room` tells how many messages more may be delivered; whoever makes room calls `wake`. Neither may block. `failed`
    is called once with what ends the reading for good.
    """

    def __init__(
        self,
        bus: Bus,
        log_streams: int,
        deliver: Callable[[list[LogMessage]], None],
        room: Callable[[], int],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._bus = bus
        self._log_streams = log_streams
        self._deliver = deliver
        self._room = room
        self._failed = failed
        self._gathering = 0
        self._streams: dict[str, _Stream] = {}
        self._reader_of: dict[int, LogReader] = {}
        self._tasks: dict[LogReader, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Begin to read nothing new as long as the block lasts: what joins in it is read together."""
        self._gathering += 1
        try:
            yield
        finally:
            self._gathering -= 1
            if not self._gathering:
                self._begin()

    def join(self, partition: int, first: int, end: int) -> None:
        """Read a partition from a sequence on. `end` is the end of its stream; `first` above it: there is no backlog.

        Call it within `gathering`.
        """
        name = log_stream_of(partition, self._log_streams)
        stream = self._streams.setdefault(name, _Stream(name))
        if first <= end:
            stream.behind[partition] = first
        elif stream.follower is None:
            stream.at_end[partition] = first
        elif stream.follower.reach < first:
            self._move(partition, first, stream.follower)
        else:
            stream.behind[partition] = first
        stream.end = max(stream.end, end)

    def leave(self, partition: int) -> None:
        """Deliver nothing more of a partition. Does nothing when it has not joined."""
        stream = self._streams.get(log_stream_of(partition, self._log_streams))
        if stream is not None:
            stream.at_end.pop(partition, None)
            stream.behind.pop(partition, None)
        reader = self._reader_of.pop(partition, None)
        if reader is not None:
            self._take_from(reader, partition)

    def position(self, partition: int) -> int:
        """Give a sequence up to which every message of the partition has been delivered."""
        reader = self._reader_of.get(partition)
        return 0 if reader is None else reader.position_of(partition)

    def wake(self) -> None:
        """Look for room now."""
        for reader in self._tasks:
            reader.wake()

    async def close(self) -> None:
        """Deliver nothing more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self) -> None:
        for stream in self._streams.values():
            if stream.at_end:
                stream.follower = self._start(stream, stream.at_end)
                stream.at_end = {}
            if stream.behind:
                self._start(stream, stream.behind)
                stream.behind = {}

    def _start(self, stream: _Stream, firsts: dict[int, int]) -> LogReader:
        reader = LogReader(
            self._bus, firsts, self._deliver, self._share, stream.name, lambda: self._progressed(stream, reader)
        )
        self._reader_of.update(dict.fromkeys(firsts, reader))
        task = self._tasks[reader] = asyncio.create_task(reader.run())
        task.add_done_callback(lambda _: self._ended(stream, reader, task))
        return reader

    def _share(self) -> int:
        return self._room() // max(1, len(self._tasks))

    def _progressed(self, stream: _Stream, reader: LogReader) -> bool:
        """Hand over the partitions of a reader that has got as far as the one which follows the end.

        False: this one follows the end, so there is nothing to hand over after its next burst.
        """
        follower = stream.follower
        if follower is None:
            if reader.position >= stream.end:
                stream.follower = reader
        elif follower is not reader and reader.position >= follower.reach:
            for partition in reader.partitions:
                self._move(partition, reader.position + 1, follower)
                self._take_from(reader, partition)
        return stream.follower is not reader

    def _move(self, partition: int, first: int, reader: LogReader) -> None:
        reader.join(partition, first)
        self._reader_of[partition] = reader

    def _take_from(self, reader: LogReader, partition: int) -> None:
        reader.leave(partition)
        if not reader.partitions:
            self._dismiss(reader)

    def _dismiss(self, reader: LogReader) -> None:
        """Forget a reader that has nothing to read; its task ends by itself."""
        for stream in self._streams.values():
            if stream.follower is reader:
                stream.follower = None

    def _ended(self, stream: _Stream, reader: LogReader, task: "asyncio.Task[None]") -> None:
        del self._tasks[reader]
        if stream.follower is reader:
            stream.follower = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)

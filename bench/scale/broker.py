"""What nats-server keeps in memory for each subject that people have in the log.

Two nats-servers store as many messages about as many people: in one, each person has one subject, in the other several.
The difference of what their heaps hold after a garbage collection is what the other subjects take: while they are in
use, and a few minutes later, when nats-server has dropped what it can read again from the disk.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import nats

from bench import people
from bench.figures import Result, absolute
from bench.ground import PARTITIONS, BenchGround, Benchmark
from bus.connection import Bus
from bus.embedded import ANY_PORT, EmbeddedServer
from bus.installation import install
from bus.subjects import command_subject

SUBJECTS: Final = 8
"""Subjects of each person where they have several; messages of each person in both."""

BODY: Final = b"x" * 100
PER_ACK: Final = 1000
ACK_WITHIN_S: Final = 60.0

_HEAP: Final = re.compile(r"^# HeapAlloc = ([0-9]+)$", re.MULTILINE)


class _Profiled(EmbeddedServer):
    """A nats-server that tells what its heap holds."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, partitions=PARTITIONS, sync_interval="10s")

    def configuration(self) -> str:
        return f"{super().configuration()}\nprof_port: {ANY_PORT}\n"

    async def heap_bytes(self) -> int:
        """Give what the heap holds after a garbage collection."""
        return await asyncio.to_thread(self._heap_bytes)

    def _heap_bytes(self) -> int:
        url = f"http://127.0.0.1:{self.listens_at()['profile']}/debug/pprof/heap?gc=1&debug=1"
        with urlopen(url, timeout=60) as answer:
            found = _HEAP.search(answer.read().decode())
        assert found, "Go tells it"
        return int(found[1])


async def broker_subject(ground: BenchGround) -> Result:
    """Measure how the heap grows with subjects."""
    count = ground.sizes.broker_people
    used, rested = zip(*[await _heaps(ground, count, subjects) for subjects in (1, SUBJECTS)], strict=True)
    others = count * (SUBJECTS - 1)
    in_use, at_rest = ((several - one) / others for one, several in (used, rested))
    counted = (
        f"heap of nats-server for each subject of the log, of {count:,} people with {SUBJECTS} subjects beside as many "
        f"with one, and as many messages; {in_use:,.0f} bytes while they are in use"
    )
    return Result(absolute("bytes", at_rest), counted)


async def _heaps(ground: BenchGround, count: int, subjects: int) -> tuple[int, int]:
    """Give what the heap holds at once, and when nobody has read or written for a while."""
    server = _Profiled(ground.new_folder(f"broker-{subjects}"))
    await server.start()
    try:
        await server.wait_ready()
        bus = await Bus.connect(server.url_as("operator"), name="bench")
        await install(bus, PARTITIONS)
        await bus.close()
        await _store(server.url_as("operator"), _subjects(count, subjects))
        used = await server.heap_bytes()
        await asyncio.sleep(ground.sizes.idle_s)
        return used, await server.heap_bytes()
    finally:
        await server.stop()


def _subjects(count: int, subjects: int) -> Iterator[str]:
    for number in range(count):
        for nth in range(SUBJECTS):
            yield command_subject(people.person(number), f"app{nth % subjects}", "tell")


async def _store(url: str, subjects: Iterator[str]) -> None:
    connection = await nats.connect(url)
    try:
        for number, subject in enumerate(subjects, 1):
            if number % PER_ACK:
                await connection.publish(subject, BODY)
            else:
                await connection.request(subject, BODY, timeout=ACK_WITHIN_S)
        await connection.flush(int(ACK_WITHIN_S))
    finally:
        await connection.close()


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"broker_subject": broker_subject}

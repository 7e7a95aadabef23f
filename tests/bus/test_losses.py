"""What the log has lost is found: bytes of a real stream's files are flipped, and it is read."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from bus import losses
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.jetstream import JetStream
from bus.losses import Losses, find_losses, written
from bus.subjects import LOG_STREAM
from schemas.errors import Transient
from tests.nats_server import installed_server

COUNT: Final = 200
FIRST: Final = 2
"""The first sequence of a log."""

SUBJECT: Final = "llum.log.0.alice.phone.tell"


async def store(bus: Bus, size: int = 200, count: int = COUNT) -> None:
    for number in range(count):
        await JetStream(bus).publish(SUBJECT, b'{"n":%04d}' % number + b"x" * size)


def block_with(folder: Path, number: int) -> tuple[Path, int]:
    """Give the block file that has a message, and where its number is."""
    mark = b'{"n":%04d}' % number
    for path in sorted(folder.rglob(f"{LOG_STREAM}/msgs/*.blk")):
        at = path.read_bytes().find(mark)
        if at >= 0:
            return path, at
    raise AssertionError(f"no block has message {number}")


def flip(folder: Path, number: int, offset: int) -> None:
    """Flip two bytes of a message, so far from its number."""
    path, at = block_with(folder, number)
    flip_bytes_at(path, at + offset)


def flip_bytes_at(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        flipped = bytes(byte ^ 0xFF for byte in file.read(2))
        file.seek(at)
        file.write(flipped)


def remove_index(folder: Path) -> None:
    for index in folder.rglob(f"{LOG_STREAM}/msgs/index.db"):
        index.unlink()


PAYLOAD: Final = 20
LENGTH: Final = -len(SUBJECT) - 22
"""Where the length of a message's record is, before its subject."""


async def looked(server: EmbeddedServer) -> Losses:
    bus = await Bus.connect(server.url_as("operator"), name="test")
    try:
        return await find_losses(bus, LOG_STREAM)
    finally:
        await bus.close()


async def filled(server: EmbeddedServer, size: int = 200, count: int = COUNT) -> None:
    bus = await Bus.connect(server.url_as("operator"), name="test")
    await store(bus, size, count)
    await JetStream(bus).erase(LOG_STREAM, FIRST + 7)
    await bus.close()


async def test_a_whole_log_has_lost_nothing(tmp_path: Path) -> None:
    """What was erased is no loss, and neither is what is written while one reads."""
    async with installed_server(tmp_path, 1, 1) as server:
        await filled(server)
        found = await looked(server)
        assert found.is_whole
        assert (found.first_seq, found.last_seq, found.read, found.deleted) == (FIRST, FIRST + 199, COUNT - 1, 1)


async def test_a_message_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    """nats-server passes over it in silence; it is named by its sequence."""
    async with installed_server(tmp_path, 1, 1) as server:
        await filled(server)
        await server.stop()
        flip(tmp_path, 60, PAYLOAD)
        await server.start()
        await server.wait_ready()
        found = await looked(server)
        assert found.lost == [(62, 62)]
        assert (found.lost_count, found.is_whole) == (1, False)


async def test_all_that_is_lost_behind_a_damaged_length_is_found(tmp_path: Path) -> None:
    """Two flipped bytes lose the rest of the block. Also when nats-server has noticed, and calls it deleted."""
    async with installed_server(tmp_path, 1, 1) as server:
        await filled(server, 500_000, 40)
        await server.stop()
        flip(tmp_path, 20, LENGTH)
        path, _ = block_with(tmp_path, 20)
        in_block = path.read_bytes().count(b'{"n":')
        await server.start()
        await server.wait_ready()
        first, second = await looked(server), await looked(server)
        assert first.lost == second.lost
        ((start, end),) = first.lost
        assert start == 22
        assert 1 < end - start + 1 <= in_block


async def test_what_was_cut_off_at_a_start_is_suspected(tmp_path: Path) -> None:
    """nats-server then lists it as deleted, and says only how many bytes it was."""
    async with installed_server(tmp_path, 1, 1) as server:
        await filled(server, 500_000, 40)
        server.kill()
        await server.wait()
        flip(tmp_path, 20, LENGTH)
        remove_index(tmp_path)
        await server.start()
        await server.wait_ready()
        found = await looked(server)
        assert not found.is_whole
        assert found.cut_bytes > 500_000
        assert found.suspected[0] == (FIRST + 7, FIRST + 7)
        assert found.suspected[1][0] == 22


async def test_a_list_that_is_too_long_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then ranges are unknown, but not that something is lost."""
    monkeypatch.setattr("bus.losses.MAX_LISTED", 0)
    async with installed_server(tmp_path, 1, 1) as server:
        await filled(server)
        assert (await looked(server)).is_whole
        await server.stop()
        flip(tmp_path, 60, PAYLOAD)
        await server.start()
        await server.wait_ready()
        found = await looked(server)
        assert (found.lost, found.lost_count, found.is_whole) == ([], 1, False)


async def test_an_end_that_was_erased_is_no_loss(tmp_path: Path) -> None:
    """Nor is a stream of which all was erased."""
    async with installed_server(tmp_path, 1, 1) as server:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        await store(bus, count=3)
        await JetStream(bus).erase(LOG_STREAM, FIRST + 2)
        found = await find_losses(bus, LOG_STREAM)
        assert (found.is_whole, found.read, found.last_seq) == (True, 2, FIRST + 2)
        for seq in (FIRST, FIRST + 1):
            await JetStream(bus).erase(LOG_STREAM, seq)
        found = await find_losses(bus, LOG_STREAM)
        assert (found.is_whole, found.read) == (True, 0)
        await bus.close()


async def test_nobody_waits_for_ever_for_a_server_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing any more, and no connection ends."""
    monkeypatch.setattr(losses, "SILENCE_S", 0.3)
    async with installed_server(tmp_path, 1, 1) as server:
        await filled(server)
        bus = await Bus.connect(server.url_as("operator"), name="test")
        assert server.pid is not None
        stop = partial(os.kill, server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(Transient, match="gave nothing"):
                await find_losses(bus, LOG_STREAM, lambda _: stop())
        finally:
            os.kill(server.pid, signal.SIGCONT)
            await bus.close()


def test_ranges_are_written_for_people() -> None:
    """Of many only the first are shown."""
    assert written([(4, 4), (7, 9)]) == "4, 7-9"
    assert written([(n, n) for n in range(1, 100, 2)], 2) == "1, 3 and 48 more ranges"

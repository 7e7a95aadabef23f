"""When a shard is made anew, what the log has lost is said by range."""

import asyncio
from pathlib import Path

import pytest
import structlog

from actors.log_examiner import LogExaminer
from bus.subjects import DEFAULT_LOG_STREAMS, log_stream_of
from tests.actors.hosting import ALICE, HERS, Host
from tests.bus.test_losses import flip_bytes_at
from tests.waiting import until

STREAM = log_stream_of(HERS, DEFAULT_LOG_STREAMS)


def damage_value(folder: Path, text: bytes) -> None:
    """Flip two bytes of the message of the log that has a text."""
    for path in folder.rglob(f"{STREAM}/msgs/*.blk"):
        at = path.read_bytes().find(text)
        if at >= 0:
            flip_bytes_at(path, at)
            return
    raise AssertionError(f"no message has {text!r}")


async def test_a_shard_made_anew_has_the_log_examined(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the sequence that is missing; one that goes on from its own place asks for nothing."""
    worker = await host.worker("one")
    await worker.add(HERS)
    await host.llum.make_person(ALICE, "a")
    for value in ("first", "second", "third"):
        await host.llum.tell("a", value)
    await worker.remove(HERS)
    await host.server.stop()
    damage_value(host.folder, b"second")
    await host.server.start()
    await host.server.wait_ready()
    wanted: list[str] = []
    monkeypatch.setattr(LogExaminer, "examine", lambda _, stream: wanted.append(stream))
    await worker.add(HERS)
    assert wanted == []
    other = await host.worker("two")
    await other.add(HERS)
    assert wanted == [STREAM]


async def test_what_is_lost_is_said(host: Host) -> None:
    """Once for a stream, however many of its partitions are made anew."""
    await host.store_tells(3)
    await host.server.stop()
    damage_value(host.folder, b'"value":1')
    await host.server.start()
    await host.server.wait_ready()
    examiner, examined = LogExaminer(), asyncio.Event()
    examiner.examine(STREAM)
    examiner.examine(STREAM)
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(examiner.run(host.llum.bus, 0.0, examined.set))
        await until(examined.is_set, "the stream has been examined")
        running.cancel()
    (said,) = (line for line in logs if line["event"] == "log_has_losses")
    assert said["losses"] == f"{STREAM}: 1 commands: 3"

"""Restoring the streams of a backup into a nats-server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bus.connection import Bus
from bus.snapshots import StreamCopy, restore_stream
from bus.subjects import is_log_stream
from llum.backup.manifest import STREAMS, CopiedStream, Manifest
from llum.failures import Fault
from llum.places.files import OnProgress

_CHUNK: Final = 256 * 1024
_COUNTED: Final = ("messages", "first_seq", "last_seq", "num_deleted")


async def restore_streams(
    bus: Bus, folder: Path, manifest: Manifest, on_progress: OnProgress, replicas: int = 1
) -> None:
    """Restore all streams of a backup. Raises a `Fault` if one is not what was copied."""
    for one in manifest.streams:
        on_progress(f"restoring {one.name}: {one.bytes / 1e6:,.1f} MB")
        copy = StreamCopy(one.copy.config | {"num_replicas": replicas}, one.copy.state)
        state = await restore_stream(bus, copy, _chunks(folder / STREAMS / one.name))
        _compare(one, state)


def _compare(one: CopiedStream, state: dict[str, int]) -> None:
    """What expires is less by now, and schedules may have fired; of the log nothing may differ but what was lost."""
    wanted = one.copy.state
    exact = is_log_stream(one.name) and one.is_whole
    if exact and any(wanted.get(name, 0) != state.get(name, 0) for name in _COUNTED):
        told = ", ".join(f"{name} {state.get(name, 0)} instead of {wanted.get(name, 0)}" for name in _COUNTED)
        raise Fault(f"{one.name} was not restored as it was copied: {told}", "Make another backup, or restore one.")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk

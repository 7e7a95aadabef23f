"""Restoring a backup into a data folder, or a nats-server, that has no log yet."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.installation import check_server
from bus.jetstream import JetStream
from bus.log_format import check_format
from bus.mappings import check_mappings
from bus.replicas import CHANGED_WITHIN_S, replicas_of
from bus.snapshots import StreamCopy, restore_stream
from bus.subjects import is_log_stream, is_own_stream
from llum.backup.manifest import FILES, STREAMS, CopiedStream, Manifest, check_files, read_manifest
from llum.failures import Fault
from llum.processes.running import DataFolder
from llum.settings import Settings

_CHUNK: Final = 256 * 1024
_COUNTED: Final = ("messages", "first_seq", "last_seq", "num_deleted")
_NATS: Final = "nats"


async def restore_backup(folder: Path, settings: Settings, on_progress: Callable[[str], None]) -> Manifest:
    """Restore a backup. What was there of a log is in the way; an interrupted restore leaves nothing.

    Raises `Fault`, `InstallationError`, `EmbeddedServerError`, `ApiError`, `Transient`.
    """
    manifest = read_manifest(folder)
    check_format(manifest.log_format, str(folder))
    on_progress("checking the backup's files")
    check_files(folder, manifest)
    data_dir = settings.data_dir
    _check_is_free(data_dir)
    held = DataFolder(data_dir)
    try:
        await _restore(folder, manifest, settings, on_progress)
    except BaseException:
        shutil.rmtree(data_dir / _NATS, ignore_errors=True)
        raise
    finally:
        held.release()
    return manifest


async def restore_into(bus: Bus, folder: Path, on_progress: Callable[[str], None]) -> Manifest:
    """Restore a backup into a nats-server that runs, and has the accounts and mappings of llum but nothing else of it.

    In a cluster each stream gets as many replicas as those of a new installation. An interrupted restore leaves
    nothing. Raises `Fault`, `InstallationError`, `ApiError`, `Transient`.
    """
    manifest = read_manifest(folder)
    check_format(manifest.log_format, str(folder))
    on_progress("checking the backup's files")
    check_files(folder, manifest)
    check_server(bus.server_info)
    await check_mappings(bus, manifest.partitions)
    there = sorted(filter(is_own_stream, await JetStream(bus).streams(">")))
    if there:
        hint = "Restore into a nats-server that has no llum yet. Nothing is ever restored over a log that is there."
        raise Fault(f"this nats-server has streams of llum already, such as {there[0]}", hint)
    try:
        await restore_streams(bus, folder, manifest, on_progress, await replicas_of(bus))
    except BaseException:
        for name in filter(is_own_stream, await JetStream(bus).streams(">")):
            await JetStream(bus).call(f"STREAM.DELETE.{name}", timeout_s=CHANGED_WITHIN_S)
        raise
    return manifest


async def restore_streams(
    bus: Bus, folder: Path, manifest: Manifest, on_progress: Callable[[str], None], replicas: int = 1
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


def _check_is_free(data_dir: Path) -> None:
    there = [name for name in (_NATS, "shards") if (data_dir / name).exists()]
    if there:
        raise Fault(
            f"{data_dir} has {' and '.join(there)} already",
            f"Stop llum, move the folder away (`mv {data_dir} {data_dir}.before`), and restore again.",
        )


async def _restore(folder: Path, manifest: Manifest, settings: Settings, on_progress: Callable[[str], None]) -> None:
    server = EmbeddedServer(settings.data_dir, 0, manifest.partitions, sync_interval=settings.sync)
    await server.start()
    try:
        await server.wait_ready()
        bus = await Bus.connect(server.url_as("operator"), name="llum-restore")
        try:
            await restore_streams(bus, folder, manifest, on_progress)
        finally:
            await bus.close()
    finally:
        await server.stop()
    for name in manifest.files:
        shutil.copyfile(folder / FILES / name, settings.data_dir / name)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk

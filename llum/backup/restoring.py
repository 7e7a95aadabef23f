"""Restoring a backup into a data folder, or a nats-server, that has no log yet.

Whoever was forgotten after it was made is forgotten once more first (`forgetting_again`). A data folder gets the log
only after that, so a restore that is killed leaves nothing that could be started.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bus.connection import Bus
from bus.embedded import FOLDER, EmbeddedServer, end_running
from bus.installation import check_server
from bus.jetstream import JetStream
from bus.log_format import check_format
from bus.mappings import check_mappings
from bus.replicas import CHANGED_WITHIN_S, replicas_of
from bus.subjects import is_own_stream
from llum.backup.forgetting_again import Again, ConnectWorker, Restoration, forget_again
from llum.backup.manifest import FILES, Manifest, check_files, read_manifest
from llum.backup.streams import restore_streams
from llum.failures import Fault
from llum.places.files import FORGOTTEN_FILE, OnProgress
from llum.places.forgotten_files import add_to, check_list, content_of, lists_in
from llum.processes.running import RESTORING, DataFolder
from llum.settings import Settings


class Restored(NamedTuple):
    """A backup that was restored."""

    manifest: Manifest
    again: Again


async def restore_backup(
    folder: Path, settings: Settings, on_progress: OnProgress, lists: Sequence[Path] = ()
) -> Restored:
    """Restore a backup. What was there of a log is in the way; an interrupted restore leaves nothing.

    `lists` are further lists of forgotten people, beside that of the backup and that of the data folder.

    Raises `Fault`, `InstallationError`, `EmbeddedServerError`, `ApiError`, `Transient`.
    """
    data_dir = settings.data_dir
    manifest, lists = _checked(folder, [*lists_in(data_dir), *lists], on_progress)
    _check_is_free(data_dir)
    held = DataFolder(data_dir)
    try:
        again = await _restore(folder, manifest, settings, on_progress, lists)
    finally:
        _sweep(data_dir)
        held.release()
    return Restored(manifest, again)


async def restore_into(
    bus: Bus,
    as_worker: ConnectWorker,
    folder: Path,
    settings: Settings,
    on_progress: OnProgress,
    lists: Sequence[Path] = (),
) -> Restored:
    """Restore a backup into a nats-server that runs, and has the accounts and mappings of llum but nothing else of it.

    In a cluster each stream gets as many replicas as those of a new installation. An interrupted restore leaves
    nothing. Raises `Fault`, `InstallationError`, `ApiError`, `Transient`.
    """
    manifest, lists = _checked(folder, lists, on_progress)
    check_server(bus.server_info)
    await check_mappings(bus, manifest.partitions)
    there = sorted(filter(is_own_stream, await JetStream(bus).streams(">")))
    if there:
        hint = "Restore into a nats-server that has no llum yet. Nothing is ever restored over a log that is there."
        raise Fault(f"this nats-server has streams of llum already, such as {there[0]}", hint)
    try:
        await restore_streams(bus, folder, manifest, on_progress, await replicas_of(bus))
        with tempfile.TemporaryDirectory(prefix=RESTORING) as scratch:
            restoration = Restoration(bus, as_worker, manifest, settings, Path(scratch), on_progress)
            return Restored(manifest, await forget_again(restoration, lists))
    except BaseException:
        for name in filter(is_own_stream, await JetStream(bus).streams(">")):
            await JetStream(bus).call(f"STREAM.DELETE.{name}", timeout_s=CHANGED_WITHIN_S)
        raise


def _checked(folder: Path, lists: Sequence[Path], on_progress: OnProgress) -> tuple[Manifest, list[Path]]:
    """Give what a backup says of itself, and all lists, once it is seen that each can be read. Raises a `Fault`."""
    manifest = read_manifest(folder)
    check_format(manifest.log_format, str(folder))
    lists = [*lists_in(folder), *lists]
    for path in lists:
        check_list(content_of(path), str(path))
    on_progress("checking the backup's files")
    check_files(folder, manifest)
    return manifest, lists


def _check_is_free(data_dir: Path) -> None:
    there = [name for name in (FOLDER, "shards") if (data_dir / name).exists()]
    if there:
        raise Fault(
            f"{data_dir} has {' and '.join(there)} already",
            f"Stop llum, move the folder away (`mv {data_dir} {data_dir}.before`), and restore again "
            f"with --forgotten {data_dir}.before",
        )


def _sweep(data_dir: Path) -> None:
    """Remove what restores have left that were killed, and what is left of this one."""
    for scratch in data_dir.glob(f"{RESTORING}*"):
        end_running(scratch)
        shutil.rmtree(scratch, ignore_errors=True)


async def _restore(
    folder: Path, manifest: Manifest, settings: Settings, on_progress: OnProgress, lists: Sequence[Path]
) -> Again:
    data_dir = settings.data_dir
    _sweep(data_dir)
    scratch = Path(tempfile.mkdtemp(prefix=RESTORING, dir=data_dir))
    server = EmbeddedServer(scratch, 0, manifest.partitions, sync_interval=settings.sync)

    async def as_worker() -> Bus:
        return await Bus.connect(server.url_as("worker"), name="llum-restore-worker")

    await server.start()
    try:
        await server.wait_ready()
        bus = await Bus.connect(server.url_as("operator"), name="llum-restore")
        try:
            await restore_streams(bus, folder, manifest, on_progress)
            again = await forget_again(Restoration(bus, as_worker, manifest, settings, scratch, on_progress), lists)
        finally:
            await bus.close()
    finally:
        await server.stop()
    try:
        for name in manifest.files:
            shutil.copyfile(folder / FILES / name, data_dir / name)
        if again.known:
            add_to(data_dir / FORGOTTEN_FILE, again.known, again.installation)
        # Last: a folder with a log is one that can be started.
        (scratch / FOLDER).rename(data_dir / FOLDER)
    except OSError as error:
        raise Fault(f"cannot write into {data_dir}: {error.strerror}", "See that there is room.") from error
    return again

"""Making a backup of an llum that runs, and reading it back before it counts.

The streams of the log are copied last. What else there is (how far effects have left, tokens, schedules) is then a
moment older than the log, never newer: after a restore the log is read on from there, so an effect may leave twice, and
none is passed over. The register of forgotten people is copied first. Shards are no part of a backup: they are made
anew from the log, and so are always of it. Where the log was cut, they need snapshots: then these are a part of it
(`llum/backup/cut_logs.py`).
"""

import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from bus import log_cuts
from bus.backup_places import remember
from bus.connection import Bus
from bus.credentials import FILE as CREDENTIALS_FILE
from bus.embedded import EmbeddedServer
from bus.forgotten import Register, names_of
from bus.installation import Installation
from bus.installation import find as find_installation
from bus.jetstream import JetStream
from bus.losses import find_losses
from bus.object_subjects import is_object_stream
from bus.snapshots import copy_stream
from bus.subjects import FORGOTTEN_BUCKET, WORKER_BUCKET, bucket_stream, is_log_stream, is_own_stream
from llum.backup.cut_logs import check_snapshots
from llum.backup.manifest import FILES, STREAMS, CopiedStream, Manifest, digest_of
from llum.backup.streams import restore_streams
from llum.failures import Fault
from llum.places.files import FORGOTTEN_FILE, MANIFEST_FILE, OnProgress
from llum.places.forgotten_files import as_list
from llum.places.scratch import LOCK_FILE as MAKING_FILE
from llum.places.scratch import scratch_folder
from llum.places.telling import place_of
from llum.processes.running import LOCK_FILE
from llum.running import RUN_FILE
from llum.settings import SETTINGS, Settings

_PLACES: Final = frozenset({"data_dir", "nats_url"})
"""Settings that are of a machine; the second may hold a password."""

_NOT_COPIED: Final = frozenset({LOCK_FILE, RUN_FILE, FORGOTTEN_FILE, CREDENTIALS_FILE})
"""Files of a data folder that are of this machine and this moment, or, as llum's own credentials, made anew."""

_SCRATCH: Final = "read-back"


async def make_backup(
    bus: Bus, settings: Settings, folder: Path, on_progress: OnProgress, stored_at: str | None = None
) -> Manifest:
    """Make a backup in a folder that is not there yet. Raises `Fault`, `ApiError`, `Transient`.

    A log that has lost commands is copied too: the manifest says what is missing. `stored_at` is where the backup will
    be, if it does not stay in the folder: there it is told of who is forgotten later.
    """
    installation = await find_installation(bus)
    if installation is None:
        raise Fault("llum is not installed on this nats-server", "Name the llum to back up with --data-dir.")
    with _being_made(folder) as partial:
        # The backup is to know itself where it is, as whoever is forgotten after its restore is forgotten by it, too.
        await remember(bus, place_of(stored_at or str(folder)))
        await _copy_register(bus, partial)
        manifest = await _copy(bus, settings, installation, partial, on_progress)
        await _read_back(bus, partial, manifest, on_progress)
        (partial / MANIFEST_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        _flush(partial / MANIFEST_FILE)
    return manifest


@contextlib.contextmanager
def _being_made(folder: Path) -> Iterator[Path]:
    """Give a folder beside the wanted one, which gets its name once all is in it. Raises a `Fault`."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Fault(f"{folder} is there already", "Name a folder that is not there yet: each backup has its own.")
        with scratch_folder(folder.parent) as partial:
            yield partial
            partial.rename(folder)
            (folder / MAKING_FILE).unlink()
    except OSError as error:
        raise Fault(
            f"cannot write the backup {folder}: {error.strerror or error}",
            "See that there is room, and that you may write there.",
        ) from error


async def _copy(
    bus: Bus, settings: Settings, installation: Installation, partial: Path, on_progress: OnProgress
) -> Manifest:
    made_at = time.time()
    (partial / STREAMS).mkdir()
    cuts = await log_cuts.read(bus)
    own = filter(is_own_stream, await JetStream(bus).streams(">"))
    names = [name for name in own if not _is_made_anew(name, is_cut=bool(cuts))]
    streams = [
        await _copy_stream(bus, name, partial / STREAMS / name, on_progress) for name in sorted(names, key=_turn)
    ]
    return Manifest(
        made_at=made_at,
        nats_server=str(bus.server_info.get("version", "")),
        log_format=installation.log_format,
        partitions=installation.partitions,
        log_streams=installation.log_streams,
        settings=_changed(settings),
        files=_copy_files(settings.data_dir, partial / FILES),
        streams=streams,
    )


def _turn(stream: str) -> tuple[bool, bool, str]:
    """Say when a stream is copied: the log last, the register of forgotten people first.

    So of those whose forgetting is finished by that register, nothing is in any copy.
    """
    return is_log_stream(stream), stream != bucket_stream(FORGOTTEN_BUCKET), stream


async def _copy_register(bus: Bus, partial: Path) -> None:
    """Write who is known to be forgotten beside the backup, for one that is older: it can be named to a restore."""
    register, names = await Register(bus).known(), await names_of(bus)
    (partial / FORGOTTEN_FILE).write_bytes(as_list(register.values(), names.installation))


def _is_made_anew(stream: str, is_cut: bool) -> bool:
    """Snapshots are made anew, as shards are, unless the log was cut; and workers say anew that they are there."""
    return (is_object_stream(stream) and not is_cut) or stream == bucket_stream(WORKER_BUCKET)


async def _copy_stream(bus: Bus, name: str, path: Path, on_progress: OnProgress) -> CopiedStream:
    losses = await find_losses(bus, name, on_progress) if is_log_stream(name) else None
    size = 0

    def write(chunk: bytes) -> None:
        nonlocal size
        file.write(chunk)
        size += len(chunk)
        on_progress(f"copying {name}: {size / 1e6:,.1f} MB")

    with path.open("wb") as file:
        copy = await copy_stream(bus, name, write)
        file.flush()
        os.fsync(file.fileno())
    return CopiedStream(name, copy, size, digest_of(path), losses)


def _copy_files(data_dir: Path, target: Path) -> dict[str, str]:
    """Copy what lies in the data folder itself: the mark of its format, say."""
    target.mkdir()
    copied: dict[str, str] = {}
    for path in sorted(data_dir.iterdir()) if data_dir.is_dir() else []:
        if path.is_file() and path.name not in _NOT_COPIED and not path.name.startswith("."):
            shutil.copyfile(path, target / path.name)
            copied[path.name] = digest_of(target / path.name)
    return copied


def _changed(settings: Settings) -> dict[str, Any]:
    values = {name: getattr(settings, name) for name in SETTINGS if name not in _PLACES}
    return {name: value for name, value in values.items() if value != SETTINGS[name].default}


async def _read_back(live: Bus, partial: Path, manifest: Manifest, on_progress: OnProgress) -> None:
    """Restore the copies in a nats-server of their own, and read each command of them. Raises a `Fault`."""
    async with _scratch(partial / _SCRATCH, manifest.partitions) as bus:
        await restore_streams(bus, partial, manifest, on_progress)
        for name in (one.name for one in manifest.streams if is_log_stream(one.name)):
            copied = await find_losses(bus, name, on_progress)
            if not copied.is_whole:
                raise Fault(f"the copy of {name} cannot be read back", "See that the disk is sound, and try again.")
        on_progress("reading the snapshots")
        await check_snapshots(live, bus)


@asynccontextmanager
async def _scratch(folder: Path, partitions: int) -> AsyncIterator[Bus]:
    server = EmbeddedServer(folder, 0, partitions, sync_interval="10s")
    await server.start()
    try:
        await server.wait_ready()
        bus = await Bus.connect(server.url_as("operator"), name="llum-backup")
        try:
            yield bus
        finally:
            await bus.close()
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

"""What a copy of a shard holds, and whether a snapshot can be a shard again. It reads whole files, in threads."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from actors.store import sql
from actors.store.copying import CopyFailed
from actors.store.digests import Landmark
from actors.store.raising import READABLE
from bus.shard_snapshots import SnapshotManifest
from bus.snapshot_files import SnapshotUnusable


class CopyContents(NamedTuple):
    """What is in a copy of a shard."""

    last: Landmark
    """Its digest is empty where it is not known."""
    log_sum: int
    state_sum: int
    commands: int
    digest_key: int
    erased_seq: int
    traces: bool
    """It still names somebody who was forgotten, until something has left the outbox."""


def contents(copy: Path) -> CopyContents:
    """Read what a copy says of itself. Raises `CopyFailed` where that cannot be read."""
    try:
        return _contents(copy)
    except sqlite3.Error as error:
        raise CopyFailed(f"the copy cannot be read: {error}") from error


def _contents(copy: Path) -> CopyContents:
    with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True, isolation_level=None)) as connection:
        meta = dict(connection.execute(sql.READ_META).fetchall())
        return CopyContents(
            last=Landmark(meta["applied_seq"], meta["last_time_us"], meta["last_digest"]),
            log_sum=int.from_bytes(meta["log_sum"], "little"),
            state_sum=meta["state_sum"],
            commands=meta["commands"],
            digest_key=meta["digest_key"],
            erased_seq=meta.get("erased_seq", 0),
            traces=bool(meta["traces"]),
        )


def check_readable(manifest: SnapshotManifest, digest_key: int) -> None:
    """Raise `SnapshotUnusable` if this llum cannot read a snapshot, or it is of another installation."""
    if manifest.schema not in READABLE:
        raise SnapshotUnusable(f"it has schema {manifest.schema}, this llum has {sql.SCHEMA_VERSION}")
    if manifest.digest_key != digest_key:
        raise SnapshotUnusable("it is of another installation")


def put_in_place(unpacked: Path, path: Path) -> None:
    """Give an unpacked file its name, for good. Raises `OSError`."""
    unpacked.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

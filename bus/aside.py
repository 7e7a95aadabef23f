"""Shards that are not used any more, and not yet deleted: an operator may want to see what has become of them.

They lie in the folder `aside` below the shards, under the time at which they were set aside. The log has their data, so
nothing is read from them again. They hold what persons have told, so they go after a week, and with the first forget in
their partition.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

KEPT_S: Final = 7 * 24 * 3600
"""Seconds that a shard is kept after it was set aside: a week to look at it."""

FOLDER: Final = "aside"

AsideReason = Literal["damaged", "other_log", "differs", "behind"]
"""Why it was set aside: the disk gave it back damaged, it is not of this log, it was not as other copies are, or it
lacked what had been cut off the log."""

_SIDE_FILES: Final = ("-wal", "-shm")
_TIME: Final = "%Y-%m-%dT%H-%M-%SZ"
_NAME: Final = re.compile(r"(?P<partition>\d+)\.(?P<time>[^.]+)\.(?P<reason>damaged|other_log|differs|behind)\.db")


class Aside(msgspec.Struct, frozen=True):
    """A shard that was set aside."""

    partition: int
    reason: AsideReason
    since: float
    """When it was set aside, seconds since 1970."""
    bytes: int
    path: str

    @property
    def until(self) -> float:
        """When it is deleted, seconds since 1970."""
        return self.since + KEPT_S


def set_aside(shard: Path, reason: AsideReason, now: float) -> Path:
    """Move the closed file of a shard aside, and give its new path. Raises `OSError`."""
    folder = shard.parent / FOLDER
    folder.mkdir(exist_ok=True)
    new = _free(folder, shard.stem, reason, now)
    # The file itself goes last: if this is interrupted, the shard is still there and is set aside again.
    for suffix in (*_SIDE_FILES, ""):
        old = Path(f"{shard}{suffix}")
        if old.exists():
            old.rename(f"{new}{suffix}")
    return new


def list_aside(shard_dir: Path) -> list[Aside]:
    """List what is set aside in a folder of shards, the oldest first."""
    found = [_described(path, match) for path, match in _files(shard_dir)]
    return sorted(found, key=lambda one: (one.since, one.partition))


def remove_aside(shard: Path) -> None:
    """Delete all that was set aside of the partition of a shard. Raises `OSError`."""
    for path, match in _files(shard.parent):
        if match["partition"] == shard.stem:
            remove_shard(path)


def remove_old(shard_dir: Path, now: float) -> None:
    """Delete what was set aside more than a week ago. Raises `OSError`."""
    for one in list_aside(shard_dir):
        if one.until <= now:
            remove_shard(Path(one.path))


def remove_shard(path: Path) -> None:
    """Delete the file of a shard and those that SQLite keeps beside it. Raises `OSError`."""
    for suffix in (*_SIDE_FILES, ""):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _files(shard_dir: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    folder = shard_dir / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = _NAME.fullmatch(path.name)
        if match is not None:
            yield path, match


def _free(folder: Path, partition: str, reason: AsideReason, now: float) -> Path:
    """Find a name that is not taken: a shard may be set aside twice in a second."""
    while True:
        time = datetime.fromtimestamp(now, UTC).strftime(_TIME)
        path = folder / f"{partition}.{time}.{reason}.db"
        if not path.exists():
            return path
        now += 1


def _described(path: Path, match: re.Match[str]) -> Aside:
    since = datetime.strptime(match["time"], _TIME).replace(tzinfo=UTC).timestamp()
    files = [Path(f"{path}{suffix}") for suffix in ("", *_SIDE_FILES)]
    size = sum(file.stat().st_size for file in files if file.exists())
    reasons: tuple[AsideReason, ...] = get_args(AsideReason)
    reason = next(one for one in reasons if one == match["reason"])
    return Aside(int(match["partition"]), reason, since, size, str(path))

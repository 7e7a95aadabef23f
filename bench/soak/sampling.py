"""One look at a running llum: memory, descriptors, threads, disk, lag."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple
from urllib.request import urlopen

import msgspec
import psutil
from prometheus_client.parser import text_string_to_metric_families

from bench.accounting import process_name, tree
from bus.subjects import SNAPSHOT_STORE, all_log_streams

MB: Final = 1e6

LAG: Final = "llum_partition_log_lag"
APPLIED: Final = "llum_partition_applied_commands_total"
AHEAD: Final = "written ahead MB"
"""What SQLite has yet to take over into the shards. It goes up and down, and says nothing of how they grow."""

UNCOMMITTED: Final = "llum_uncommitted_commands"
ACTIVE: Final = "llum_active_models"

STORES: Final = {all_log_streams().rstrip("*"): "log", f"OBJ_{SNAPSHOT_STORE}": "snapshots"}
"""Streams that are shown apart, by how their names begin."""


class SoakSample(NamedTuple):
    """How llum stands at one moment."""

    commands: float
    """Commands applied so far."""
    levels: dict[str, float]
    """What is to stay flat, by name: `memory worker MB`, `descriptors edge`, `lag`."""
    disk: dict[str, float]
    """MB on the disk by what they are of, of what grows with commands."""


class SoakSampler:
    """Looks at one llum."""

    def __init__(self, pid: int, data_dir: Path, metrics_url: str) -> None:
        self._pid = pid
        self._data_dir = data_dir
        self._metrics_url = metrics_url

    async def sample(self) -> SoakSample:
        """Look. Raises `OSError` when the worker does not tell its metrics."""
        return await asyncio.to_thread(self._sample)

    def _sample(self) -> SoakSample:
        told = _told(self._metrics_url)
        levels = {
            **_processes(self._pid),
            AHEAD: _size(self._data_dir / "shards", _is_ahead),
            "lag commands": told[LAG],
            "uncommitted commands": told[UNCOMMITTED],
            "active models": told[ACTIVE],
        }
        return SoakSample(told[APPLIED], levels, _disk(self._data_dir))


def metrics_url(data_dir: Path) -> str:
    """Find where the worker tells its metrics, in its log."""
    for line in (data_dir / "log" / "worker.jsonl").read_bytes().splitlines():
        said = msgspec.json.decode(line)
        if said["event"] == "metrics_served":
            return f"http://{said['host']}:{said['port']}/metrics"
    raise FileNotFoundError("the worker has not said where it tells its metrics")


def _told(url: str) -> dict[str, float]:
    """Read metrics, those of all partitions in one."""
    sums = dict.fromkeys((LAG, APPLIED, UNCOMMITTED, ACTIVE), 0.0)
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - our own worker
        text = answer.read().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in sums:
                sums[sample.name] += sample.value
    return sums


def _processes(pid: int) -> dict[str, float]:
    levels: dict[str, float] = {}
    for each in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            process, name = psutil.Process(each), process_name(each)
            levels[f"memory {name} MB"] = _own_memory(process) / MB
            levels[f"descriptors {name}"] = process.num_fds()
            levels[f"threads {name}"] = process.num_threads()
    return levels


def _own_memory(process: psutil.Process) -> int:
    """Give the bytes that a process has taken, without its program and libraries: a heap, that is, and stacks.

    Of these more or less are its own as other processes come and go that have loaded them, too.
    """
    found = process.memory_full_info()
    return int(found.rss - found.shared + found.swap)


def _disk(data_dir: Path) -> dict[str, float]:
    """Give MB by what they are of: each stream's folder, the shards, the log files."""
    sizes = dict.fromkeys(("log", "snapshots", "other streams", "shards", "log files"), 0.0)
    # Not any deeper: what is in the folder of a stream comes and goes.
    for folder in (data_dir / "nats" / "jetstream").glob("*/*/streams"):
        for stream in folder.iterdir():
            of = next((kind for start, kind in STORES.items() if stream.name.startswith(start)), "other streams")
            sizes[of] += _size(stream)
    sizes["shards"] = _size(data_dir / "shards", lambda name: not _is_ahead(name))
    sizes["log files"] = _size(data_dir / "log")
    return sizes


def _is_ahead(name: str) -> bool:
    return name.endswith(("-wal", "-shm"))


def _size(folder: Path, counts: Callable[[str], bool] = lambda _: True) -> float:
    return sum(_sizes(folder, counts)) / MB


def _sizes(folder: Path, counts: Callable[[str], bool]) -> Iterable[int]:
    """Give the bytes on the disk of files whose names count; some go while one looks."""
    for place, _, names in os.walk(folder):
        for name in filter(counts, names):
            with contextlib.suppress(OSError):
                yield os.stat(Path(place) / name).st_blocks * 512

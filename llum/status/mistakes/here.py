"""Mistakes on this machine: settings, files, the disk, processes."""

import ipaddress
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bus.private_files import OTHERS
from llum.own_credentials import credentials_file
from llum.processes.running import ENTRIES
from llum.settings import Settings
from llum.status.findings import Finding, found
from llum.status.standing import RunningProcess

LEAST_FREE: Final = 0.1
"""The part of the disk that is to be free. The alert for Prometheus has the same."""

LEAST_FREE_BYTES: Final = 50 * 10**9
"""Bytes free that are enough, however large the disk."""

PER_PARTITION: Final = 3
"""Files of a shard that is open: SQLite's and its write-ahead log, and one more while a snapshot is made."""

BESIDE: Final = 200
"""Descriptors beside shards: connections, log files, libraries."""

MOST_USED: Final = 0.8
"""The part of its descriptors that a process may have in use."""


def look_here(settings: Settings, processes: Iterable[RunningProcess]) -> Iterator[Finding]:
    """Find what is wrong here. `processes` are llum's own of this machine."""
    yield from _open_files(settings)
    if settings.data_dir.exists():
        yield from _full_disk(settings.data_dir)
    yield from _open_metrics(settings)
    for process in processes:
        yield from few_descriptors(process.name, process.pid, settings.partitions)


def _open_files(settings: Settings) -> Iterator[Finding]:
    own = (settings.data_dir, credentials_file(settings), *(settings.data_dir / entry for entry in ENTRIES))
    is_open = [path for path in dict.fromkeys(own) if _is_open(path)]
    if is_open:
        paths = " ".join(map(str, is_open))
        yield found(
            "files_open", f"others on this machine can read or change {paths}", f"run `chmod -R go-rwx {paths}`"
        )


def _is_open(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & OTHERS)
    except OSError:
        return False


def _full_disk(data_dir: Path) -> Iterator[Finding]:
    disk = shutil.disk_usage(data_dir)
    if disk.free < min(LEAST_FREE * disk.total, LEAST_FREE_BYTES):
        what = f"{disk.free / 1e9:,.1f} of {disk.total / 1e9:,.1f} GB of the disk of {data_dir} are free"
        yield found(
            "disk_full",
            what,
            "make room, or move the data folder to a larger disk while llum is stopped; nothing of the log may be "
            "deleted",
        )


def _open_metrics(settings: Settings) -> Iterator[Finding]:
    host = settings.metrics_host
    if settings.metrics_port is not None and not _is_own(host):
        what = f"metrics_host is {host}: whoever reaches port {settings.metrics_port} reads metrics without a login"
        yield found(
            "metrics_open", what, "set LLUM_METRICS_HOST=127.0.0.1, or let a firewall pass nobody but Prometheus"
        )


def _is_own(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def few_descriptors(name: str, pid: int, partitions: int) -> Iterator[Finding]:
    """See whether a process may open as many files as it may need. Where the system does not tell, nothing is found."""
    import psutil

    try:
        process = psutil.Process(pid)
        limit, used = process.rlimit(psutil.RLIMIT_NOFILE)[0], process.num_fds()
    except (psutil.Error, AttributeError, OSError):
        return
    needed = max(BESIDE + PER_PARTITION * partitions, round(used / MOST_USED))
    if 0 <= limit < needed:
        what = f"the {name} (pid {pid}) may open {limit} files, has {used} open, and may need {needed}"
        yield found(
            "few_descriptors",
            what,
            "start it with a higher limit: `ulimit -n 65536`, or LimitNOFILE=65536 in its systemd unit",
        )

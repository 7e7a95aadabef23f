"""What processes have cost so far, by the operating system's accounting."""

import sys
import time
from collections.abc import Iterable

import psutil

CPUCLOCK_SCHED = 2
"""The clock of a process that counts the time its threads have run, in Linux's numbering of such clocks."""


def tree(pid: int) -> list[int]:
    """Give a process and all that it has started."""
    process = psutil.Process(pid)
    return [pid, *(child.pid for child in process.children(recursive=True))]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Give the user and system time of these processes, of threads that have ended too."""
    return sum(map(_cpu_seconds, pids))


def _cpu_seconds(pid: int) -> float:
    if sys.platform == "linux":
        # To the nanosecond; /proc/<pid>/stat counts hundredths of a second.
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)

"""What processes have cost so far, by the operating system's accounting, all their threads included."""

import contextlib
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import psutil

CPUCLOCK_SCHED = 2
"""The clock of a process that counts the time its threads have run, in Linux's numbering of such clocks."""

WITH_THREADS: Final = frozenset({"worker"})
"""Processes whose other threads do work of another kind, SQLite's, and are shown apart."""

POSTGRES: Final = "postgres"

Spent = Mapping[str, float]
"""Seconds of CPU time by the name of the process."""


def tree(pid: int) -> list[int]:
    """Give a process and all that it has started."""
    process = psutil.Process(pid)
    return [pid, *(child.pid for child in process.children(recursive=True))]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Give the user and system time of these processes, of threads that have ended too."""
    return sum(map(_cpu_seconds, pids))


def spent(pids: Iterable[int]) -> Spent:
    """Give what these processes have cost by their names; those of one name together."""
    seconds: dict[str, float] = {}
    for pid in pids:
        # A process may end while it is looked at: what others have cost still counts.
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            for name, cost in _by_name(pid):
                seconds[name] = seconds.get(name, 0.0) + cost
    return seconds


def between(before: Spent, after: Spent) -> Spent:
    """Give what was spent meanwhile."""
    return {name: max(0.0, seconds - before.get(name, 0.0)) for name, seconds in after.items()}


def named(pids: Iterable[int], name: str) -> list[int]:
    """Choose the processes of that name."""
    return [pid for pid in pids if _is_named(pid, name)]


def _is_named(pid: int, name: str) -> bool:
    try:
        return process_name(pid) == name
    except psutil.NoSuchProcess:
        return False


def process_name(pid: int) -> str:
    """Name a process by what it is for: a part of llum, a program of the measurements, or else its program file."""
    words = psutil.Process(pid).cmdline()
    if "-m" in words:
        module, *rest = words[words.index("-m") + 1 :]
        part = rest[0] if module.partition(".")[0] == "llum" and rest else module.rpartition(".")[2]
        return "supervisor" if part == "up" else part
    program = Path(words[0].split(" ")[0]).name if words else psutil.Process(pid).name()
    return POSTGRES if program.startswith(POSTGRES) else program


def _by_name(pid: int) -> list[tuple[str, float]]:
    name, total = process_name(pid), _cpu_seconds(pid)
    if name not in WITH_THREADS or sys.platform != "linux":
        return [(name, total)]
    main = min(total, _main_thread_seconds(pid))
    return [(name, main), (f"{name}'s threads", total - main)]


def _main_thread_seconds(pid: int) -> float:
    """Read the time of the thread that has the process's own number, in nanoseconds."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9


def _cpu_seconds(pid: int) -> float:
    if sys.platform == "linux":
        # To the nanosecond; /proc/<pid>/stat counts hundredths of a second.
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)

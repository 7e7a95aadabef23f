"""Run llum with a wall clock of its own: `python own_clock.py FILE COMMAND…`.

FILE has the seconds by which the clock is ahead, as eight bytes. It is read each time that somebody looks at the clock,
so that it can be put forward and back while llum runs.
"""

import mmap
import runpy
import struct
import sys
import time
from pathlib import Path

_SECONDS = struct.Struct("<d")


def put(file: Path, ahead_s: float) -> None:
    """Have the clock of whoever runs with this file be so many seconds ahead."""
    with file.open("r+b" if file.exists() else "wb") as opened:
        opened.write(_SECONDS.pack(ahead_s))


def _have_clock(file: Path) -> None:
    with file.open("rb") as opened:
        shared = mmap.mmap(opened.fileno(), _SECONDS.size, prot=mmap.PROT_READ)
    real, real_ns = time.time, time.time_ns

    def ahead_s() -> float:
        return float(_SECONDS.unpack_from(shared)[0])

    time.time = lambda: real() + ahead_s()
    time.time_ns = lambda: real_ns() + int(ahead_s() * 1e9)


if __name__ == "__main__":
    _have_clock(Path(sys.argv.pop(1)))
    sys.path.pop(0)
    runpy.run_module("llum", run_name="__main__", alter_sys=True)

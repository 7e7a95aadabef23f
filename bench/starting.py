"""Starting llum, and what it takes while nobody wants anything of it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Final

import psutil

from bench.accounting import cpu_seconds, tree
from bench.failures import NotMeasurableError
from bench.figures import Result, absolute, at_most
from bench.ground import BenchGround, Benchmark
from bench.processes import llum_up
from bus.embedded import EmbeddedServer

START_BAR: Final = 1.5
AT_REST_BAR_MIB: Final = 160
MIB: Final = 2**20

IMPORTS: Final = "import aiohttp, nats, msgspec, aiosqlite"

REST_S: Final = 3.0
"""Seconds after its start in which llum comes to rest."""


async def start_up(ground: BenchGround) -> Result:
    """Compare `llum up` with what nobody can do without: a nats-server, and one import of the libraries."""
    fresh: list[float] = []
    again: list[float] = []
    bare: list[float] = []
    cpu: list[float] = []
    for number in range(ground.sizes.starts):
        data_dir = ground.new_folder(f"start-{number}")
        bare.append(await _bare(data_dir / "bare"))
        for times in (fresh, again):
            async with llum_up(data_dir / "llum") as (running, seconds):
                times.append(seconds)
                cpu.append(cpu_seconds(tree(running.pid)))
    counted = (
        f"llum up to ready on a new folder (again on the same: {median(again):.2f} s; {median(cpu):.2f} s of CPU in "
        f"all processes), against a bare nats-server until it answers and then `{IMPORTS}`"
    )
    return Result(at_most(START_BAR, "s", fresh, bare), counted)


async def at_rest(ground: BenchGround) -> Result:
    """Measure the memory of all processes of an llum that has started and does nothing."""
    async with llum_up(ground.new_folder("at-rest")) as (running, _):
        await asyncio.sleep(REST_S)
        pids = tree(running.pid)
        mib = sum(map(_pss, pids)) / MIB
    counted = f"memory of {len(pids)} processes after a start, what they share counted once (PSS)"
    return Result(absolute("MiB", mib, AT_REST_BAR_MIB), counted)


async def _bare(folder: Path) -> float:
    server = EmbeddedServer(folder)
    began = time.perf_counter()
    await server.start()
    try:
        await server.wait_ready()
        ready_s = time.perf_counter() - began
    finally:
        await server.stop()
    began = time.perf_counter()
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", IMPORTS], check=True)
    return ready_s + time.perf_counter() - began


def _pss(pid: int) -> int:
    found: Iterable[str] = psutil.Process(pid).memory_full_info()._asdict()
    if "pss" not in found:
        raise NotMeasurableError("this system does not tell what processes share")
    return int(psutil.Process(pid).memory_full_info().pss)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {"start_up": start_up, "at_rest": at_rest}

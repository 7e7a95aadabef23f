"""Processes of the measurements: started with nothing of the caller's settings, ended for sure."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bench.failures import BenchError
from bus import credentials
from llum.running import Running

READY_WITHIN_S = 3600.0
"""Seconds for a program to be ready: a worker may have a log of millions of commands to catch up with."""

END_WITHIN_S = 60.0
"""Seconds for a process to end after it was asked to; llum promises five."""

READY_POLL_S = 0.005
"""Seconds between looks at the ready file: so much is the start-up time too long at most."""

ROOT = Path(__file__).parent.parent


class Started(NamedTuple):
    """A program that is ready."""

    said: dict[str, Any]
    pid: int


def environment(root: Path = ROOT, **settings: Any) -> dict[str, str]:
    """Give the environment of a child that runs the code in `root`: none of the caller's llum settings, and these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LLUM_")}
    path = os.pathsep.join(filter(None, [str(root), inherited.get("PYTHONPATH")]))
    return inherited | {"PYTHONPATH": path} | {f"LLUM_{name.upper()}": str(value) for name, value in settings.items()}


@contextlib.asynccontextmanager
async def program(module: str, *arguments: str) -> AsyncIterator[Started]:
    """Run a module, by its name in `bench`, as long as the block lasts; give what it says when it is ready."""
    process = await _start(["-m", f"bench.{module}", *arguments], environment(), Path.cwd(), asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), READY_WITHIN_S)
        if not line:
            raise BenchError(f"{module} ended with exit code {await process.wait()}")
        yield Started(msgspec.json.decode(line, type=dict[str, Any]), process.pid)
    finally:
        await _end(process)


async def measured(module: str, *arguments: str) -> dict[str, Any]:
    """Run such a module to its end, and give what it has measured."""
    async with program(module, *arguments) as started:
        return started.said


@contextlib.asynccontextmanager
async def llum_up(
    data_dir: Path, root: Path = ROOT, python: str = sys.executable, **settings: str
) -> AsyncIterator[tuple[Running, float]]:
    """Run `llum up` on free ports as long as the block lasts. Give where it answers, and the seconds it took to.

    `root` and `python` name another checkout of llum to run.
    """
    with tempfile.TemporaryDirectory(prefix="llum-bench-") as folder:
        ready_file = Path(folder) / "ready.json"
        variables = environment(root, data_dir=data_dir, http_port=0, nats_port=0, **settings)
        began = time.perf_counter()
        arguments = ["-m", "llum", "up", "--ready-file", str(ready_file)]
        process = await _start(arguments, variables, Path(folder), asyncio.subprocess.DEVNULL, python)
        try:
            running = await _until_ready(process, ready_file)
            took_s = time.perf_counter() - began
            yield msgspec.structs.replace(running, nats=_as_operator(running.nats, data_dir)), took_s
        finally:
            await _end(process)


def _as_operator(nats_url: str, data_dir: Path) -> str:
    """Give the address with the operator's login. An older checkout keeps none, and lets everybody in."""
    file = data_dir / credentials.FILE
    return credentials.load(file).at(nats_url, "operator") if file.exists() else nats_url


async def _until_ready(process: asyncio.subprocess.Process, ready_file: Path) -> Running:
    deadline = time.perf_counter() + READY_WITHIN_S
    while not ready_file.exists():  # noqa: ASYNC240 - two looks in a temporary folder
        if process.returncode is not None:
            raise BenchError(f"llum up ended with exit code {process.returncode}")
        if time.perf_counter() > deadline:
            raise BenchError(f"llum up was not ready within {READY_WITHIN_S:g} s")
        await asyncio.sleep(READY_POLL_S)
    return msgspec.json.decode(ready_file.read_bytes(), type=Running)  # noqa: ASYNC240


async def _start(
    arguments: list[str], variables: dict[str, str], folder: Path, stdout: int, python: str = sys.executable
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        python, *arguments, env=variables, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=stdout
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and kill it if it does not. Safe for one that has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_WITHIN_S)
            return

"""A PostgreSQL of its own, with its defaults (fsync and synchronous_commit on), on loopback, in a temporary folder."""

import asyncio
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.failures import BenchError, NotMeasurableError

DEBIAN_PROGRAMS: Final = Path("/usr/lib/postgresql")
"""Where Debian keeps its programs, in a folder for each version."""

UNPRIVILEGED: Final = ("postgres", "nobody")
"""Users that it may run as where we are root: PostgreSQL refuses to be."""

READY_WITHIN_S: Final = 60.0
READY_POLL_S: Final = 0.05
STOP_WITHIN_S: Final = 30.0

USER: Final = "llum"
SYNCED: Final = ("fsync", "synchronous_commit")
"""Settings that must be on: then a tell is on the disk when it is answered."""

_QUIET: Final[dict[str, Any]] = {
    "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True,
}  # fmt: skip

ABSENT: Final = "PostgreSQL is not installed here (on Debian: apt-get install postgresql)"
NO_DRIVER: Final = "asyncpg is not installed here (uv sync --group bench)"


class Cluster(NamedTuple):
    """A PostgreSQL that runs."""

    dsn: str
    pid: int
    folder: Path
    """Its own, for whatever belongs to it."""


def find_programs() -> Path:
    """Find the folder with `initdb` and `postgres` in it. Raises `NotMeasurableError`."""
    named = shutil.which("initdb")
    beside = [Path(named).resolve().parent] if named else []
    versions = sorted(DEBIAN_PROGRAMS.glob("*/bin"), key=lambda folder: _version(folder.parent.name), reverse=True)
    for folder in (*beside, *versions):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NotMeasurableError(ABSENT)


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


@contextlib.asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Make a PostgreSQL and run it as long as the block lasts. Raises `NotMeasurableError` where there is none."""
    programs, owner = find_programs(), _owner()
    if importlib.util.find_spec("asyncpg") is None:
        raise NotMeasurableError(NO_DRIVER)
    with tempfile.TemporaryDirectory(prefix="llum-bench-postgres-") as folder:
        data, password = Path(folder) / "data", secrets.token_hex(16)
        await _make(programs, owner, data, password)
        async with _running(programs, owner, data) as (pid, port):
            dsn = f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
            await _until_ready(dsn)
            yield Cluster(dsn, pid, Path(folder))


async def _make(programs: Path, owner: dict[str, Any], data: Path, password: str) -> None:
    secret = data.with_name("password")
    secret.write_text(password, "ascii")
    for path in (data.parent, secret):
        _give(path, owner)
    options = ["--no-sync", f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={secret}"]
    command = [str(programs / "initdb"), "-D", str(data), *options]
    done = await asyncio.to_thread(_run, command, data.parent, owner)
    if done.returncode:
        raise BenchError(f"initdb failed: {done.stdout[-500:]}")


def _run(command: list[str], folder: Path, owner: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, cwd=folder, **owner, **_QUIET)  # noqa: S603 - our own words


@contextlib.asynccontextmanager
async def _running(programs: Path, owner: dict[str, Any], data: Path) -> AsyncIterator[tuple[int, int]]:
    port = _free_port()
    where = ["-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(data.parent)]
    command = [str(programs / "postgres"), *where]
    with (data.parent / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - it starts at once; asyncio's cannot change the user
            command, cwd=data.parent, **owner, **{**_QUIET, "stdout": log}
        )
    try:
        yield process.pid, port
    finally:
        await _stop(process)


async def _stop(process: subprocess.Popen[str]) -> None:
    """Ask it to end without waiting for its clients, and kill it if it does not."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, STOP_WITHIN_S)
            return


async def _until_ready(dsn: str) -> None:
    """Wait until it answers, and see that it writes through to the disk as it does by default."""
    import asyncpg

    async with asyncio.timeout(READY_WITHIN_S):
        while True:
            try:
                connection = await asyncpg.connect(dsn)
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(READY_POLL_S)
    try:
        for setting in SYNCED:
            if await connection.fetchval(f"SHOW {setting}") != "on":
                raise BenchError(f"{setting} is off: a tell would not be durable")
    finally:
        await connection.close()


def _owner() -> dict[str, Any]:
    """Give what a child must be started with to run as somebody who is not root."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise NotMeasurableError(f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)}")


def _give(path: Path, owner: dict[str, Any]) -> None:
    if owner:
        os.chown(path, owner["user"], owner["group"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

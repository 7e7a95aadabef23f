"""`python -m actors.plugins.child 5 4711`: the process of a plug-in, on the socket 5, for the worker 4711.

Whatever the plug-in does here is done to nobody else. It has no terminal and no settings of llum, and as much memory
as a call may take beyond what it takes when it has been loaded.
"""

import ctypes
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Final

import msgspec

from actors.plugins.wire import LENGTH_BYTES, Job, JobResult, PluginDeclaration, PluginEntry, framed
from model.elsewhere import run_stored
from model.resolvers.registry import Resolver
from schemas.errors import Refusal

MAX_CALL_BYTES: Final = 256 * 1024 * 1024
"""Bytes that a call may take, where the system has such a limit."""

MAX_LOADED_BYTES: Final = 2 * 1024 * 1024 * 1024
"""Bytes of addresses that a plug-in may take for being loaded: some libraries reserve much and use little."""

LOOK_FOR_PARENT_EVERY_S: Final = 1.0
_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Load the plug-in, then do one job after the other until the worker ends."""
    descriptor, parent = map(int, sys.argv[1:])
    _end_with(parent)
    _limit_memory(MAX_LOADED_BYTES)
    line = socket.socket(fileno=descriptor)
    line.set_inheritable(False)
    load = msgspec.json.decode(_received(line), type=PluginEntry)
    resolver = _load(load)
    line.sendall(framed(msgspec.json.encode(_loaded(resolver))))
    _limit_memory(MAX_CALL_BYTES)
    while isinstance(resolver, Resolver):
        job = msgspec.json.decode(_received(line), type=Job)
        result = _done(resolver, job, _received(line))
        line.sendall(framed(msgspec.json.encode(result)))


def _load(wanted: PluginEntry) -> Resolver | str:
    """Give the resolver, or why there is none."""
    try:
        loaded = EntryPoint(wanted.name, wanted.value, wanted.group).load()
        resolver = loaded if isinstance(loaded, Resolver) else loaded()
        if not isinstance(resolver, Resolver):
            raise TypeError(f"{wanted.value} is no resolver")
    except BaseException as error:  # noqa: BLE001 - whatever a stranger's package does when it is imported
        return _said(error)
    return msgspec.structs.replace(resolver, name=wanted.name)


def _loaded(resolver: Resolver | str) -> PluginDeclaration:
    if isinstance(resolver, str):
        return PluginDeclaration(error=resolver)
    return PluginDeclaration(
        description=resolver.description,
        newest_of=resolver.newest_of,
        considers=resolver.considers,
        arguments=dict(resolver.arguments),
    )


def _done(resolver: Resolver, job: Job, evidence: bytearray) -> JobResult:
    try:
        return JobResult(*run_stored(resolver, evidence, job.now, job.arguments, explains=job.explains))
    except Refusal as refusal:
        cause = refusal.__cause__
        return JobResult(error=_said(cause) if cause is not None else refusal.message)
    except BaseException as error:  # noqa: BLE001 - `SystemExit` is one
        return JobResult(error=_said(error))


def _said(error: BaseException) -> str:
    with suppress(Exception):
        return f"{type(error).__name__}: {str(error)[:200]}"
    return type(error).__name__


def _received(line: socket.socket) -> bytearray:
    """Wait for a frame. Ends the process when the worker has."""
    return _exactly(line, int.from_bytes(_exactly(line, LENGTH_BYTES), "big"))


def _exactly(line: socket.socket, size: int) -> bytearray:
    received = bytearray(size)
    view = memoryview(received)
    while view:
        count = line.recv_into(view)
        if not count:
            os._exit(0)
        view = view[count:]
    return received


def _limit_memory(size: int) -> None:
    """Let this process take so many bytes more than it has taken. Only Linux says how many those are."""
    try:
        import resource

        taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = taken + size if hard == resource.RLIM_INFINITY else min(taken + size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        return


def _end_with(parent: int) -> None:
    """End when the worker ends, also amid a job: Linux sees to it, elsewhere a thread does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_FOR_PARENT_EVERY_S)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


if __name__ == "__main__":
    main()

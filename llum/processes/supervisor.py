"""`llum up`: nats-server, worker and edge as children of one foreground process.

The three start side by side: the worker imports while the settings are read, and both it and the edge import while the
nats-server comes up. They are told both over their lifelines. The HTTP socket is bound here and handed down, so a taken
port is found at once, port 0 stays the same for a restarted edge, and connections wait in the socket's queue meanwhile.

Stopping goes the way of a tell: first the edge (no new requests, those at hand are answered), then the worker (its
batch is committed), last the nats-server.

What is said on the terminal stands in the log before.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult

from bus import addresses
from llum.failures import EXIT_FAILED, Fault, report
from llum.processes import welcome
from llum.processes.child import Process, PythonChild, keep_alive
from llum.processes.early import StartedChild
from llum.processes.lifeline import Begin
from llum.processes.listening import listen, url_of
from llum.processes.log_files import RotatingFile
from llum.processes.nats_child import NatsChild
from llum.processes.running import DataFolder, said_of, settle_restore, write_atomically
from llum.running import Running
from llum.settings import Settings, hide_password
from schemas.errors import SetupError

DRAIN_S: Final = 4.5
"""Seconds from the first signal to the last kill; with what the interpreter needs to end it stays under 5."""

EDGE_SHARE_S: Final = 2.5
"""Of these, seconds that the edge may take to finish its requests."""

NATS_SHARE_S: Final = 0.7
"""Of these, seconds kept back for the nats-server."""

CRASH_GRACE_S: Final = 6.0
"""Seconds to wait for the port of a llum that was killed a moment ago and whose edge is still draining."""

PROBE_S: Final = 3.0
"""Seconds in which an external nats-server must take a connection."""

EXIT_KILLED: Final = 130


def run(settings: Settings, ready_file: Path | None, started: Mapping[str, StartedChild], *, show_logs: bool) -> int:
    """Run until a signal, and give the exit code. What cannot start ends with one line on stderr.

    `started` are children that import already.
    """
    began = time.monotonic()
    try:
        _check_ontologies(settings.ontologies)
        folder = DataFolder(settings.data_dir)
        settle_restore(settings.data_dir)
    except Fault as fault:
        report(fault)
        return EXIT_FAILED
    try:
        return asyncio.run(_Supervisor(settings, folder, ready_file, show_logs, began, started).run())
    except SetupError as fault:
        report(fault)
        return EXIT_FAILED
    finally:
        folder.release()
        if ready_file is not None:
            with contextlib.suppress(OSError):
                ready_file.unlink()


def _check_ontologies(folder: Path | None) -> None:
    """Have the operator see each mistake on a line of its own, before anything starts. The edge reads them again."""
    if folder is not None:
        # Here: without a folder this process needs nothing of it.
        from llum.ontologies.loading import load

        load(folder)


class _Supervisor:
    def __init__(
        self,
        settings: Settings,
        folder: DataFolder,
        ready_file: Path | None,
        show_logs: bool,
        began: float,
        started: Mapping[str, StartedChild],
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._ready_file = ready_file
        self._began = began
        self._stopping = asyncio.Event()
        self._serving: set[str] = set()
        self._announced = False
        grace_s = CRASH_GRACE_S if folder.crashed else 0.0
        self._log = _open_log(folder.path / "log" / "supervisor.jsonl")
        self._fresh = not (folder.path / "shards").exists()
        self._http = listen(settings.http_host, settings.http_port, grace_s)
        self._nats = None if settings.nats_url else NatsChild(settings, self._log)
        begin = Begin(settings.as_environment(), str((folder.path / "log").absolute()), show_logs)
        self._worker = PythonChild("worker", begin, started=started.get("worker"))
        self._edge = PythonChild("edge", begin, [self._http.fileno()])
        self._children: list[Process] = [self._worker, self._edge, *([self._nats] if self._nats else [])]

    async def run(self) -> int:
        """Keep the children alive until a signal or a fault, then stop them in order."""
        self._watch_signals()
        for line in said_of(self._folder.tightened):
            self._say(line, "private", what=line)
        if self._settings.nats_url:
            await _probe(self._settings.nats_url)
            self._tell_nats_url(self._settings.nats_url)
        stop = asyncio.create_task(self._stopping.wait())
        keepers = [asyncio.create_task(self._keep(child)) for child in self._children]
        try:
            await asyncio.wait([*keepers, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel([*keepers, stop])
            await self._drain()
        for keeper in keepers:
            if not keeper.cancelled():
                keeper.result()
        self._say("stopped, nothing lost", "stopped")
        return 0

    async def _keep(self, child: Process) -> None:
        def on_serving() -> None:
            if self._nats is not None and child is self._nats:
                self._tell_nats_url(self._nats.url)
            self._note_serving(child)

        await keep_alive(child, on_serving, self._note_death)

    def _tell_nats_url(self, url: str) -> None:
        self._worker.tell_nats_url(url)
        self._edge.tell_nats_url(url)

    def _note_serving(self, child: Process) -> None:
        self._write("serves", child=child.name, child_pid=child.pid, after_s=self._age_s())
        if self._announced:
            welcome.say(f"llum: {child.name} serves again (pid {child.pid})")
            if child is self._edge and self._edge.first_link is not None:
                welcome.say(welcome.first_account(self._edge.first_link))
        self._serving.add(child.name)
        if not self._announced and len(self._serving) == len(self._children):
            self._announced = True
            self._announce()

    def _note_death(self, name: str, how: str) -> None:
        self._serving.discard(name)
        self._say(f"{name} ended ({how}), starting it again", "died", child=name, how=how)

    def _announce(self) -> None:
        nats_url = self._nats.url if self._nats else self._settings.nats_url or ""
        running = Running(url_of(self._http, tls=self._settings.tls_certificate is not None), nats_url, os.getpid())
        self._folder.announce(running)
        self._write("ready", after_s=self._age_s(), http=running.http, nats=hide_password(nats_url))
        pids = {child.name: child.pid for child in self._children}
        welcome.greet(self._settings, running, pids, self._age_s(), fresh=self._fresh)
        if self._edge.first_link is not None:
            welcome.say(welcome.first_account(self._edge.first_link))
        if self._ready_file is not None:
            write_atomically(self._ready_file, running)

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if not self._stopping.is_set():
            self._say("stopping; another Ctrl-C kills", "stopping")
            self._stopping.set()
            return
        for child in self._children:
            child.kill()
        self._folder.release()
        os._exit(EXIT_KILLED)

    async def _drain(self) -> None:
        deadline = time.monotonic() + DRAIN_S
        self._http.close()
        await self._edge.stop(EDGE_SHARE_S)
        await self._worker.stop(deadline - NATS_SHARE_S - time.monotonic())
        if self._nats is not None:
            await self._nats.stop(deadline - time.monotonic())

    def _age_s(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def _say(self, line: str, event: str, **members: Any) -> None:
        self._write(event, **members)
        welcome.say(f"llum: {line}")

    def _write(self, event: str, **members: Any) -> None:
        self._log.write({"at": time.time(), "level": "info", "event": event, "pid": os.getpid()} | members)


def _open_log(path: Path) -> RotatingFile:
    try:
        return RotatingFile(path)
    except OSError as error:
        raise Fault(f"cannot write {path}: {error.strerror}", "Make it writable, or move it away.") from error


async def _probe(nats_url: str) -> None:
    """See that something listens at one of the addresses, or raise a `Fault`: children would try for long."""
    reasons = [await _why_silent(parts) for parts in addresses.places(nats_url)]
    if None not in reasons:
        message = f"no nats-server answers at {hide_password(nats_url)}: {reasons[-1]}"
        raise Fault(message, "Start it, or unset LLUM_NATS_URL to let llum start one.")


async def _why_silent(address: SplitResult) -> str | None:
    """Say why nothing listens there; None: something does."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address.hostname, address.port or 4222), PROBE_S)
    except (OSError, TimeoutError, ValueError) as error:
        return (isinstance(error, OSError) and error.strerror) or f"nothing within {PROBE_S:g} s"
    writer.close()
    return None


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

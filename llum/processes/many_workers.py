"""`llum worker --processes N`: as many workers on one machine as it has cores, each with a folder of its own.

They share the partitions as workers of different machines do. One that dies is started again.
"""

import asyncio
import signal
from pathlib import Path
from typing import Final

import msgspec

from actors.share import HAND_OVER_S
from actors.worker import DRAIN_WITHIN_S
from llum.failures import EXIT_FAILED, Fault, report
from llum.own_credentials import credentials_file
from llum.processes.child import PythonChild, keep_alive
from llum.processes.lifeline import Begin
from llum.settings import Settings
from schemas.errors import SetupError

STOP_WITHIN_S: Final = HAND_OVER_S + DRAIN_WITHIN_S
"""Seconds for a worker to hand over and to end; then it is killed, which loses nothing."""


def run(settings: Settings, processes: int, log_dir: Path | None, *, echo_logs: bool) -> int:
    """Run until a signal, and give the exit code."""
    try:
        return asyncio.run(_live(settings, processes, log_dir, echo_logs=echo_logs))
    except SetupError as fault:
        report(fault)
        return EXIT_FAILED


def folder_of(data_dir: Path, number: int) -> Path:
    """Name the data folder of a process; the first one's is that of a single worker."""
    return data_dir if number == 1 else data_dir / f"worker-{number}"


async def _live(settings: Settings, processes: int, log_dir: Path | None, *, echo_logs: bool) -> int:
    url = settings.nats_url
    if url is None:
        raise Fault("several workers need a nats-server of their own", "Name it with --nats-url or LLUM_NATS_URL.")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    children = [_child(settings, number, log_dir, echo_logs) for number in range(1, processes + 1)]
    for child in children:
        child.tell_nats_url(url)
    keepers = [asyncio.create_task(keep_alive(child, _nothing, _say_death)) for child in children]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*keepers, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*keepers, stopping):
            task.cancel()
        await asyncio.wait([*keepers, stopping])
        await asyncio.gather(*(child.stop(STOP_WITHIN_S) for child in children))
    for keeper in keepers:
        if not keeper.cancelled():
            keeper.result()
    return 0


def _child(settings: Settings, number: int, log_dir: Path | None, echo_logs: bool) -> PythonChild:
    """Make a worker as its own folder wants it. Its metrics are on the port after that of the one before."""
    folder = folder_of(settings.data_dir, number)
    port = settings.metrics_port
    changed = msgspec.structs.replace(
        settings,
        data_dir=folder,
        credentials=credentials_file(settings),
        metrics_port=port + number - 1 if port else port,
    )
    logs = folder / "log" if log_dir is None else log_dir / f"worker-{number}"
    logs.mkdir(parents=True, exist_ok=True)
    echo = log_dir is None or echo_logs
    return PythonChild("worker", Begin(changed.as_environment(), str(logs.absolute()), echo, HAND_OVER_S))


def _nothing() -> None:
    """Serving needs no word: its own log has it."""


def _say_death(name: str, how: str) -> None:
    from llum.processes import welcome

    welcome.say(f"llum: {name} ended ({how}), starting it again")

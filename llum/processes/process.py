"""What worker and edge have in common as processes: logs, event loop, signals, lifeline, and how they end."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from bus import lines
from bus.lines import LoggedStep
from bus.logger import get_logger
from llum.failures import EXIT_FAILED, EXIT_UNRECOVERABLE, report
from llum.processes import logs
from llum.processes.lifeline import ChildEnd, FromChild, Lifeline
from llum.processes.lines_together import Sink
from llum.processes.log_files import RotatingFile
from llum.settings import Settings
from llum.settings_loading import load
from schemas.errors import LlumError, Transient

ORPHAN_DRAIN_S: Final = 5.0
"""Seconds that a process whose supervisor is dead may take to drain before it ends itself."""


class Supervised(NamedTuple):
    """How `llum up` runs a child. All None: it is run by hand, or by another supervisor."""

    line: ChildEnd | None = None
    log_dir: Path | None = None
    echo_logs: bool = False
    hand_over_s: float | None = None
    """Seconds that a worker may take to hand over before it ends. None: as long as it takes, within reason."""


def begin(line: ChildEnd) -> tuple[Settings, Supervised]:
    """Wait to be told the settings, by `llum up`. Raises `EOFError` if it ends instead."""
    told = line.begin()
    os.environ.update(told.environment)
    return load(), Supervised(line, Path(told.log_dir), told.echo_logs, told.hand_over_s)


class Starting(NamedTuple):
    """Whom a process tells how its start goes."""

    step: Callable[[str], None]
    """Takes a line that says how far it has got. Without a new one for a minute, `llum up` starts it again."""
    ready: Callable[[], None]
    first_link: Callable[[str], None] = lambda _: None
    """Takes the address at which the first person signs up; before `ready`."""


Serve = Callable[[str, Starting, asyncio.Event], Awaitable[None]]
"""serve(nats_url, starting, stop): serve until `stop` is set, then drain."""


def run_process(name: str, settings: Settings, supervised: Supervised, serve: Serve) -> int:
    """Run a process's life and give its exit code: 0 drained, 1 failed, 3 starting it again cannot help."""
    logs.set_up(settings.log_level, _sinks(name, settings, supervised), process=name, pid=os.getpid())
    return _run(_live(settings, supervised, serve))


def _run(main: Any) -> int:
    """Run on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return int(asyncio.run(main))
    return int(uvloop.run(main))


def _sinks(name: str, settings: Settings, supervised: Supervised) -> list[Sink]:
    if supervised.log_dir is None:
        return [logs.stderr_sink(settings.log_format)]
    file = RotatingFile(supervised.log_dir / f"{name}.jsonl", take_stderr=not supervised.echo_logs)
    return [file, logs.stderr_sink(settings.log_format)] if supervised.echo_logs else [file]


async def _live(settings: Settings, supervised: Supervised, serve: Serve) -> int:
    if supervised.line is None:
        return await _serve_alone(settings, serve)
    lifeline = await Lifeline.open(supervised.line)
    try:
        return await _serve_on_lifeline(lifeline, serve)
    finally:
        await lifeline.close()


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _serve_alone(settings: Settings, serve: Serve) -> int:
    url = settings.nats_url or f"nats://127.0.0.1:{settings.nats_port}"
    try:
        starting = Starting(lambda _: None, lambda: lines.write(LoggedStep(event="ready")))
        await serve(url, starting, _stop_on_signal())
    except LlumError as error:
        report(error)
        return EXIT_FAILED
    return 0


async def _serve_on_lifeline(lifeline: Lifeline, serve: Serve) -> int:
    log = get_logger()

    links: list[str] = []

    def on_ready() -> None:
        lines.write(LoggedStep(event="ready"))
        lifeline.send(FromChild(ready=True, first_link=links[0] if links else None))

    try:
        # Until the address comes there is nothing to drain: a signal then ends the process at once.
        url = await lifeline.nats_url()
        stop = _stop_on_signal()
        watch = asyncio.create_task(_stop_when_orphaned(lifeline, stop))
        await serve(url, Starting(lambda step: lifeline.send(FromChild(step=step)), on_ready, links.append), stop)
        watch.cancel()
    except EOFError:
        return EXIT_FAILED
    except LlumError as error:
        fatal = not isinstance(error, Transient)
        log.error("cannot_run", why=str(error), fatal=fatal)
        lifeline.send(FromChild(error=str(error), fatal=fatal))
        return EXIT_UNRECOVERABLE if fatal else EXIT_FAILED
    except Exception:
        log.exception("died")
        return EXIT_FAILED
    lines.write(LoggedStep(event="stopped"))
    return 0


async def _stop_when_orphaned(lifeline: Lifeline, stop: asyncio.Event) -> None:
    await lifeline.broken()
    asyncio.get_running_loop().call_later(ORPHAN_DRAIN_S, _end_undrained)
    stop.set()


def _end_undrained() -> None:
    """End at once. This line has those written that wait to be, whose time does not come."""
    try:
        get_logger().error("not_drained", within_s=ORPHAN_DRAIN_S)
    finally:
        os._exit(EXIT_FAILED)

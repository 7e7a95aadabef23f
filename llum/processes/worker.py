"""`llum worker`: the wiring of one worker process."""

import asyncio
import ctypes
import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import EntryPoint, version
from pathlib import Path
from typing import Final

from actors.share import HAND_OVER_S, Share, share_as
from actors.sharing import SETTLE_S
from actors.snapshotting import SnapshotPolicy
from actors.worker import Worker, run_worker
from bus import failpoints
from bus.asked import set_bounds
from bus.connection import Bus
from bus.installation import Installation, check, install
from bus.log_format import claim_folder
from bus.logger import get_logger
from bus.private_files import tighten
from llum.own_credentials import checked_bus, connected_with_login
from llum.processes.lifeline import ChildEnd
from llum.processes.process import Starting, Supervised, begin, run_process
from llum.processes.running import ENTRIES, hold, said_of, unwritable
from llum.processes.sweeping import sweeping
from llum.processes.worker_name import NAME_FILE, WorkerName
from llum.resolvers import installed, running_resolvers
from llum.settings import Settings, variable
from schemas.levels import Levels

log = get_logger(__name__)

_M_ARENA_MAX: Final = -8
_M_MMAP_THRESHOLD: Final = -3
_M_TRIM_THRESHOLD: Final = -1
"""The numbers of switches in glibc's malloc.h."""

LARGE_BYTES: Final = 1024 * 1024
"""What is at least so large goes back to the system as soon as nobody needs it. In the heap it would leave a hole of
its size below what was taken after it: a forget sends a message of 8 MB, and holds it twice."""

TOP_KEPT_BYTES: Final = 4 * 1024 * 1024
"""What may be free at the end of the heap: to give it back and take it again at each commit would cost more. By so much
the worker's memory may stand above what it needs, and go up in a step at any time."""


def run_child(line: ChildEnd) -> int:
    """Be the worker of a `llum up`."""
    return run(*begin(line))


FAILPOINT: Final = variable("failpoint")
"""For tests: the variable that says at which step the process is to die (`bus/failpoints.py`)."""


def run(settings: Settings, supervised: Supervised) -> int:
    """Serve all partitions until a signal. No two workers may share a data folder: the second waits, then fails."""
    look_for_garbage_seldom()
    use_one_heap()
    failpoints.arm(os.environ.get(FAILPOINT))

    async def serve(nats_url: str, starting: Starting, stop: asyncio.Event) -> None:
        shards = settings.data_dir / "shards"
        claim(settings.data_dir)
        if supervised.line is None:
            for said in said_of(tighten(settings.data_dir, ENTRIES)):
                log.warning("private", what=said)
        with hold(shards):
            share = share_of(settings, shards, supervised)
            starting.step("connecting to nats-server")
            bus = await _connected(settings, supervised, nats_url)
            try:
                starting.step("looking at the installation")
                installation = await _installation(bus, settings, supervised)
                await set_bounds(bus, settings.asked_days, settings.asked_messages)
                async with (
                    sweeping(bus, settings.data_dir),
                    running_resolvers(_plugins(starting), time_zone=settings.time_zone) as resolvers,
                    _telling_metrics(bus, settings, installation) as watch,
                ):
                    await run_worker(
                        bus,
                        shard_dir=shards,
                        partitions=installation.partitions,
                        share=share,
                        log_streams=installation.log_streams,
                        max_active_models=settings.max_active_models,
                        on_ready=starting.ready,
                        on_step=starting.step,
                        stop=stop,
                        allow_private_webhooks=settings.allow_private_webhooks,
                        time_zone=settings.time_zone,
                        scrub_every_s=settings.scrub_hours * 3600.0,
                        snapshots=SnapshotPolicy(settings.snapshot_commands, settings.snapshot_hours),
                        log_days=settings.log_days,
                        resolvers=resolvers,
                        on_open=watch,
                        levels=Levels(installation.level),
                    )
            finally:
                await bus.close()

    return run_process("worker", settings, supervised, serve)


@asynccontextmanager
async def _telling_metrics(
    bus: Bus, settings: Settings, installation: Installation
) -> AsyncIterator[Callable[[Worker], None]]:
    """Serve metrics, if that is wanted, of the worker that is given to what this yields."""
    if settings.metrics_port is None:
        yield lambda _: None
        return
    from llum.metrics.of_worker import WorkerMetrics
    from llum.metrics.serving import serving

    metrics = WorkerMetrics(bus, installation, settings.data_dir)
    async with serving(settings, metrics.read):
        yield metrics.watch


def share_of(settings: Settings, shards: Path, supervised: Supervised) -> Share:
    """Say how this worker takes part, under the name that its folder has given it."""
    name = WorkerName(shards / NAME_FILE)
    return share_as(
        name.id,
        version=version("llum"),
        weight=settings.weight,
        replicas=settings.replicas,
        draining=name.draining,
        keep_draining=name.keep_draining,
        settle_s=0.0 if _in_its_own(settings, supervised) else SETTLE_S,
        hand_over_s=HAND_OVER_S if supervised.hand_over_s is None else supervised.hand_over_s,
    )


def claim(data_dir: Path) -> None:
    """Mark the data folder with the format of the log, or raise: it has another one, or cannot be written."""
    try:
        claim_folder(data_dir)
    except OSError as error:
        raise unwritable(data_dir, error) from error


def _plugins(starting: Starting) -> list[EntryPoint]:
    """Find the resolvers that are installed beside llum. To load them may take a while."""
    plugins = installed()
    if plugins:
        starting.step("loading the installed resolvers")
    return plugins


async def _connected(settings: Settings, supervised: Supervised, url: str) -> Bus:
    """Connect. Only the nats-server of its own `llum up` is known to have the accounts."""
    if _in_its_own(settings, supervised):
        return await connected_with_login(settings, "worker", url, "llum-worker")
    return await checked_bus(settings, "worker", url, "llum-worker")


def _in_its_own(settings: Settings, supervised: Supervised) -> bool:
    """Tell whether nats-server is that of the worker's own `llum up`."""
    return supervised.line is not None and settings.nats_url is None


async def _installation(bus: Bus, settings: Settings, supervised: Supervised) -> Installation:
    """Find the installation. Only in the nats-server of its own `llum up` may a worker make one."""
    if _in_its_own(settings, supervised):
        return (await install(bus, settings.partitions)).installation
    return await check(bus, settings.partitions)


def look_for_garbage_seldom() -> None:
    """Let Python look for reference cycles seldom.

    Models live long and have none: looking often costs a third of catching up, and finds nothing.
    """
    gc.set_threshold(100_000, 50, 100)


def use_one_heap() -> None:
    """Have all threads of this process take memory from one heap, where the C library has a switch for it (glibc).

    By default each thread of a shard gets one of several. Then these grow and shrink with every commit, a call of the
    system each time, and what one has freed another cannot use.
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, TOP_KEPT_BYTES)

"""`llum worker`: the wiring of one worker process."""

import asyncio
import gc
from collections.abc import Callable

from actors.worker import run_worker
from bus.connection import Bus
from bus.installation import ensure
from llum.processes.process import Supervised, run_process
from llum.processes.running import hold
from llum.resolvers import load_resolvers
from llum.settings import Settings


def run(settings: Settings, supervised: Supervised) -> int:
    """Serve all partitions until a signal. No two workers may share a data folder: the second waits, then fails."""
    look_for_garbage_seldom()

    async def serve(nats_url: str, on_ready: Callable[[], None], stop: asyncio.Event) -> None:
        shards = settings.data_dir / "shards"
        with hold(shards):
            bus = await Bus.connect(nats_url, name="llum-worker")
            try:
                installation = await ensure(bus, settings.partitions)
                await run_worker(
                    bus,
                    shard_dir=shards,
                    partitions=range(installation.partitions),
                    log_streams=installation.log_streams,
                    max_active_models=settings.max_active_models,
                    on_ready=on_ready,
                    stop=stop,
                    allow_private_webhooks=settings.allow_private_webhooks,
                    resolvers=load_resolvers(),
                )
            finally:
                await bus.close()

    return run_process("worker", settings, supervised, serve)


def look_for_garbage_seldom() -> None:
    """Let Python look for reference cycles seldom.

    Models live long and have none: looking often costs a third of catching up, and finds nothing.
    """
    gc.set_threshold(100_000, 50, 100)

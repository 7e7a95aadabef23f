"""A soak: a llum under a steady load, and a sample of it every few seconds."""

import asyncio
import time
from pathlib import Path
from typing import Final, NamedTuple

from bench.processes import llum_up
from bench.soak.load import SteadyLoad, loaded
from bench.soak.sampling import SoakSample, SoakSampler, metrics_url
from bus.subjects import DEFAULT_PARTITIONS

SAMPLES: Final = 120
"""Samples of a soak, whatever it lasts."""

LEAST_EVERY_S: Final = 1.0
"""Seconds between two samples at least: to look costs a part of what is looked at."""

COMMANDS_OF_A_SNAPSHOT: Final = 6400
"""Commands of all partitions for each snapshot of one: each has a new one every few minutes, instead of once a day."""


class Soaked(NamedTuple):
    """What came of a soak."""

    times: list[float]
    """Seconds since the first sample."""
    samples: list[SoakSample]
    load: SteadyLoad


async def soak(folder: Path, seconds: float, partitions: int = DEFAULT_PARTITIONS) -> Soaked:
    """Run it for so long. Raises `BenchError`, `LlumError`, `OSError` where llum does not start or stops telling.

    With fewer partitions all shards are open sooner, so that a short soak can see that nothing else is opened.
    """
    data_dir = folder / "data"
    started = llum_up(
        data_dir,
        preferences_open="1",
        temporary_users="on",
        proxies="127.0.0.1",
        preferences_open_anywhere="1",
        metrics_port="0",
        partitions=str(partitions),
        snapshot_commands=str(COMMANDS_OF_A_SNAPSHOT // partitions),
    )
    async with started as (running, _), loaded(str(running.http), data_dir) as load:
        sampler = SoakSampler(running.pid, data_dir, metrics_url(data_dir))
        every_s = max(LEAST_EVERY_S, seconds / SAMPLES)
        times, samples = list[float](), list[SoakSample]()
        began = time.monotonic()
        while not times or times[-1] < seconds:
            samples.append(await sampler.sample())
            times.append(time.monotonic() - began)
            await asyncio.sleep(every_s)
        return Soaked(times, samples, load)

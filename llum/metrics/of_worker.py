"""What a worker tells."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from actors.figures import Counters, PartitionFigures, WorkerFigures
from actors.worker import Worker
from bus import lines
from bus.connection import Bus
from bus.installation import Installation
from bus.jetstream import JetStream
from bus.log import last_sequences
from bus.subjects import is_own_stream
from llum.metrics.counted_lines import WorkerLines
from llum.metrics.values import MetricValue, by_code, of_any
from schemas.errors import Transient

LOG_WITHIN_S: Final = 2.0
"""Seconds for the log to say how far it is. Without it the rest is told, in time for Prometheus."""


class WorkerMetrics:
    """Reads the figures of a worker, as soon as there is one, and counts its lines from now on."""

    def __init__(self, bus: Bus, installation: Installation, data_dir: Path) -> None:
        self._bus = bus
        self._installation = installation
        self._data_dir = data_dir
        self._worker: Worker | None = None
        self._lines = WorkerLines()
        lines.show(self._lines.take)

    def watch(self, worker: Worker) -> None:
        """Tell of this worker."""
        self._worker = worker

    async def read(self) -> list[MetricValue]:
        """Give all that it tells now."""
        samples = [
            *of_any(self._bus, self._installation.partitions),
            *_of_lines(self._lines),
            *_of_disk(self._data_dir),
        ]
        if self._worker is not None:
            # What is in the log is read first: what is applied meanwhile is no lag.
            lasts = await self._lasts(self._worker.partitions)
            figures = self._worker.figures
            samples += _of_figures(figures, lasts)
            if any(one.number == 0 and one.is_primary for one in figures.partitions):
                samples += await self._of_streams()
        return samples

    async def _of_streams(self) -> list[MetricValue]:
        """Tell how large the streams are; nothing while that cannot be read."""
        with suppress(Transient, TimeoutError):
            async with asyncio.timeout(LOG_WITHIN_S):
                sizes = [one for one in await JetStream(self._bus).sizes() if is_own_stream(one.name)]
                return [
                    *(MetricValue("llum_stream_messages", one.messages, (one.name,)) for one in sizes),
                    *(MetricValue("llum_stream_bytes", one.bytes, (one.name,)) for one in sizes),
                ]
        return []

    async def _lasts(self, partitions: list[int]) -> Mapping[int, int]:
        """Give the last sequence of each partition; nothing while the log cannot be read."""
        with suppress(Transient, TimeoutError):
            async with asyncio.timeout(LOG_WITHIN_S):
                return await last_sequences(self._bus, partitions, self._installation.log_streams)
        return {}


def _of_lines(counted: WorkerLines) -> Iterator[MetricValue]:
    yield from by_code("llum_commands_total", counted.commands)
    yield MetricValue("llum_commands_repeated_total", counted.repeated)
    yield MetricValue("llum_commands_caught_up_total", counted.caught_up)
    yield from by_code("llum_asks_total", counted.asks)
    yield MetricValue("llum_ask_seconds", counted.ask_ms.scaled(1 / 1000))


def _of_disk(data_dir: Path) -> Iterator[MetricValue]:
    with suppress(OSError):
        usage = shutil.disk_usage(data_dir)
        yield MetricValue("llum_disk_free_bytes", usage.free)
        yield MetricValue("llum_disk_size_bytes", usage.total)


def _of_figures(figures: WorkerFigures, lasts: Mapping[int, int]) -> Iterator[MetricValue]:
    for one in figures.partitions:
        yield from _of_partition(one, lasts.get(one.number))
    yield MetricValue("llum_commits_fail", figures.commits_fail)
    yield MetricValue("llum_uncommitted_commands", figures.uncommitted)
    yield MetricValue("llum_uncommitted_bytes", figures.uncommitted_bytes)
    yield MetricValue("llum_active_models", figures.active_models)
    yield from _of_counters(figures.counters)


def _of_counters(counters: Counters) -> Iterator[MetricValue]:
    yield MetricValue("llum_commit_commands", counters.commit_commands)
    yield MetricValue("llum_commit_seconds", counters.commit_s)
    yield MetricValue("llum_commits_failed_total", counters.commits_failed)
    yield MetricValue("llum_partitions_added_total", counters.partitions_added)
    yield MetricValue("llum_partitions_removed_total", counters.partitions_removed)
    yield MetricValue("llum_notice_attempts_total", counters.notices_delivered, ("delivered",))
    yield MetricValue("llum_notice_attempts_total", counters.notices_failed, ("failed",))
    yield MetricValue("llum_notices_dead_total", counters.notices_dead)
    yield MetricValue("llum_snapshots_made_total", counters.snapshots_made)
    yield MetricValue("llum_snapshots_failed_total", counters.snapshots_failed)


def _of_partition(one: PartitionFigures, last: int | None) -> Iterator[MetricValue]:
    labels = (str(one.number),)
    yield MetricValue("llum_partition_answers", one.answers, labels)
    yield MetricValue("llum_partition_primary", one.is_primary, labels)
    yield MetricValue("llum_partition_lost", one.is_lost, labels)
    if last is not None:
        yield MetricValue("llum_partition_log_lag", max(0, last - max(0, one.applied_seq)), labels)
    yield MetricValue("llum_partition_commit_lag", one.applied_seq - one.committed_seq, labels)
    yield MetricValue("llum_partition_applied_commands_total", one.applied, labels)
    yield MetricValue("llum_partition_waiting_commands", one.waiting, labels)
    yield MetricValue("llum_partition_uncommitted_commands", one.uncommitted, labels)
    yield MetricValue("llum_partition_effects_waiting", one.effects_waiting, labels)

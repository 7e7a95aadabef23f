"""The text of Prometheus, and who answers `GET /metrics`: prometheus_client, in a thread.

The thread has the figures read in the event loop, so nothing is read while it changes. Where the loop is held up for
too long, the answer is an error: Prometheus then takes the process for gone, and rightly.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import accumulate
from threading import Thread

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bus.spread import Spread
from llum.metrics import declared
from llum.metrics.values import MetricValue, ReadMetrics

READ_WITHIN_S = 5.0
"""Seconds for the figures to be read. Prometheus waits for 10 by default."""


def expose(host: str, port: int, read: ReadMetrics, loop: asyncio.AbstractEventLoop) -> tuple[int, Callable[[], None]]:
    """Serve on a port (0: any free one) what `read` gives in the loop. Gives the port, and what ends it.

    Blocks for a moment. Raises `OSError`, `OverflowError`.
    """
    registry = CollectorRegistry()
    registry.register(_Figures(read, loop))
    ProcessCollector(registry=registry)
    server, _ = start_http_server(port, host, registry)

    def end() -> None:
        server.shutdown()
        server.server_close()

    # It takes up to half a second, for which nobody waits.
    return server.server_port, Thread(target=end, daemon=True).start


class _Figures(Collector):
    def __init__(self, read: ReadMetrics, loop: asyncio.AbstractEventLoop) -> None:
        self._read = read
        self._loop = loop

    def describe(self) -> list[Metric]:
        """Say nothing before: names are declared once, so none is there twice."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give all metrics with their values. Raises `TimeoutError` when the loop is held up."""
        reading = asyncio.run_coroutine_threadsafe(self._within(), self._loop)
        try:
            samples = reading.result(READ_WITHIN_S)
        finally:
            reading.cancel()
        return families(samples)

    async def _within(self) -> list[MetricValue]:
        return await self._read()


def families(samples: list[MetricValue]) -> Iterator[Metric]:
    """Give samples as prometheus_client has them, by metric, in the order in which each is met first."""
    by_name: dict[str, list[MetricValue]] = {}
    for sample in samples:
        by_name.setdefault(sample.name, []).append(sample)
    for name, members in by_name.items():
        yield _family(declared.METRICS[name], members)


def _family(metric: declared.Metric, samples: list[MetricValue]) -> Metric:
    name, text, labels = metric.name, metric.description, metric.labels
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(name, text, labels=labels)
        for sample in samples:
            assert isinstance(sample.value, Spread), "a histogram is told by a spread"
            histogram.add_metric(sample.labels, _buckets(sample.value), sample.value.total)
        return histogram
    if metric.kind == "info":
        info = InfoMetricFamily(name.removesuffix("_info"), text)
        for sample in samples:
            info.add_metric((), dict(zip(labels, sample.labels, strict=True)))
        return info
    family = (CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily)(name, text, labels=labels)
    for sample in samples:
        assert not isinstance(sample.value, Spread), "only a histogram is told by a spread"
        family.add_metric(sample.labels, sample.value)
    return family


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    """Count the values up to each bound, as Prometheus wants them."""
    bounds = [*map(str, map(float, spread.bounds)), "+Inf"]
    return list(zip(bounds, map(float, accumulate(spread.counts)), strict=True))

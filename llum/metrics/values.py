"""Values of metrics: what is told when somebody asks."""

import platform
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

from bus.connection import Bus
from bus.spread import Spread


class MetricValue(NamedTuple):
    """The value of a metric at the moment, for some values of its labels."""

    name: str
    value: float | Spread
    """A `Spread` for a histogram."""
    labels: tuple[str, ...] = ()


ReadMetrics = Callable[[], Awaitable[list[MetricValue]]]
"""Gives all that a process tells. Raises nothing of the bus."""


def of_any(bus: Bus, partitions: int) -> Iterator[MetricValue]:
    """Give what every process tells."""
    yield MetricValue("llum_build_info", 1, _build())
    yield MetricValue("llum_bus_connected", bus.connected)
    yield MetricValue("llum_partitions", partitions)


@cache
def _build() -> tuple[str, str]:
    return version("llum"), platform.python_version()


def by_code(name: str, counts: Mapping[str, int]) -> list[MetricValue]:
    """Give a counter for each code."""
    return [MetricValue(name, count, (code,)) for code, count in counts.items()]

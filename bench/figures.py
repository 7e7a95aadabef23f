"""What a benchmark yields."""

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec

from bench.accounting import Spent

LEAST_US = 0.5
"""Microseconds of CPU per operation below which a process is left out: it has done nothing for them."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as `--json` prints it. `limit` was measured in the same run, in the same unit."""

    value: float
    unit: str
    limit: float | None = None
    ratio: float | None = None
    """`value` divided by `limit`."""
    bar: float | None = None
    """What the ratio is held to; without a limit, what the value is held to."""
    ok: bool = True
    cpu_us: Mapping[str, float] | None = None
    """Microseconds of CPU time that one operation of llum costs, by process, all threads."""
    limit_cpu_us: Mapping[str, float] | None = None
    """The same of the limit."""


class Result(msgspec.Struct, frozen=True):
    """A figure, and in words what was counted."""

    figure: Figure
    counted: str


def at_least(bar: float | None, unit: str, values: Sequence[float], limits: Sequence[float]) -> Figure:
    """Compare rates: more is better. Medians, so that one disturbed round does not decide. No bar: nothing is asked."""
    value, limit, ratio = _medians(values, limits)
    return Figure(value=value, unit=unit, limit=limit, ratio=ratio, bar=bar, ok=bar is None or ratio >= bar)


def at_most(bar: float | None, unit: str, values: Sequence[float], limits: Sequence[float]) -> Figure:
    """Compare times: less is better. No bar: nothing is asked."""
    value, limit, ratio = _medians(values, limits)
    return Figure(value=value, unit=unit, limit=limit, ratio=ratio, bar=bar, ok=bar is None or ratio <= bar)


def absolute(unit: str, value: float, bar: float | None = None) -> Figure:
    """Give a figure that has no limit to compare it with, less being better."""
    return Figure(value=value, unit=unit, bar=bar, ok=bar is None or value <= bar)


def costing(figure: Figure, value: Spent, limit: Spent) -> Figure:
    """Add to a figure the microseconds that an operation costs on both sides, by process."""
    return msgspec.structs.replace(figure, cpu_us=_tenths(value), limit_cpu_us=_tenths(limit))


def _tenths(costs: Spent) -> dict[str, float]:
    return {name: round(cost, 1) for name, cost in costs.items() if cost >= LEAST_US}


def _medians(values: Sequence[float], limits: Sequence[float]) -> tuple[float, float, float]:
    value, limit = median(values), median(limits)
    return value, limit, value / limit

"""What came of a soak, for people: a line for each level, with its slope, its noise and what the rule says."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.soak.running import Soaked
from bench.soak.sampling import AHEAD, MB
from bench.soak.slopes import SlopeVerdict, judged, judged_growth, troughs

HOUR_S: Final = 3600.0

LEAST: Final = {"MB": 2.0, "commands": 100.0}
"""Rises that say nothing, by the last word of a level's name."""
LEAST_OTHERS: Final = 4.0

LEAST_AHEAD_MB: Final = 16.0
"""What a single shard writes ahead before SQLite takes it over: 4,000 pages."""

BLOCK_MB: Final = 8.0
"""A block of a stream: room that nats-server makes, and takes, at once."""


class JudgedLevel(NamedTuple):
    """A level, and what is said of it."""

    name: str
    verdict: SlopeVerdict
    grows_with_commands: bool


def judge(soaked: Soaked) -> list[JudgedLevel]:
    """Judge all that was sampled. Raises `ValueError` for too few samples."""
    samples = soaked.samples
    # A process that was started anew, or that ends, is there in some samples only: it is no line.
    names = [name for name in samples[0].levels if all(name in one.levels for one in samples)]
    levels = [JudgedLevel(n, _judged(n, soaked.times, [s.levels[n] for s in samples]), False) for n in names]
    commands = [one.commands for one in samples]
    disk = [
        JudgedLevel(f"disk {n} MB", judged_growth(commands, [s.disk[n] for s in samples], BLOCK_MB), True)
        for n in samples[0].disk
    ]
    return [*levels, *disk]


def lines(soaked: Soaked, found: list[JudgedLevel]) -> Iterator[str]:
    """Lay it out."""
    yield f"{soaked.times[-1]:,.0f} s, {len(soaked.samples)} samples, of which the last two thirds count"
    yield ", ".join(f"{count:,} × {name}" for name, count in soaked.load.done.items())
    yield ""
    yield f"{'':<28} {'mean':>10} {'slope':>24} {'rise':>10} {'noise':>10}"
    yield from map(_line, found)
    yield ""
    yield from (f"FAILED {n} × {name}: {soaked.load.first_failures[name]}" for name, n in soaked.load.failed.items())
    grown = [one.name for one in found if not one.verdict.is_flat]
    yield f"not flat: {', '.join(grown)}" if grown else "flat: all of it, by the rule in bench/soak/slopes.py"


def _judged(name: str, times: list[float], levels: list[float]) -> SlopeVerdict:
    if name.startswith("memory"):
        times, levels = troughs(times), troughs(levels)
    return judged(times, levels, _least(name))


def _least(name: str) -> float:
    if name == AHEAD:
        return LEAST_AHEAD_MB
    return LEAST.get(name.split()[-1], LEAST_OTHERS)


def _line(one: JudgedLevel) -> str:
    line, flat = one.verdict
    if one.grows_with_commands:
        slope, verdict = f"{line.slope * MB:,.0f} bytes a command", "even" if flat else "UNEVEN"
    else:
        slope, verdict = f"{line.slope * HOUR_S:+,.2f} an hour", "flat" if flat else "GROWS"
    return f"{one.name:<28} {line.mean:>10,.1f} {slope:>24} {line.rise:>10,.2f} {line.noise:>10,.2f}  {verdict}"

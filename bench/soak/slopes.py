"""Whether a series of samples is flat within its noise.

The first third is left out: caches fill, and allocators take what they keep. A line is laid through the rest by least
squares. *Rise* is what the line rises by over that time, *noise* the standard deviation of the samples around it.

A level is flat unless it rises by more than three times its noise and by more than its allowance. The allowance is a
twentieth of its mean, and at least what the unit says nothing about: 2 MB, 4 descriptors, 100 commands of lag.

Of memory the least of each six samples counts. A forget fills a block of 8 MB in nats-server's files, so for a moment
a worker holds the message twice: how often one looks just then says nothing. What stays is in the least, too.

What holds all that was ever told has to grow with it. It is even unless a command takes more than a quarter more
bytes in the second half of that time than in the first, and the difference is more than the noise, and than what such
a place may go up and down by: nats-server makes room by whole blocks of a stream.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

WARM_UP: Final = 1 / 3
"""The part of a series that is left out."""

NOISES: Final = 3.0
ALLOWED: Final = 0.05
"""The part of its mean that a level may rise by."""

UNEVEN: Final = 1.25
"""How many times as many bytes as before a command may take."""

TROUGH: Final = 6
"""So many samples of which the least counts, where what is taken for a moment is let go again."""

FEWEST: Final = 6
"""Samples without which there is no line."""


class FittedLine(NamedTuple):
    """A line through samples."""

    slope: float
    """By how much the level rises for each unit of what it is laid over."""
    span: float
    """How far the line goes, in that unit."""
    mean: float
    noise: float
    """The standard deviation of the samples around the line."""

    @property
    def rise(self) -> float:
        """By how much it rises in all."""
        return self.slope * self.span


class SlopeVerdict(NamedTuple):
    """What is said of a series."""

    line: FittedLine
    is_flat: bool
    """For what grows with commands: whether it does so evenly."""


def after_warm_up(series: Sequence[float]) -> Sequence[float]:
    """Leave out the samples of the beginning."""
    return series[round(len(series) * WARM_UP) :]


def troughs(series: Sequence[float]) -> list[float]:
    """Give the least of each few samples. Of a short series that is fewer, so that a line can be laid through them."""
    of = max(1, min(TROUGH, len(series) // (2 * FEWEST)))
    return [min(series[first : first + of]) for first in range(0, len(series), of)]


def line(over: Sequence[float], levels: Sequence[float]) -> FittedLine:
    """Lay a line through levels by least squares. Raises `ValueError` for too few samples."""
    if len(levels) < FEWEST:
        raise ValueError(f"{len(levels)} samples are too few: let it run for longer")
    count, mean, middle = len(levels), sum(levels) / len(levels), sum(over) / len(over)
    spread = sum((x - middle) ** 2 for x in over)
    shared = sum((x - middle) * (y - mean) for x, y in zip(over, levels, strict=True))
    slope = shared / spread if spread else 0.0
    errors = sum((y - mean - slope * (x - middle)) ** 2 for x, y in zip(over, levels, strict=True))
    return FittedLine(slope, max(over) - min(over), mean, (errors / (count - 1)) ** 0.5)


def judged(times: Sequence[float], levels: Sequence[float], least: float) -> SlopeVerdict:
    """Say whether a level is flat. `least`: a rise that says nothing, in the level's unit."""
    found = line(after_warm_up(times), after_warm_up(levels))
    allowed = max(NOISES * found.noise, ALLOWED * abs(found.mean), least)
    return SlopeVerdict(found, found.rise <= allowed)


def judged_growth(commands: Sequence[float], levels: Sequence[float], least: float = 0.0) -> SlopeVerdict:
    """Say whether what grows with commands takes as much for each of them all the time. `least` as in `judged`."""
    over, grown = after_warm_up(commands), after_warm_up(levels)
    found = line(over, grown)
    half = len(over) // 2
    # By lines, as at any moment a stream may hold blocks that are about to go.
    before, after = (line(over[part], grown[part]).slope for part in (slice(half + 1), slice(half, None)))
    more = (after - UNEVEN * before) * (over[-1] - over[half])
    return SlopeVerdict(found, more <= max(NOISES * found.noise, least))

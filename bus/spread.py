"""How values are spread: so many lie up to each of a few bounds. It is what a histogram of Prometheus needs."""

from bisect import bisect_left
from collections.abc import Sequence


class Spread:
    """Counts values by bounds, which are sorted. One that is larger than all of them counts too."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """How many values lie above the bound before and up to this one; the last: above all."""
        self.total = 0.0
        """Their sum."""

    def scaled(self, factor: float) -> "Spread":
        """Give the same in another unit."""
        scaled = Spread([bound * factor for bound in self.bounds])
        scaled.counts, scaled.total = list(self.counts), self.total * factor
        return scaled

    def note(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

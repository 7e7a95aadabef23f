"""Who changes a model, and when."""

from typing import NamedTuple


class Stamp(NamedTuple):
    """What is stamped on all that a command makes."""

    user: str
    app: str
    seq: int
    time_us: int

    @property
    def time_s(self) -> float:
        return self.time_us / 1e6

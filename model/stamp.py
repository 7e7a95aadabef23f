"""Who changes a model, and when."""

import msgspec

from model.state import Model


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What is stamped on all that a command makes."""

    user: str
    app: str
    seq: int
    time_us: int
    """Microseconds since 1970."""

    @property
    def time_s(self) -> float:
        return self.time_us / 1e6


def stamp_after(model: Model | None, user: str, app: str, seq: int, time_us: int) -> Stamp:
    """Make the stamp of a command to this model. Times never go back: an earlier one counts as the model's latest."""
    if model is not None and time_us < model.time_us:
        time_us = model.time_us
    return Stamp(user, app, seq, time_us)

"""Failpoints, for tests: the process kills itself at a chosen step between a command and its commit.

A text names the step, and after a colon which time it is reached: `applied:3` is the third. `llum worker` and the
command that replaces keys take it from the environment when they start. Without one a step costs one comparison.
"""

import os
import signal
from typing import Final, Literal, get_args

DeathStep = Literal["before_apply", "applied", "spoken", "committing", "committed"]
"""Messages are in hand; applied in memory; spoken of. Rows are written within a transaction; it has ended."""


RewriteStep = Literal["chunk_said", "said_anew", "sum_recorded", "erasing"]
"""A chunk of what is left of a person is stored; all of it is applied; the sum is recorded; messages are erased."""

RotationStep = Literal["credentials_written", "server_ended", "server_changed"]
"""New credentials are in the file beside those before; the nats-server has been ended; it goes by the new ones."""

CutStep = Literal["cut_recorded", "cut_erasing", "cut_erased"]
"""It is recorded where the log is cut; the last messages before that are being erased; of the rest none is."""

SnapshotStep = Literal["chunk_uploaded", "erasure_recorded"]
"""A chunk of a snapshot is stored; it is recorded that somebody was forgotten, and older snapshots are still there."""

FailStep = DeathStep | RewriteStep | RotationStep | SnapshotStep | CutStep

_STEPS: Final = tuple(step for kind in get_args(FailStep) for step in get_args(kind))


class _Armed:
    step: FailStep | None = None
    times_left = 0


def arm(text: str | None) -> None:
    """Set a failpoint; None or an empty text: there is none. Raises `ValueError`."""
    step, _, times = (text or "").partition(":")
    if step and step not in _STEPS:
        raise ValueError(f"a failpoint is not one of {', '.join(_STEPS)}: {step}")
    _Armed.step = step or None  # type: ignore[assignment]
    _Armed.times_left = int(times or 1)


def reached(step: FailStep) -> None:
    """End as by kill -9 if this is the step, and its time has come."""
    if step == _Armed.step:
        _Armed.times_left -= 1
        if not _Armed.times_left:
            os.kill(os.getpid(), signal.SIGKILL)

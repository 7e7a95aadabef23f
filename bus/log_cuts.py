"""Where the log was cut: what was before that is in snapshots alone.

A cut is recorded before it is made. So what was cut can be told from what was lost, and a worker that has not read up
to there knows that it must begin with a snapshot.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import LOG_CUT_BUCKET

NOTICED_WITHIN_S: Final = 15.0
"""Seconds from the record of a cut to the cut. Whoever applies commands has read the record by then: it applies nothing
on older knowledge (`actors/known_cuts.py`)."""

_KEY: Final = "cuts"
"""The key of the one value that is all cuts: so one look tells of all streams."""


class Cut(msgspec.Struct, frozen=True):
    """How far one stream of the log is cut, or about to be."""

    seq: int
    """Everything before it may be gone."""
    needs: dict[int, int]
    """By partition: who has not applied everything up to this sequence must begin with a snapshot. Partitions of which
    nothing was cut are not named."""
    recorded: float
    """Seconds since 1970."""


Cuts = dict[str, Cut]
"""By the name of the stream."""


async def read(bus: Bus) -> Cuts:
    """Give all cuts, as the bucket's leader has them. Raises `Transient`."""
    found = await Bucket(bus, LOG_CUT_BUCKET).find_at_leader(_KEY)
    return {} if found is None else msgspec.json.decode(found.value, type=Cuts)


async def record(bus: Bus, stream: str, cut: Cut) -> None:
    """Record a cut, in place of the one before it. Raises `Transient`."""

    def merged(cuts: Cuts) -> Cuts:
        before = cuts.get(stream)
        if before is None:
            return {**cuts, stream: cut}
        needs = {number: max(cut.needs.get(number, 0), seq) for number, seq in before.needs.items()}
        return {**cuts, stream: Cut(max(cut.seq, before.seq), {**cut.needs, **needs}, cut.recorded)}

    await _change(bus, merged)


async def put_back(bus: Bus, stream: str, before: Cut | None) -> None:
    """Take the record of a cut back that was not made. Raises `Transient`."""

    def without(cuts: Cuts) -> Cuts:
        others = {name: one for name, one in cuts.items() if name != stream}
        return others if before is None else {**others, stream: before}

    await _change(bus, without)


async def accept_gap(bus: Bus, partition: int) -> None:
    """Have a partition made from what the log still has, although it was cut. Raises `Transient`."""
    await _change(bus, lambda cuts: {name: _without_need(one, partition) for name, one in cuts.items()})


def _without_need(cut: Cut, partition: int) -> Cut:
    return Cut(cut.seq, {number: seq for number, seq in cut.needs.items() if number != partition}, cut.recorded)


async def _change(bus: Bus, change: Callable[[Cuts], Cuts]) -> None:
    bucket = Bucket(bus, LOG_CUT_BUCKET)
    while True:
        found = await bucket.find_at_leader(_KEY)
        value = msgspec.json.encode(change({} if found is None else msgspec.json.decode(found.value, type=Cuts)))
        if found is None and await bucket.claim(_KEY, value):
            return
        if found is not None and (value == found.value or await bucket.replace(found, value)):
            return

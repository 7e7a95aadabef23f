"""Cutting the log: what is older than the operator wants to keep goes, as far as snapshots make up for it.

A stream of the log is cut as a whole, and several partitions share it. So it is cut before the first message that any
of them may still need: what is gone of each partition is in its two newest snapshots, and all of these have been read
back. Whoever cuts has those made that are missing.

1. The cut is recorded (`bus/log_cuts.py`), and all workers are given the time to notice.
2. If the snapshots are still there then, the messages are removed (`bus/log_cutting.py`).

Whoever is interrupted goes on at its next look, or another one does. Two who do it at the same time do no harm.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from actors.ground import Ground
from actors.leading import Leading
from actors.store.snapshots import check_readable
from bus import erasures, failpoints, log_cuts, log_cutting
from bus.connection import Bus
from bus.installation import Installation
from bus.installation import find as find_installation
from bus.log import last_sequences
from bus.log_cuts import NOTICED_WITHIN_S, Cut
from bus.log_cutting import DAY_S, LogState, first_since, log_state
from bus.logger import get_logger
from bus.objects import ObjectDamaged
from bus.retrying import Interrupted, Sleep
from bus.shard_snapshots import Snapshot, list_snapshots, request_snapshot
from bus.snapshot_files import SnapshotUnusable, check_current
from bus.snapshot_reading import read_back
from bus.subjects import log_stream
from schemas.errors import LlumError

log = get_logger(__name__)

FIRST_LOOK_S: Final = 300.0
"""Seconds from the start of a worker to its first look: a start has other work to do."""

LOOK_EVERY_S: Final = 3600.0
"""Seconds between looks whether the log has become too old."""

SLACK_S: Final = DAY_S
"""Seconds that the oldest message may be older than is wanted: each cut costs the erasing of a block."""

WANTED: Final = 2
"""Snapshots of a partition without which nothing of it is cut, should one be damaged."""

SNAPSHOT_WITHIN_S: Final = 3600.0
"""Seconds for a snapshot that is asked for."""


class CutPlan(NamedTuple):
    """What would be cut off one stream."""

    stream: str
    state: LogState
    seq: int
    """What is before it would go."""
    needs: dict[int, int]
    """By partition: up to here it is in snapshots that were read back."""
    why_not: str | None = None
    """Why not all goes that is old enough, for people."""

    @property
    def cuts(self) -> bool:
        """Whether there is anything to do."""
        return self.seq > self.state.first_seq


class Uncovered(Exception):  # noqa: N818 - says why not
    """A partition's snapshots do not make up for a cut. The text says why."""


class Planner:
    """Finds what may be cut. It reads snapshots back, each only once."""

    def __init__(self, bus: Bus, installation: Installation, digest_key: int) -> None:
        self._bus = bus
        self._installation = installation
        self._digest_key = digest_key
        self._read: set[str] = set()
        """The names of snapshots that were read back."""

    async def plan(self, stream: str, before: float, *, make_snapshots: bool = False) -> CutPlan:
        """Find how far a stream may be cut of what was stored before a time, seconds since 1970.

        `make_snapshots`: have those made that are missing. Raises `ApiError`, `Transient`.
        """
        state = await log_state(self._bus, stream)
        # The last message stays, so that there is something to compare shards with.
        seq = min(await first_since(self._bus, stream, before) or state.last_seq, state.last_seq)
        if seq <= state.first_seq or not state.messages:
            return CutPlan(stream, state, state.first_seq, {})
        known = (await log_cuts.read(self._bus)).get(stream)
        relied_on = {} if known is None else known.needs
        partitions = self._partitions_of(stream)
        lasts = await last_sequences(self._bus, partitions, self._installation.log_streams)
        ends, why_not = dict[int, int](), None
        for number in partitions:
            if lasts[number] or number in relied_on:
                try:
                    if make_snapshots:
                        await self._have_made(number, min(seq - 1, lasts[number]))
                    ends[number] = await self._covered(number, lasts[number])
                except Uncovered as error:
                    return CutPlan(stream, state, state.first_seq, {}, f"partition {number}: {error}")
                if ends[number] < lasts[number] and ends[number] + 1 < seq:
                    seq = ends[number] + 1
                    why_not = f"partition {number}: the older of its snapshots ends at {ends[number]}"
        needs = {number: min(end, seq - 1) for number, end in ends.items()}
        return CutPlan(stream, state, seq, needs, why_not)

    async def covers(self, plan: CutPlan) -> bool:
        """Tell whether the snapshots that a plan relies on, or newer ones, are still there. Raises `Transient`."""
        good = [await self._good(number) for number in plan.needs]
        return all(
            found and found[0].manifest is not None and found[0].manifest.committed_seq >= need
            for found, need in zip(good, plan.needs.values(), strict=True)
        )

    def _partitions_of(self, stream: str) -> Sequence[int]:
        found = self._installation
        (index,) = (index for index in range(found.log_streams) if log_stream(index) == stream)
        return range(index, found.partitions, found.log_streams)

    async def _have_made(self, number: int, up_to: int) -> None:
        """See that a partition has two snapshots with all up to a sequence. Raises `Uncovered`, `Transient`."""
        for _ in range(WANTED):
            good = await self._good(number)
            if len(good) == WANTED and _end_of(good) >= up_to:
                return
            made = await request_snapshot(self._bus, number, SNAPSHOT_WITHIN_S, again=True)
            if made is None or made.failure is not None:
                raise Uncovered("no worker serves it" if made is None else str(made.failure))

    async def _covered(self, number: int, last_seq: int) -> int:
        """Give the sequence up to which a partition is in its snapshots. Raises `Uncovered`, `Transient`."""
        good = await self._good(number)
        if not good or (len(good) < WANTED and _end_of(good) < last_seq):
            raise Uncovered("it has no second snapshot yet" if good else "it has no snapshot yet")
        for one in good:
            await self._read_back(one)
        return _end_of(good)

    async def _good(self, number: int) -> list[Snapshot]:
        """List the newest snapshots with which a worker can begin, as far as is known without reading them."""
        erased = await erasures.read(self._bus, number)
        return [one for one in await list_snapshots(self._bus, number) if self._is_good(one, erased.seq)][:WANTED]

    def _is_good(self, snapshot: Snapshot, erased_seq: int) -> bool:
        if snapshot.manifest is None:
            return False
        try:
            check_current(snapshot.manifest, erased_seq)
            check_readable(snapshot.manifest, self._digest_key)
        except SnapshotUnusable:
            return False
        return True

    async def _read_back(self, snapshot: Snapshot) -> None:
        name = snapshot.object.name
        if name in self._read:
            return
        try:
            await read_back(self._bus, snapshot)
        except (SnapshotUnusable, ObjectDamaged) as error:
            raise Uncovered(f"its snapshot {name} cannot be read: {error}") from error
        self._read.add(name)


def _end_of(good: list[Snapshot]) -> int:
    """Give the sequence up to which a partition is in each of these snapshots."""
    return min(one.manifest.committed_seq for one in good if one.manifest is not None)


async def carry_out(
    bus: Bus,
    planner: Planner,
    plans: Sequence[CutPlan],
    sleep: Sleep = asyncio.sleep,
    on_progress: Callable[[str], None] = lambda _: None,
) -> list[CutPlan]:
    """Cut as planned, and give the plans that were carried out.

    Of the others the snapshots have gone meanwhile, as when somebody is forgotten. Raises `ApiError`, `Transient`, and
    what `sleep` raises.
    """
    before = await log_cuts.read(bus)
    for plan in plans:
        await log_cuts.record(bus, plan.stream, Cut(plan.seq, plan.needs, time.time()))
    failpoints.reached("cut_recorded")
    on_progress(f"waiting {NOTICED_WITHIN_S:g} seconds, so that all workers notice")
    await sleep(NOTICED_WITHIN_S)
    done = list[CutPlan]()
    for plan in plans:
        if await planner.covers(plan):
            await _cut(bus, plan.stream, plan.seq, on_progress)
            done.append(plan)
        else:
            await log_cuts.put_back(bus, plan.stream, before.get(plan.stream))
    return done


async def finish(bus: Bus, planner: Planner, stream: str) -> None:
    """Finish a cut that was recorded and interrupted. Raises `ApiError`, `Transient`."""
    known = (await log_cuts.read(bus)).get(stream)
    if known is None or time.time() - known.recorded < 2 * NOTICED_WITHIN_S:
        return
    state = await log_state(bus, stream)
    begun = CutPlan(stream, state, min(known.seq, state.last_seq), known.needs)
    if state.messages and begun.cuts and await planner.covers(begun):
        await _cut(bus, stream, begun.seq, lambda _: None)


async def _cut(bus: Bus, stream: str, seq: int, on_progress: Callable[[str], None]) -> None:
    erased = 0

    def count(more: int) -> None:
        nonlocal erased
        erased += more
        on_progress(f"{stream}: erased {erased:,} messages before {seq}")

    await log_cutting.cut(bus, stream, seq, count)
    log.info("log_cut", stream=stream, seq=seq, erased=erased)


class LogCutting:
    """Cuts one stream now and then, as the primary of its first partition."""

    def __init__(self, ground: Ground, number: int, stream: str, sleep: Sleep) -> None:
        self._ground = ground
        self._stream = stream
        self._sleep = sleep
        self._planner: Planner | None = None
        is_ours = ground.log_days and number < ground.log_streams
        self.leading = Leading(self._look_again_and_again) if is_ours else Leading()

    async def _look_again_and_again(self) -> None:
        with suppress(Interrupted):
            await self._sleep(FIRST_LOOK_S)
            while True:
                try:
                    await self.look()
                except LlumError as error:
                    log.warning("log_not_cut", stream=self._stream, error=str(error))
                await self._sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Cut what is too old. Raises `ApiError`, `Transient`."""
        bus = self._ground.bus
        planner = await self._planning()
        if planner is None:
            return
        await finish(bus, planner, self._stream)
        before = time.time() - self._ground.log_days * DAY_S
        if not await self._is_worth_it(before):
            return
        plan = await planner.plan(self._stream, before, make_snapshots=True)
        if plan.why_not is not None:
            log.info("log_not_cut_yet", stream=self._stream, why=plan.why_not)
        if plan.cuts:
            await carry_out(bus, planner, [plan], self._sleep)

    async def _is_worth_it(self, before: float) -> bool:
        """Tell whether the oldest message is older than is wanted by a day."""
        state = await log_state(self._ground.bus, self._stream)
        since = await first_since(self._ground.bus, self._stream, before - SLACK_S)
        return bool(state.messages) and (since is None or since > state.first_seq)

    async def _planning(self) -> Planner | None:
        if self._planner is None:
            installation = await find_installation(self._ground.bus)
            if installation is not None:
                self._planner = Planner(self._ground.bus, installation, self._ground.digests.fingerprint)
        return self._planner

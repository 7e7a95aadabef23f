"""Cutting the log by hand: what would go, and having it go."""

import time
from collections.abc import Callable

import msgspec

from bus.connection import Bus
from bus.installation import Installation
from bus.installation import find as find_installation
from bus.log_cutting import DAY_S, first_since, log_state
from bus.subjects import log_stream
from llum.failures import Fault


class StreamToCut(msgspec.Struct, frozen=True):
    """What is older than the operator wants to keep."""

    stream: str
    first_seq: int
    """The first message that there is."""
    seq: int
    """The first message that is to stay. The last one stays in any case."""

    @property
    def messages(self) -> int:
        """So many would go at most: some may be gone already, with people who were forgotten."""
        return max(0, self.seq - self.first_seq)


class CutDone(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a cut."""

    cut: list[StreamToCut]
    why_not: list[str]
    """What stays although it is old enough, and why."""


async def look(bus: Bus, days: float) -> list[StreamToCut]:
    """Say what of the log is older than so many days. Raises a `Fault`, `ApiError`, `Transient`."""
    installation = await _installed(bus)
    before = time.time() - days * DAY_S
    return [await _to_cut(bus, log_stream(index), before) for index in range(installation.log_streams)]


async def cut(bus: Bus, days: float, on_progress: Callable[[str], None]) -> CutDone:
    """Cut what is older, as far as snapshots make up for it; those that are missing are made first.

    `on_progress` takes a line that says how far it has got. Raises a `Fault`, `ApiError`, `Transient`.
    """
    from actors.cutting import Planner, carry_out
    from actors.store.digests import Digests
    from bus.secret import DIGEST_KEY, secret

    installation = await _installed(bus)
    planner = Planner(bus, installation, Digests(await secret(bus, DIGEST_KEY)).fingerprint)
    before, plans = time.time() - days * DAY_S, []
    for index in range(installation.log_streams):
        on_progress(f"reading the snapshots of {log_stream(index)}")
        plans.append(await planner.plan(log_stream(index), before, make_snapshots=True))
    wanted = [plan for plan in plans if plan.cuts]
    done = await carry_out(bus, planner, wanted, on_progress=on_progress) if wanted else []
    why_not = [f"{plan.stream}: {plan.why_not}" for plan in plans if plan.why_not is not None]
    why_not += [f"{plan.stream}: somebody was just forgotten; try again" for plan in wanted if plan not in done]
    return CutDone(cut=[StreamToCut(one.stream, one.state.first_seq, one.seq) for one in done], why_not=why_not)


async def _to_cut(bus: Bus, stream: str, before: float) -> StreamToCut:
    state = await log_state(bus, stream)
    first = await first_since(bus, stream, before)
    return StreamToCut(stream, state.first_seq, min(first or state.last_seq, state.last_seq))


async def _installed(bus: Bus) -> Installation:
    found = await find_installation(bus)
    if found is None:
        raise Fault("llum is not installed on this nats-server", "Name the llum to look at with --data-dir.")
    return found

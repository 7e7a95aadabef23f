"""What `llum doctor` finds: what the log has lost, what was set aside, what does not answer."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bus.aside import Aside
from bus.connection import Bus
from bus.installation import find as find_installation
from bus.losses import Losses, find_losses, in_words
from bus.scrubs import Scrubbed, scrub
from bus.subjects import log_stream
from llum.bus_address import connected_as
from llum.failures import Fault
from llum.settings import Settings
from llum.status.looking import look
from llum.status.standing import Standing

SCRUBBED_WITHIN_S: Final = 600.0
"""Seconds that workers may take to read their shards; they go on after that, and say in their logs what they find."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be."""

    what: str
    advice: str


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what was found. `llum doctor --json` prints it as it is here."""

    healthy: bool
    findings: list[Finding]
    streams: list[Losses]
    """Each stream of the log, with what it has lost."""
    aside: list[Aside]
    """Shards that were set aside. They are no fault any more, but say that there was one."""


async def examine(settings: Settings, on_progress: Callable[[str], None]) -> Diagnosis:
    """Read the whole log, and ask all partitions. Raises a `Fault` when nothing runs, `ApiError`, `Transient`."""
    standing = await look(settings)
    nats = settings.nats_url or standing.nats
    if nats is None:
        raise Fault("llum does not run, and the log is read through its nats-server", "Start it with `llum up`.")
    bus = await connected_as(settings, "operator", "llum-doctor", nats)
    try:
        streams = await _read_log(bus, on_progress)
        scrubbed = await _read_shards(bus, on_progress)
    finally:
        await bus.close()
    findings = [*_of_standing(standing), *_of_log(streams), *_of_shards(scrubbed)]
    aside = standing.shards.aside
    return Diagnosis(healthy=not findings, findings=findings, streams=streams, aside=aside)


async def _read_log(bus: Bus, on_progress: Callable[[str], None]) -> list[Losses]:
    installation = await find_installation(bus)
    if installation is None:
        raise Fault("llum is not installed on this nats-server", "Name the llum to look at with --data-dir.")
    names = map(log_stream, range(installation.log_streams))
    return [await find_losses(bus, name, on_progress) for name in names]


async def _read_shards(bus: Bus, on_progress: Callable[[str], None]) -> list[Scrubbed]:
    """Have all workers read their shards, each of them one after the other."""
    installation = await find_installation(bus)
    assert installation is not None, "the log was found"
    on_progress("reading the shards")
    asked = (scrub(bus, number, SCRUBBED_WITHIN_S) for number in range(installation.partitions))
    return [one for each in await asyncio.gather(*asked) for one in each]


def _of_shards(scrubbed: Sequence[Scrubbed]) -> list[Finding]:
    advice = "it is made anew from the log; see docs/how-to/when-replicas-differ.md"
    return [
        Finding(f"partition {one.partition}, worker {one.holder}: {one.found}", advice)
        for one in scrubbed
        if one.found is not None
    ]


def _of_standing(standing: Standing) -> list[Finding]:
    return [Finding(reason, "see `llum status`") for reason in [*standing.reasons, *standing.lost, *standing.differs]]


def _of_log(streams: list[Losses]) -> list[Finding]:
    advice = (
        "the shards may still have what these commands did, until they are made anew: do not remove them, export the "
        "people concerned (`llum admin person export`), or restore a backup (`llum admin restore`)"
    )
    return [Finding(in_words(one), advice) for one in streams if not one.is_whole]

"""What `llum doctor` finds: what the operator may have got wrong, what the log has lost, what does not answer."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bus.aside import Aside
from bus.connection import Bus
from bus.installation import Installation
from bus.installation import find as find_installation
from bus.log import last_sequences
from bus.losses import Losses, find_losses, in_words
from bus.scrubs import Scrubbed, scrub
from bus.shard_snapshots import SnapshotManifest, list_snapshots
from bus.subjects import log_stream
from bus.workers import read_words
from llum.bus_address import connected_as
from llum.settings import Settings
from llum.status.findings import Finding, found
from llum.status.looking import look
from llum.status.mistakes.here import look_here
from llum.status.mistakes.on_the_bus import look_at_clock, look_at_installation, look_at_server, why_no_bus
from llum.status.mistakes.workers import look_at_snapshots, look_at_workers
from llum.status.standing import Standing
from schemas.errors import LlumError

SCRUBBED_WITHIN_S: Final = 600.0
"""Seconds that workers may take to read their shards; they go on after that, and say in their logs what they find."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what was found. `llum doctor --json` prints it as it is here."""

    healthy: bool
    findings: list[Finding]
    streams: list[Losses]
    """Each stream of the log, with what it has lost. None where the log could not be read."""
    aside: list[Aside]
    """Shards that were set aside. They are no fault any more, but say that there was one."""


async def examine(settings: Settings, on_progress: Callable[[str], None]) -> Diagnosis:
    """Look for what operators get wrong, read the whole log, and ask all partitions.

    Raises a `Fault` where there is no data folder, `ApiError`, `Transient` when nats-server goes away meanwhile.
    """
    standing = await look(settings)
    findings = list(look_here(settings, standing.processes))
    nats = settings.nats_url or standing.nats
    if nats is None:
        reason = "no llum runs on this data folder, and LLUM_NATS_URL names no nats-server"
        findings.append(found("bus_away", reason, "start it with `llum up`, or name the nats-server"))
        return _diagnosis(findings, [], standing)
    try:
        bus = await connected_as(settings, "operator", "llum-doctor", nats)
    except LlumError as error:
        return _diagnosis([*findings, why_no_bus(error)], [], standing)
    try:
        findings += [one async for one in look_at_server(settings, nats)]
        installation = await find_installation(bus)
        findings += [one async for one in look_at_installation(bus, installation, settings.partitions)]
        if installation is None:
            return _diagnosis(findings, [], standing)
        findings += [one async for one in look_at_clock(bus)]
        findings += look_at_workers(await read_words(bus))
        findings += await _of_snapshots(bus, installation, standing.log.oldest, settings)
        streams = await _read_log(bus, installation, on_progress)
        scrubbed = await _read_shards(bus, installation, on_progress)
    finally:
        await bus.close()
    return _diagnosis([*findings, *_of_standing(standing), *_of_log(streams), *_of_shards(scrubbed)], streams, standing)


def _diagnosis(findings: list[Finding], streams: list[Losses], standing: Standing) -> Diagnosis:
    return Diagnosis(healthy=not findings, findings=findings, streams=streams, aside=standing.shards.aside)


async def _of_snapshots(
    bus: Bus, installation: Installation, oldest: float | None, settings: Settings
) -> list[Finding]:
    newest: dict[int, SnapshotManifest] = {}
    for one in await list_snapshots(bus):
        if one.manifest is not None:
            newest.setdefault(one.manifest.partition, one.manifest)
    lasts = await last_sequences(bus, list(range(installation.partitions)), installation.log_streams)
    return list(look_at_snapshots(newest, lasts, oldest, settings))


async def _read_log(bus: Bus, installation: Installation, on_progress: Callable[[str], None]) -> list[Losses]:
    names = map(log_stream, range(installation.log_streams))
    return [await find_losses(bus, name, on_progress) for name in names]


async def _read_shards(bus: Bus, installation: Installation, on_progress: Callable[[str], None]) -> list[Scrubbed]:
    """Have all workers read their shards, each of them one after the other."""
    on_progress("reading the shards")
    asked = (scrub(bus, number, SCRUBBED_WITHIN_S) for number in range(installation.partitions))
    return [one for each in await asyncio.gather(*asked) for one in each]


def _of_shards(scrubbed: Sequence[Scrubbed]) -> list[Finding]:
    advice = "it is made anew from the log; see docs/how-to/when-replicas-differ.md"
    return [
        found("shard_damaged", f"partition {one.partition}, worker {one.holder}: {one.found}", advice)
        for one in scrubbed
        if one.found is not None
    ]


def _of_standing(standing: Standing) -> list[Finding]:
    said = (("not_ready", standing.reasons), ("log_lost", standing.lost), ("copies_differ", standing.differs))
    return [found(code, reason, "see `llum status`") for code, reasons in said for reason in reasons]


def _of_log(streams: Sequence[Losses]) -> list[Finding]:
    advice = (
        "the shards may still have what these commands did, until they are made anew: do not remove them, export the "
        "people concerned (`llum admin person export`), or restore a backup (`llum admin restore`)"
    )
    return [found("log_lost", in_words(one), advice) for one in streams if not one.is_whole]

"""Mistakes in nats-server: who is let in, mappings, streams, limits, how it syncs, the clock."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import msgspec

from bus.accounts_check import connected_as_own
from bus.connection import Bus
from bus.errors import InstallationError
from bus.installation import Installation, changed_streams, check_server
from bus.jetstream import JetStream
from bus.mappings import check_mappings
from bus.subjects import log_stream
from llum.own_credentials import credentials_of, is_ruled_by_others
from llum.settings import Settings
from llum.status.findings import Finding, found
from schemas.errors import Code, LlumError, SetupError

CLOCKS_S: Final = 2.0
"""Seconds by which two clocks may differ: llum compares times of the log with its own by the second."""

MOST_STORED: Final = 0.9
"""The part of what JetStream may store that may be in use."""

TOLD_WITHIN_S: Final = 2.0
"""Seconds for nats-server to tell of itself."""


def why_no_bus(error: LlumError) -> Finding:
    """Say why there is no connection."""
    hint = error.error.hint or "see the log of nats-server"
    if error.error.code == Code.NOT_AUTHENTICATED or isinstance(error, InstallationError):
        advice = "copy credentials.json of this installation here, or name it with LLUM_CREDENTIALS"
        return found("bus_refuses", error.error.message, f"{advice}; {hint}")
    if isinstance(error, SetupError):
        return found("bus_away", error.error.message, hint)
    return found("bus_away", error.error.message, f"start nats-server there, or correct LLUM_NATS_URL; {hint}")


async def look_at_installation(bus: Bus, recorded: Installation | None, partitions: int) -> AsyncIterator[Finding]:
    """Find what is wrong with what is installed. `partitions` is what the settings say. Raises `Transient`."""
    if recorded is None:
        with suppress(InstallationError):
            check_server(bus.server_info)
        what = "llum is not installed on this nats-server"
        yield found(
            "not_installed", what, "correct LLUM_NATS_URL if it names the wrong one, or run `llum admin install` once"
        )
        return
    if recorded.partitions != partitions:
        what = f"this installation has {recorded.partitions} partitions, LLUM_PARTITIONS says {partitions}"
        yield found("wrong_partitions", what, f"set LLUM_PARTITIONS={recorded.partitions}: the number is fixed")
    try:
        await check_mappings(bus, recorded.partitions)
    except InstallationError as error:
        yield found("wrong_partitions", error.error.message, str(error.error.hint))
    for changed in await changed_streams(bus, recorded):
        yield found("stream_changed", changed.error.message, str(changed.error.hint))


async def look_at_clock(bus: Bus) -> AsyncIterator[Finding]:
    """Compare the clock of this machine with that of the server that leads the first stream. Raises `Transient`."""
    before = time.time()
    told = await JetStream(bus).call(f"STREAM.INFO.{log_stream(0)}")
    after = time.time()
    theirs = datetime.fromisoformat(f"{told['ts'][:19]}+00:00").timestamp()
    # What is told is cut to the second.
    late, early = before - theirs - 1, theirs - after
    off = max(late, early)
    if off > CLOCKS_S:
        what = f"the clock here is {off:,.0f} s {'ahead of' if late > early else 'behind'} that of nats-server"
        yield found("clock_off", what, "let both machines set their clocks by NTP (chrony, systemd-timesyncd)")


async def look_at_server(settings: Settings, url: str) -> AsyncIterator[Finding]:
    """Find what is wrong with how the server that answers is set up. Where it does not tell, nothing is found."""
    if is_ruled_by_others(url):
        return
    told = await _variables(settings, url)
    jetstream = told.get("jetstream", {})
    config, stats = jetstream.get("config", {}), jetstream.get("stats", {})
    used, limit = stats.get("storage", 0), config.get("max_storage", -1)
    if limit > 0 and used > MOST_STORED * limit:
        what = f"JetStream stores {used / 1e9:,.1f} GB and may store {limit / 1e9:,.1f}"
        yield found("store_full", what, "raise max_file_store in nats-server's configuration, and start it anew")
    if settings.sync == "always" and not config.get("sync_always", False):
        seconds = config.get("sync_interval", 0) / 1e9
        what = f"nats-server writes to the disk every {seconds:,.0f} s, and the setting sync says always"
        yield found(
            "sync_late", what, "write `sync_interval: always` in its configuration (`llum nats-config` prints it)"
        )


async def _variables(settings: Settings, url: str) -> dict[str, Any]:
    """Have the server tell of itself, as its own system account may ask; nothing where that is not let in."""
    try:
        bus = await connected_as_own(credentials_of(settings).at(url, "system"), "llum-doctor")
    except LlumError:
        return {}
    try:
        subject = f"$SYS.REQ.SERVER.{bus.server_info['server_id']}.VARZ"
        answer = await bus.inbox.request(subject, b"", TOLD_WITHIN_S)
        found_data: dict[str, Any] = msgspec.json.decode(answer.data).get("data", {})
        return found_data
    except (LlumError, msgspec.DecodeError):
        return {}
    finally:
        await bus.close()

"""The check that nats-server maps commands and asks to partitions as llum expects."""

import asyncio
from typing import Final

from bus.accounts import REMEDY
from bus.connection import Bus
from bus.errors import InstallationError
from bus.subjects import ask_subject, command_subject, parse_address, partition_of, probe_subjects, server_mappings
from schemas.errors import Refusal

PROBES: Final = 8
"""Users that are probed. Two different numbers of partitions agree on all of them about once in P to the eighth."""

PROBE_APP: Final = "llum-probe"

LATE_S: Final = 0.5
"""Seconds to wait for probes that have not come back with the flush; only a wrong server is waited for."""

_REFUSE: Final = {"Nats-Expected-Stream": "none"}
"""Makes the log stream refuse a probe, while those who listen still see it."""


async def check_mappings(bus: Bus, partitions: int) -> None:
    """Send probes through both mappings and see where they come out. Nothing is stored.

    Raises `InstallationError` with the configuration lines that are missing.
    """
    seen: dict[tuple[str, str], int] = {}
    wanted = _wanted(partitions)
    arrived = asyncio.Event()

    def on_probe(subject: bytes, _reply: bytes, _headers: bytes, _data: bytes) -> None:
        _note(seen, subject.decode("utf-8", "replace"))
        if len(seen) == len(wanted):
            arrived.set()

    listening = [await bus.listen(subject, on_probe) for subject in probe_subjects(PROBE_APP)]
    try:
        await _send_probes(bus)
        async with asyncio.timeout(LATE_S):
            await arrived.wait()
    except TimeoutError:
        pass
    finally:
        await asyncio.gather(*(each.stop() for each in listening))
    if seen != wanted:
        raise _wrong(seen, partitions)


def _users() -> list[str]:
    return [f"llum-probe-{index}" for index in range(PROBES)]


def _wanted(partitions: int) -> dict[tuple[str, str], int]:
    return {(kind, user): partition_of(user, partitions) for kind in ("log", "query") for user in _users()}


async def _send_probes(bus: Bus) -> None:
    for user in _users():
        await bus.publish(command_subject(user, PROBE_APP, "ping"), b"", headers=_REFUSE)
        await bus.publish(ask_subject(user, PROBE_APP, "ping"), b'{"verb":"ping"}')
    await bus.flush()


def _note(seen: dict[tuple[str, str], int], subject: str) -> None:
    try:
        address = parse_address(subject)
    except Refusal:
        return
    if address.user in _users():
        seen[(subject.split(".")[1], address.user)] = address.partition


def _wrong(seen: dict[tuple[str, str], int], partitions: int) -> InstallationError:
    found = "maps to other partitions than llum" if seen else "lacks the mappings that llum needs"
    mappings = ", ".join(f'"{source}": "{to}"' for source, to in server_mappings(partitions).items())
    hint = f"{REMEDY}; it needs these mappings in the account of llum: {mappings}"
    return InstallationError(f"nats-server {found}", hint)

"""llum's own credentials on the bus, and how they are replaced.

The file is written first, with the new ones and those before. Then nats-server must start anew, as it cannot take them
in while it runs: the one that `llum up` runs is ended, and `llum up` starts it. When it goes by the new ones, those
before are dropped. Whoever comes meanwhile tries both. So it may break off anywhere, and the next rotation goes on.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from bus import credentials, failpoints
from bus.connection import Bus
from bus.credentials import CredentialPart, Credentials
from bus.embedded import end_running
from bus.errors import InstallationError
from llum.bus_address import bus_of
from llum.failures import Fault
from llum.own_credentials import credentials_file, is_ruled_by_others
from llum.processes.running import HeldError, hold
from llum.settings import Settings
from schemas.errors import Code, Transient

SERVES_WITHIN_S: Final = 60.0
"""Seconds that nats-server may take to start anew: it reads its streams' indexes before it answers."""

ASKED_EVERY_S: Final = 0.1

LOOK_WITHIN_S: Final = 2.0
"""Seconds for one look at whether nats-server takes a password."""

Rotated = Literal["done", "waits"]
"""What came of it. `waits`: whoever runs the nats-server has to do something first."""


def read_own(settings: Settings) -> Credentials:
    """Read the credentials. Raises `InstallationError`, and a `Fault` where there are none of llum's own."""
    if settings.nats_url is not None and is_ruled_by_others(settings.nats_url):
        raise Fault(
            "the address of the nats-server holds a login of its own",
            "Whoever runs that nats-server replaces it; then put the new one into LLUM_NATS_URL.",
        )
    return credentials.load(credentials_file(settings))


async def rotate_own(settings: Settings, parts: Collection[CredentialPart]) -> Rotated:
    """Replace parts of the credentials, or go on with what was begun. Returns when nats-server goes by them.

    Raises a `Fault`, `InstallationError`.
    """
    file = credentials_file(settings)
    with _alone(file):
        found = read_own(settings)
        if found.before is None:
            # Of somebody else's nats-server only the passwords tell which ones it goes by.
            found = credentials.replaced(found, parts if settings.nats_url is None else ("passwords", "callout"))
            credentials.store(file, found)
            failpoints.reached("credentials_written")
        if not await _is_taken_up(settings, found):
            return "waits"
        failpoints.reached("server_changed")
        credentials.store(file, credentials.settled(found))
    return "done"


async def _is_taken_up(settings: Settings, wanted: Credentials) -> bool:
    """See to it that nats-server goes by these. False if it is for somebody else to start it anew."""
    if settings.nats_url is not None:
        return await _lets_in(settings.nats_url, wanted)
    try:
        with hold(settings.data_dir, 0.0):
            # No llum runs here. The next one writes the configuration of its nats-server anew.
            return True
    except HeldError:
        await _start_anew(settings, wanted)
    return True


async def _start_anew(settings: Settings, wanted: Credentials) -> None:
    deadline = time.monotonic() + SERVES_WITHIN_S
    ended = False
    while not (ended and await _serves(settings, wanted)):
        if not ended and await asyncio.to_thread(end_running, settings.data_dir):
            ended = True
            failpoints.reached("server_ended")
        if time.monotonic() > deadline:
            raise Fault(
                "nats-server does not go by the new credentials",
                "See what `llum up` and its log say; then rotate again: it goes on from here.",
            )
        await asyncio.sleep(ASKED_EVERY_S)


async def _serves(settings: Settings, wanted: Credentials) -> bool:
    try:
        return await _lets_in(bus_of(settings), wanted)
    except (Fault, Transient):
        return False


async def _lets_in(url: str, wanted: Credentials) -> bool:
    """Tell whether nats-server takes the operator's password. Raises `Transient` where none answers."""
    try:
        bus = await Bus.connect(wanted.at(url, "operator"), name="llum-keys", within_s=LOOK_WITHIN_S)
    except Transient as error:
        if error.code is Code.NOT_AUTHENTICATED:
            return False
        raise
    await bus.close()
    return True


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let nobody else replace credentials meanwhile. Raises `InstallationError`, a `Fault`."""
    try:
        folder = os.open(file.parent, os.O_RDONLY)
    except OSError as error:
        raise InstallationError(f"cannot read {file}: {error.strerror}", "see who may read it") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Fault("another command replaces the keys of this llum now", "Wait until it has ended.") from error
    finally:
        os.close(folder)

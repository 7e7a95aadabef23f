"""Forgets temporary users whose time is over, and goes on with what has broken off, for as long as a worker runs.

It also tells backups of who was forgotten: those in folders of this machine, and those in object stores.

Safes that a person has joined to their model are among the former, and joins that broke off are the latter. All that is
to be done stands in the bus. So whoever starts next finds what was not done, and two who sweep at the same time do the
same thing twice, which changes nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bus.connection import Bus
from bus.jetstream import ApiError, JetStream
from bus.logger import get_logger
from bus.subjects import FORGOTTEN_BUCKET, bucket_stream
from identity.preferences.store import is_joining
from identity.temporary.users import TemporaryUsers
from schemas.errors import LlumError

SWEEP_EVERY_S: Final = 60.0
"""Seconds between two looks."""

AT_ONCE: Final = 100
"""Temporary users who are forgotten together: what one forgetting costs is mostly the same for many."""

log = get_logger("llum.worker")


@asynccontextmanager
async def sweeping(bus: Bus, data_dir: Path, every_s: float = SWEEP_EVERY_S) -> AsyncIterator[None]:
    """Sweep now and then while the context is open."""
    task = asyncio.create_task(_sweep_now_and_then(bus, data_dir, every_s), name="sweeping")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _sweep_now_and_then(bus: Bus, data_dir: Path, every_s: float) -> None:
    told_up_to = -1
    while True:
        await asyncio.sleep(every_s)
        try:
            await sweep(bus, data_dir)
            told_up_to = await tell_backups(bus, data_dir, told_up_to)
        except (LlumError, ApiError, OSError) as error:
            # The next look finds the same ones.
            log.warning("sweep_waits", error=str(error))


async def sweep(bus: Bus, data_dir: Path) -> int:
    """Go on with joins; forget all whose time is over, and give their number.

    One that cannot be done now is logged, and the others are done. Raises `Transient` if nothing can be found out.
    """
    over, joins = await TemporaryUsers(bus).over(), await is_joining(bus)
    if not over and not joins:
        return 0
    # All that forgetting needs: most workers never do.
    from bus.requests import Requests
    from identity.preferences.joining import KeyJoining
    from identity.preferences.keys import PreferenceKeys
    from llum.client import Client
    from llum.people.forgetting import forget_people
    from schemas.apps import OWNER_APP

    requests, forgotten = Requests(bus), 0
    await requests.start()
    try:
        if joins:
            await KeyJoining(PreferenceKeys(bus), requests).take_up()
        client = Client(bus, requests, OWNER_APP)
        for start in range(0, len(over), AT_ONCE):
            some = over[start : start + AT_ONCE]
            receipts = await forget_people(client, some, data_dir, is_temporary=True)
            for user, receipt in zip(some, receipts, strict=True):
                if isinstance(receipt, Exception):
                    # One who cannot be forgotten now keeps nobody else: the next look finds them again.
                    log.warning("forgetting_waits", user=user, error=str(receipt))
                else:
                    forgotten += 1
    finally:
        await requests.close()
    log.info("temporary_users_forgotten", number=forgotten)
    return forgotten


async def tell_backups(bus: Bus, data_dir: Path, told_up_to: int) -> int:
    """Tell backups if the register of forgotten people has changed since a sequence of its bucket; give the newest.

    Those that are away hear of it with the next change, or from the next worker that starts. Raises `Transient`,
    `ApiError`.
    """
    state = (await JetStream(bus).call(f"STREAM.INFO.{bucket_stream(FORGOTTEN_BUCKET)}"))["state"]
    if state["last_seq"] == told_up_to or not state["messages"]:
        return int(state["last_seq"])
    from llum.places.telling import tell_all

    told = await tell_all(bus, data_dir)
    log.info("backups_told", number=len(told.backups), not_told=told.not_told)
    return int(state["last_seq"])

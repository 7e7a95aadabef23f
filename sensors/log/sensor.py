"""Logs once: into the spool, from there onto the bus, and what cannot be delivered waits for the next time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.paths import check_token
from sensors.log.messages import APP, telling
from sensors.publisher import Connect, Publisher
from sensors.spool import Spool

DELIVER_S: Final = 5.0
"""Seconds to try to deliver before the rest is left to the next time."""


async def log_items(
    user: str,
    items: Sequence[str],
    time: float,
    connect: Connect,
    spool_folder: Path,
) -> int:
    """Log things, and give how many messages still wait in the spool.

    When it has begun to deliver, all is on the disk. Raises `SensorError`, `Refusal` for an impossible user.
    """
    check_token(user, "user")
    with Spool(spool_folder, f"{user}.{APP}") as spool:
        spool.append(*telling(user, items, time))
        publisher = Publisher(spool, connect)
        publishing = asyncio.create_task(publisher.run())
        try:
            await publisher.flush(DELIVER_S)
        finally:
            publishing.cancel()
            await asyncio.wait({publishing})
        return len(spool)

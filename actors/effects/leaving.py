"""Which notices may still leave: an app may have lost the right while one waited in the queue."""

import time
from collections.abc import Callable

from actors.partition import Partition
from model.commands.rule_rights import may_send
from schemas.effects import Notice


async def may_leave(partition: Partition, notice: Notice, clock: Callable[[], float] = time.time) -> bool:
    """Tell whether the app of a notice may have a rule there now that calls a URL. Raises what the shard raises."""
    async with partition.reading(notice.user) as live:
        return live is not None and live.model is not None and may_send(live.model, notice, clock())

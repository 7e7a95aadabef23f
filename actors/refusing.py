"""A partition that is not served because its state is not of the log: whoever asks is told why.

It waits for the operator: `llum admin log accept` says that the log counts, whatever is not in it.
"""

import asyncio
from typing import Any

from actors.asks import Asks
from actors.ground import Ground
from actors.same_log import OtherLogError
from bus.accepting import AcceptRequests
from bus.retrying import Interrupted, retrying, sleeping_until
from bus.subjects import Address
from schemas.codec import decode_query
from schemas.errors import LlumError
from schemas.queries import Ping
from schemas.replies import Failed, PingReply, Reply


class Refusals:
    """Answers every query with what is wrong."""

    def __init__(self, number: int, error: OtherLogError) -> None:
        self._number = number
        self._error = error

    def answer(self, address: Address, data: bytes) -> Reply:
        """Answer. Never raises: what is wrong becomes a `Failed`."""
        try:
            query = decode_query(data, address.verb)
        except LlumError as error:
            return Failed(error=error.error)
        if type(query) is Ping:
            return PingReply(partition=self._number, applied_seq=0, pauses=self._error.why)
        return Failed(error=self._error.error)


async def refuse(
    number: int, ground: Ground, error: OtherLogError, answers: asyncio.Event, leave: asyncio.Event
) -> str | None:
    """Refuse until somebody accepts the log; give where the answer to that goes. None: the partition leaves.

    `answers` is set once it is known that asks are answered, if only so.
    """
    asks = Asks(ground.bus, number, Refusals(number, error), ground.slow_asks)
    accepts = AcceptRequests(ground.bus, number)
    sleep, leaving = sleeping_until(leave), asyncio.create_task(leave.wait())
    try:
        await asks.open(sleep)
        await retrying(accepts.open, "accepting_waits", sleep=sleep, partition=number)
        answers.set()
        awaited: list[asyncio.Future[Any]] = [accepts.first, leaving]
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        return accepts.first.result() if accepts.first.done() else None
    except Interrupted:
        return None
    finally:
        leaving.cancel()
        answers.clear()
        await accepts.close()
        await asks.stop()
        await asks.finish()

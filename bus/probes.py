"""Probes: a message of the log that changes nothing, to see that the log takes commands and a worker applies them.

It is about nobody, and erased as soon as somebody has said what became of it.
"""

import asyncio
from contextlib import suppress
from typing import Final

from bus.connection import Bus
from bus.jetstream import JetStream
from bus.subjects import REPLY_TO_HEADER, log_stream_of, probe_command_subject
from schemas.errors import Transient

_NOTHING: Final = b"{}"


async def probe(bus: Bus, partition: int, log_streams: int, within_s: float) -> str | None:
    """Say why a command in this partition would not be applied within the time; None: it would. Raises nothing."""
    applied = asyncio.Event()
    token = bus.inbox.expect(lambda _headers, _data: applied.set())
    headers = {REPLY_TO_HEADER: bus.inbox.subject(token)}
    jetstream, stream = JetStream(bus), log_stream_of(partition, log_streams)
    try:
        seq = await jetstream.publish(probe_command_subject(partition), _NOTHING, headers, within_s)
    except Transient as error:
        bus.inbox.dismiss(token)
        return f"the log takes no commands: {error.error.message}"
    try:
        async with asyncio.timeout(within_s):
            await applied.wait()
    except TimeoutError:
        return f"a command in partition {partition} was not applied within {within_s:g} s"
    finally:
        bus.inbox.dismiss(token)
        with suppress(Transient):
            await jetstream.erase(stream, seq)
    return None

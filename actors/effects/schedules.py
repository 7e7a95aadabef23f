"""Firings of schedules become commands: a rule's time is a message in the log like any other.

The command's id is made of the firing's place in its stream, so a firing that is taken twice fires once. It does not
matter which worker takes it: what follows from the command is the business of the partition's primary.
"""

import asyncio
from typing import NoReturn

from bus.connection import Bus
from bus.logger import get_logger
from bus.requests import Requests
from bus.retrying import retrying
from bus.schedules import Firings, Taken
from model.commands.rules import CRON_APP
from schemas.commands import Fire
from schemas.errors import Refusal

log = get_logger(__name__)


async def relay_firings(bus: Bus, requests: Requests) -> NoReturn:
    """Turn firings into commands until cancelled."""
    await retrying(lambda: _relay(bus, requests), "firings_wait")
    raise AssertionError("only a failure or a cancellation ends it")


async def _relay(bus: Bus, requests: Requests) -> NoReturn:
    firings = Firings(bus)
    try:
        await firings.open()
        while True:
            await asyncio.gather(*(_fire(requests, firings, taken) for taken in await firings.take()))
    finally:
        await firings.close()


async def _fire(requests: Requests, firings: Firings, taken: Taken) -> None:
    firing = taken.firing
    *context, component = firing.path
    command = Fire(id=f"fire-{taken.seq}", context=context, component=component, token=firing.token)
    try:
        await requests.store(firing.user, CRON_APP, command)
    except Refusal as refusal:
        log.error("firing_refused", user=firing.user, rule=firing.token, error=str(refusal))
    await firings.done(taken)

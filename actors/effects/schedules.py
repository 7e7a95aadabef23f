"""Firings of schedules become commands: a rule's time is a message in the log like any other.

The command's id is made of the firing's place in its stream, so a firing that is taken twice fires once.
"""

import asyncio
from typing import Final

import structlog

from bus.connection import Bus
from bus.requests import Requests
from bus.schedules import Firings, Taken
from model.commands.rules import CRON_APP
from schemas.commands import Fire
from schemas.errors import Refusal, Transient

log = structlog.get_logger(__name__)

RETRY_S: Final = 1.0
"""Seconds before firings are taken again after a failure of the bus."""


async def relay_firings(bus: Bus, requests: Requests) -> None:
    """Turn firings into commands until cancelled."""
    while True:
        firings = Firings(bus)
        try:
            await firings.open()
            while True:
                await asyncio.gather(*(_fire(requests, firings, taken) for taken in await firings.take()))
        except Transient as error:
            log.warning("firings_wait", error=str(error), retry_s=RETRY_S)
        finally:
            await firings.close()
        await asyncio.sleep(RETRY_S)


async def _fire(requests: Requests, firings: Firings, taken: Taken) -> None:
    firing = taken.firing
    *context, component = firing.path
    command = Fire(id=f"fire-{taken.seq}", context=context, component=component, token=firing.token)
    try:
        await requests.store(firing.user, CRON_APP, command)
    except Refusal as refusal:
        log.error("firing_refused", user=firing.user, rule=firing.token, error=str(refusal))
    await firings.done(taken)

"""Trying again what the bus or the disk does not take now: the one loop for it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from bus.logger import get_logger
from schemas.errors import LlumError

RETRY_S: Final = 1.0
"""Seconds between attempts: long enough to cost nothing, short enough that nobody notices once the cause is gone."""

BUS_FAILURES: Final = (LlumError,)
"""What is raised when the bus takes or gives nothing now."""

Result = TypeVar("Result")
Sleep = Callable[[float], Awaitable[Any]]

log = get_logger("llum.bus")


class Interrupted(Exception):  # noqa: N818 - says what has happened
    """It is no longer to be tried."""


async def retrying(
    attempt: Callable[[], Awaitable[Result]],
    event: str,
    *,
    on: tuple[type[Exception], ...] = BUS_FAILURES,
    sleep: Sleep = asyncio.sleep,
    trace: bool = False,
    warn: Callable[..., Any] | None = None,
    **about: Any,
) -> Result:
    """Try until it succeeds, and give what it gives. Each failure is logged as `event`, with its traceback if asked.

    `warn` logs in another way. Raises what is not among `on`, and what `sleep` raises.
    """
    while True:
        try:
            return await attempt()
        except on as error:
            (warn or log.warning)(event, error=str(error), retry_s=RETRY_S, exc_info=trace, **about)
        await sleep(RETRY_S)


def sleeping_until(stop: asyncio.Event) -> Sleep:
    """Give a sleep that raises `Interrupted` as soon as `stop` is set."""

    async def sleep(seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
            raise Interrupted

    return sleep

"""Calls back ends from threads of their own, so that one that hangs holds up nothing."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeVar

from sensors import clock
from sensors.activity.backends import Backend, choose
from sensors.errors import SensorError

ANSWER_TIMEOUT_S: Final = 5.0
"""Seconds that a back end may take. A frozen X server answers never."""

Result = TypeVar("Result")


class Sample(NamedTuple):
    """What a back end saw: for how long nobody has touched the machine."""

    idle_s: float
    at: float
    """When it was taken, seconds since 1970."""


class Sampler:
    """Take samples of a back end, one at a time."""

    def __init__(self, backend: Backend, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self.backend = backend
        self._timeout_s = timeout_s
        self._thread: threading.Thread | None = None

    async def sample(self) -> Sample:
        """Ask the back end. Raises `SensorError` if it fails, or does not answer in time, or has not since."""
        if self._thread is not None and self._thread.is_alive():
            raise SensorError(f"the back end {self.backend.name} hangs")
        self._thread, answer = _start(self._ask)
        return await _answer_of(answer, self.backend.name, self._timeout_s)

    def _ask(self) -> Sample:
        return Sample(self.backend.idle_s(), clock.now())


async def chosen(name: str, timeout_s: float = 2 * ANSWER_TIMEOUT_S) -> Backend:
    """Choose a back end. Raises `SensorError` as `choose` does, or when that hangs."""
    _, answer = _start(partial(choose, name))
    return await _answer_of(answer, name, timeout_s)


async def _answer_of(answer: "asyncio.Future[Result]", name: str, timeout_s: float) -> Result:
    try:
        async with asyncio.timeout(timeout_s):
            return await answer
    except TimeoutError as error:
        raise SensorError(f"the back end {name} did not answer in {timeout_s:g} s") from error


def _start(function: Callable[[], Result]) -> tuple[threading.Thread, "asyncio.Future[Result]"]:
    """Call a function in a thread: a daemon, as one that hangs must not keep the process."""
    answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    thread = threading.Thread(target=_call, args=(function, answer), name="sampler", daemon=True)
    thread.start()
    return thread, answer


def _call(function: Callable[[], Result], answer: "asyncio.Future[Result]") -> None:
    try:
        result = function()
    except Exception as error:  # noqa: BLE001 - whatever it is, the asker shall get it
        _deliver(answer, answer.set_exception, error)
    else:
        _deliver(answer, answer.set_result, result)


def _deliver(answer: "asyncio.Future[Result]", deliver: Callable[..., None], what: object) -> None:
    def unless_given_up() -> None:
        if not answer.done():
            deliver(what)

    loop = answer.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(unless_given_up)

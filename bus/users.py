"""Who has a model: asked of the workers, page by page. The log does not tell, as its beginning may be cut off."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.inbox import is_asker
from bus.installation import find as find_installation
from bus.logger import get_logger
from bus.operator_subjects import people_subject_of
from bus.subjects import ASK_QUEUE
from bus.wire import Listening
from schemas.errors import Code, Transient

PAGE: Final = 2000
"""People of a page: their names are at most 130 kB."""

ANSWERED_WITHIN_S: Final = 10.0
"""Seconds for a page, or until somebody serves it. A worker that was killed is replaced within a few."""

POLL_S: Final = 0.1
"""Seconds between two attempts where nobody listens."""

ReadPage = Callable[[str, int], Awaitable[list[str]]]
"""Gives the names after one, in their order, at most so many. Raises whatever keeps them from being read."""

log = get_logger("llum.bus")


class UsersPage(msgspec.Struct, frozen=True):
    """Some of those whom a partition knows."""

    users: list[str]
    failure: str | None = None
    """Why they could not be read."""


class UsersRequests:
    """Answers who is known in one partition, as one of those who hold it."""

    def __init__(self, bus: Bus, partition: int, read: ReadPage) -> None:
        self._bus = bus
        self._partition = partition
        self._read = read
        self._listening: Listening | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. Raises `Transient`."""
        if self._listening is None:
            subject = people_subject_of(self._partition)
            self._listening = await self._bus.listen(subject, self._on_message, ASK_QUEUE)

    async def close(self) -> None:
        """Hear nothing more, and answer what was heard."""
        listening, self._listening = self._listening, None
        if listening is not None:
            await listening.drain()
        await asyncio.gather(*self._tasks)

    def _on_message(self, _subject: bytes, reply: bytes, _headers: bytes, data: bytes) -> None:
        if is_asker(reply):
            task = asyncio.create_task(self._answer(reply, data.decode("utf-8", "replace")))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, reply: bytes, after: str) -> None:
        try:
            page = UsersPage(await self._read(after, PAGE))
        except Exception as error:  # noqa: BLE001 - whoever asks is told
            log.warning("people_not_listed", partition=self._partition, error=str(error))
            page = UsersPage([], str(error))
        self._bus.publish_soon(reply, msgspec.json.encode(page))


async def list_users(bus: Bus, within_s: float = ANSWERED_WITHIN_S) -> list[str]:
    """Give all who are known, sorted; a safe of preferences is one of them. Raises `Transient`.

    `within_s` seconds may pass until a partition is served. Of whoever comes meanwhile, it is not said whether they are
    among them.
    """
    installation = await find_installation(bus)
    numbers = range(0 if installation is None else installation.partitions)
    found = await asyncio.gather(*(_users_of(bus, number, within_s) for number in numbers))
    return sorted(user for each in found for user in each)


async def _users_of(bus: Bus, partition: int, within_s: float) -> list[str]:
    users: list[str] = []
    while True:
        page = await _page(bus, partition, users[-1] if users else "", within_s)
        if page.failure is not None:
            raise Transient(Code.UNAVAILABLE, f"partition {partition} does not say who is there: {page.failure}")
        users += page.users
        if len(page.users) < PAGE:
            return users


async def _page(bus: Bus, partition: int, after: str, within_s: float) -> UsersPage:
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        answer = await bus.inbox.request(people_subject_of(partition), after.encode(), ANSWERED_WITHIN_S)
        if not answer.no_responders:
            return msgspec.json.decode(answer.data, type=UsersPage)
        if asyncio.get_running_loop().time() > deadline:
            raise Transient(Code.UNAVAILABLE, f"no worker says who is in partition {partition}", "see `llum status`")
        await asyncio.sleep(POLL_S)

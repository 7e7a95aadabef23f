"""A sender with many commands under way: few are on the bus, the others wait at the edge, and too many are refused."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bus.turns import MAX_ON_BUS, MAX_UNDER_WAY
from schemas.commands import Command
from schemas.replies import Outcome
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import accepted, token_of
from tests.waiting import eventually, until

TELL = {"context": ["Personal"], "componentid": "firstname", "evidence": {"value": "Al"}}


class Busy:
    """An edge whose commands get no outcome before `end`."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self._end = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        edge.requests.outcomes = [self._outcome] * 1000

    async def tell(self, count: int, body: Any = TELL, **more: Any) -> "list[asyncio.Task[Any]]":
        """Send tells, and wait until the edge has taken them all."""
        before = self.edge.taken
        tasks = [asyncio.create_task(self.edge.post("tell", body, **more)) for _ in range(count)]
        self._tasks += tasks
        await until(lambda: self.edge.taken == before + count, f"{count} more are under way")
        return tasks

    async def end(self) -> None:
        """Give all outcomes, and those of what comes later at once."""
        self._end.set()
        await asyncio.gather(*self._tasks)

    def _outcome(self, _command: Command) -> Any:
        async def wait() -> Outcome:
            await self._end.wait()
            return accepted(1)

        return wait()


@pytest.fixture
async def busy(edge: Edge) -> AsyncIterator[Busy]:
    made = Busy(edge)
    yield made
    await made.end()


async def test_the_65th_command_is_refused(busy: Busy) -> None:
    """With 429, its code, and when to come back. Few are on the bus; all that was taken is answered."""
    taken = await busy.tell(MAX_UNDER_WAY)
    assert len(busy.edge.requests.sent) == MAX_ON_BUS
    response = await busy.edge.post("tell", TELL)
    answer = await response.json()
    assert (response.status, response.headers["Retry-After"]) == (429, "1")
    assert (answer["result"], answer["error"]["code"]) == ("error", "too_fast")
    assert "Idempotency-Key" not in answer["error"]["hint"]
    await busy.end()
    assert {(await task).status for task in taken} == {200}
    assert len(busy.edge.requests.sent) == MAX_UNDER_WAY
    assert (await busy.edge.post("tell", TELL)).status == 200


async def test_only_the_sender_waits(busy: Busy) -> None:
    """Another app of the same person does not, nor does the same app for another. Asks are not counted."""
    busy.edge.authenticator.known["bob"] = token_of("bob", "probe")
    busy.edge.authenticator.known["other"] = token_of("alice", "other")
    await busy.tell(MAX_UNDER_WAY)
    await busy.tell(1, token="bob")
    await busy.tell(1, token="other")

    async def sent() -> bool:
        return len(busy.edge.requests.sent) == MAX_ON_BUS + 2

    await eventually(sent)
    assert (await busy.edge.post("ask", {"context": ["Personal"]})).status == 200


async def test_without_a_token_an_address_is_the_sender(busy: Busy) -> None:
    """Whatever app and person the passwords are of; who has a token is not concerned."""
    apps = [{"modelname": "alice", "user": app, "password": "secret"} for app in ("lamp", "clock")]
    for app in ("lamp", "clock"):
        busy.edge.passwords.passwords["alice", app] = "secret"
    for who in apps:
        await busy.tell(MAX_UNDER_WAY // 2, TELL | who, token=None)
    assert len(busy.edge.requests.sent) == MAX_ON_BUS
    assert (await busy.edge.post("tell", TELL | apps[0], token=None)).status == 429
    await busy.tell(1)

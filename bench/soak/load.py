"""What people and apps do in a soak: a few things of each kind, at a steady pace."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp

from bench import people
from bench.preferences import body_of
from bench.soak.visitors import WrongAnswer, visit
from identity.registrations import access
from identity.tokens import Tokens
from llum.client import Client
from llum.people.forgetting import forget_person
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.commands import MakeModel
from schemas.errors import LlumError

PEOPLE: Final = 50
SAFES: Final = 20
TERMS: Final = 10
TOKEN_LIFETIME_S: Final = 24 * 3600.0
TELLS_OF_A_VISITOR: Final = 3

FIRST_TELLS: Final = 120_000
"""Tells before the load begins, 50 MB in the shards. Of these a worker keeps 32 MiB of pages in memory and no more
(`actors/store/sql.py`): at the pace of the load it would take an hour to come to that level, and grow until then."""

FIRST_VISITS: Final = 1000
"""Visits before the load begins: each leaves five headers of cookies and three form tokens with the edge, which keeps
1,000 of either (`schemas/recent.py`). At the pace of the load that takes half an hour, too."""

VISITORS_AT_ONCE: Final = 4

AT_ONCE: Final = 64
"""First tells that are under way at the same time."""

FAILURES: Final = (LlumError, WrongAnswer, aiohttp.ClientError, TimeoutError, OSError, AssertionError)

Act = Callable[[int], Awaitable[None]]
"""Does something once; it is given how often it was done before."""


class SteadyPace(NamedTuple):
    """Something that is done again and again."""

    name: str
    every_s: float
    """Seconds from one beginning to the next."""
    act: Act


class SteadyLoad:
    """All that is done. `run` goes on until it is cancelled."""

    def __init__(self, client: Client, http: str, session: aiohttp.ClientSession, data_dir: Path) -> None:
        self._client = client
        self._http = http
        self._session = session
        self._data_dir = data_dir
        self._tokens: list[str] = []
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.first_failures: dict[str, str] = {}
        self._paces = [
            SteadyPace("tell by HTTP", 0.1, self._tell_http),
            SteadyPace("tell by the bus", 0.1, self._tell_bus),
            SteadyPace("ask by HTTP", 0.1, self._ask_http),
            SteadyPace("ask by the bus", 0.05, self._ask_bus),
            SteadyPace("put preferences", 1.0, self._put),
            SteadyPace("get preferences", 0.5, self._get),
            SteadyPace("visit", 5.0, self._visit),
            SteadyPace("connect", 5.0, self._connect),
            SteadyPace("forget", 20.0, self._forget),
        ]

    async def prepare(self) -> None:
        """Make the people, a token for each, and as much evidence as fills the caches."""
        for number in range(PEOPLE):
            user = people.person(number)
            await self._make(user)
            registration = (await access(self._client.requests, user, OWNER_APP)).registration
            tokens = Tokens(self._client.bus)
            self._tokens.append(await tokens.issue(user, OWNER_APP, registration, TOKEN_LIFETIME_S))
        for number in range(SAFES):
            await self._put(number)
        visitors = iter(range(FIRST_VISITS))
        await asyncio.gather(*(self._visit_each(visitors) for _ in range(VISITORS_AT_ONCE)))
        numbers = iter(range(FIRST_TELLS))
        await asyncio.gather(*(self._tell_each(numbers) for _ in range(AT_ONCE)))

    async def run(self) -> None:
        """Do everything at its pace."""
        async with asyncio.TaskGroup() as group:
            for pace in self._paces:
                group.create_task(self._keep(pace))

    async def _keep(self, pace: SteadyPace) -> None:
        began = time.monotonic()
        for number in itertools.count():
            # Whoever is late does not catch up: the load stays the same.
            began = max(began + pace.every_s, time.monotonic())
            await self._act(pace, number)
            await asyncio.sleep(began - time.monotonic())

    async def _act(self, pace: SteadyPace, number: int) -> None:
        try:
            await pace.act(number)
            self.done[pace.name] += 1
        except FAILURES as error:
            self.failed[pace.name] += 1
            self.first_failures.setdefault(pace.name, f"{type(error).__name__}: {error}"[:300])

    async def _make(self, user: str) -> None:
        made = MakeModel(id="make", definition=people.definition(), owner=OWNER_APP)
        await self._client.requests.send(user, ADMIN_APP, made)

    async def _tell_http(self, number: int) -> None:
        body = {
            "version": "11.2",
            "context": people.CONTEXT,
            "componentid": people.component(number // PEOPLE),
            "evidence": {"value": f"what a sensor saw at {number}"},
        }
        assert (await self._post("/tell", number, body))["result"] == "ok"

    async def _ask_http(self, number: int) -> None:
        body = {"version": "11.2", "context": people.CONTEXT, "view": [people.component(number)]}
        assert (await self._post("/ask", number, body))["result"] == "ok"

    async def _post(self, path: str, number: int, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._tokens[number % PEOPLE]}"}
        async with self._session.post(path, json=body, headers=headers) as answer:
            return await answer.json()

    async def _tell_bus(self, number: int) -> None:
        path = [*people.CONTEXT, people.component(number // PEOPLE)]
        await self._client.tell(people.person(number % PEOPLE), path, f"what another sensor saw at {number}")

    async def _ask_bus(self, number: int) -> None:
        await self._client.ask(people.person(number % PEOPLE), [*people.CONTEXT, people.component(number)])

    async def _visit_each(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            await visit(self._http, TELLS_OF_A_VISITOR, number)

    async def _tell_each(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            await self._tell_bus(number)

    async def _put(self, number: int) -> None:
        path, body = f"/preferences/safe-{number % SAFES}", body_of(TERMS, number)
        async with self._session.put(path, data=body, headers={"Content-Type": "application/json"}) as answer:
            if answer.status not in (200, 201):
                raise WrongAnswer(f"PUT {path}: {answer.status} {await answer.text()}")

    async def _get(self, number: int) -> None:
        async with self._session.get(f"/preferences/safe-{number % SAFES}?view=flat") as answer:
            if answer.status != 200:
                raise WrongAnswer(f"GET: {answer.status} {await answer.text()}")
            await answer.read()

    async def _visit(self, number: int) -> None:
        await visit(self._http, TELLS_OF_A_VISITOR, FIRST_VISITS + number)

    async def _connect(self, number: int) -> None:
        """An app connects, asks once and leaves."""
        async with Client.connect(data_dir=self._data_dir) as client:
            await client.ask(people.person(number % PEOPLE), [*people.CONTEXT, people.component(number)])

    async def _forget(self, number: int) -> None:
        """Make a person, tell something about them, and erase them everywhere."""
        user = f"passing{number}"
        await self._make(user)
        await self._client.tell(user, [*people.CONTEXT, people.component(0)], "to be forgotten")
        receipt = await forget_person(self._client, user, self._data_dir)
        if receipt.left.commands:
            raise WrongAnswer(f"{receipt.left.commands} commands of {user} are left")


@contextlib.asynccontextmanager
async def loaded(http: str, data_dir: Path) -> AsyncIterator[SteadyLoad]:
    """Give a load with all its people made, which runs as long as the block lasts."""
    async with (
        Client.connect(data_dir=data_dir) as client,
        aiohttp.ClientSession(http, timeout=aiohttp.ClientTimeout(total=60)) as session,
    ):
        load = SteadyLoad(client, http, session, data_dir)
        await load.prepare()
        task = asyncio.create_task(load.run())
        try:
            yield load
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

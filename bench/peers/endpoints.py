"""Both endpoints, each a process of its own beside one PostgreSQL, and the requests that they are sent."""

import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench import accounting, http_load, over_http, people
from bench.accounting import Spent, tree
from bench.http_load import Request
from bench.peers.cluster import Cluster, cluster
from bench.processes import Started, program

PLAIN: Final = "plain"
CHECKED: Final = "checked"

COMPONENTS: Final = {"ask": people.component(0), "tell": people.component(1)}
"""What is asked about keeps its one value; another component is told about."""

OK: Final = b'{"result":"ok"'


class Endpoints:
    """They run as long as the block lasts that they are opened for."""

    def __init__(self, running: Cluster, started: Mapping[str, Started], tokens: Mapping[str, str]) -> None:
        """`tokens` has one for each of the people."""
        self._cluster = running
        self._started = started
        self._tokens = tokens
        self._keys = map("key-{}".format, itertools.count())

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, tokens: Mapping[str, str]) -> AsyncIterator["Endpoints"]:
        """Run them, with a value for each of the people. Raises `NotMeasurableError` where there is no PostgreSQL."""
        async with contextlib.AsyncExitStack() as exits:
            running = await exits.enter_async_context(cluster())
            log = str(Path(running.folder) / "checked.log")
            started = {
                PLAIN: await exits.enter_async_context(program("peers.plain", running.dsn)),
                CHECKED: await exits.enter_async_context(program("peers.checked", running.dsn, log)),
            }
            # What only this measurement needs is imported where it is known to be there.
            from bench.peers.checked import admit

            await admit(running.dsn, list(COMPONENTS.values()), tokens)
            endpoints = cls(running, started, tokens)
            await endpoints._fill()
            yield endpoints

    def url(self, which: str) -> str:
        return str(self._started[which].said["url"])

    def spent(self, which: str) -> Spent:
        """Give what the endpoint and all of PostgreSQL have cost."""
        return accounting.spent([*tree(self._cluster.pid), self._started[which].pid])

    def requests(self, which: str, op: str, component: str | None = None) -> Sequence[Request]:
        """Give the requests for each of the people."""
        about = component or COMPONENTS[op]
        value = {"value": over_http.VALUE} if op == "tell" else {}
        if which == CHECKED:
            body = msgspec.json.encode({"component": about, **value})
            return [self._with_keys(op, body, token) for token in self._tokens.values()]
        bodies = (msgspec.json.encode({"person": user, "component": about, **value}) for user in self._tokens)
        return [http_load.post(self.url(which), f"/{op}", body) for body in bodies]

    def _with_keys(self, op: str, body: bytes, token: str) -> Iterator[bytes]:
        return (http_load.post(self.url(CHECKED), f"/{op}", body, token, key) for key in self._keys)

    async def _fill(self) -> None:
        """Tell the value that will be asked for."""
        for which in self._started:
            requests = self.requests(which, "tell", COMPONENTS["ask"])
            async with http_load.lanes(self.url(which), requests, OK) as lanes:
                await asyncio.gather(*(lane.run(math.inf, at_most=1) for lane in lanes))

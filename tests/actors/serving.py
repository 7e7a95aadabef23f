"""A worker in this process on a private nats-server, with rules, notices and schedules, for tests."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from actors.share import share_as
from actors.worker import run_worker
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.requests import Requests
from bus.subjects import DEFAULT_LOG_STREAMS
from schemas.apps import ADMIN_APP
from schemas.commands import Command, MakeModel, MakeRule, RegisterApp, SetPermission, SetQuota, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.evidence import Evidence, NewEvidence
from schemas.levels import Levels
from schemas.queries import Ask
from schemas.replies import Accepted, AskReply, Refused
from tests.nats_server import installed_server
from tests.waiting import DEADLINE_S, eventually

PARTITIONS = 2


class Llum:
    """Speaks to the worker."""

    def __init__(self, bus: Bus, requests: Requests, shard_dir: Path) -> None:
        self.bus = bus
        self.requests = requests
        self.shard_dir = shard_dir
        self._ids = 0

    def next_id(self) -> str:
        self._ids += 1
        return f"test-{self._ids}"

    async def do(self, command: Command, user: str = "alice", app: str = "llum") -> Any:
        """Send a command that must be accepted, and give its result."""
        outcome = await self.requests.send(user, app, command, DEADLINE_S)
        assert isinstance(outcome, Accepted), outcome
        return outcome.result

    async def refused(self, command: Command, user: str = "alice", app: str = "llum") -> Refused:
        outcome = await self.requests.send(user, app, command, DEADLINE_S)
        assert isinstance(outcome, Refused), outcome
        return outcome

    async def make_person(self, user: str, *components: str | ComponentDefinition) -> None:
        """Make a model with a context `c` of these components, which take any JSON."""
        made = [ComponentDefinition(name=one, value_type="JSON") if isinstance(one, str) else one for one in components]
        definition = ModelDefinition(contexts=[ContextDefinition(path=["c"], components=made)])
        await self.do(MakeModel(id=self.next_id(), definition=definition), user, ADMIN_APP)

    async def grant(self, user: str, app: str, ask: bool = True, tell: bool = True, notify: bool = False) -> None:
        await self.do(RegisterApp(id=self.next_id(), app=app), user)
        command = SetPermission(id=self.next_id(), app=app, context=[], ask=ask, tell=tell, notify=notify)
        await self.do(command, user)

    async def allow_every_second(self, user: str = "alice", app: str = "llum") -> None:
        """Let schedules fire each second, as the operator may: a test that waits for one would take minutes."""
        await self.do(SetQuota(id=self.next_id(), app=app, fires_per_minute=60), user, ADMIN_APP)

    async def grant_rules(self, user: str, app: str, of: str, **verbs: bool) -> None:
        """Grant to rules that the app has in the model of another person."""
        command = SetPermission(id=self.next_id(), app=app, context=["c"], whose_rules=of, **verbs)
        await self.do(command, user)

    async def subscribe(self, component: str, statement: str, user: str = "alice", app: str = "llum") -> str:
        command = MakeRule(id=self.next_id(), context=["c"], component=component, statement=statement)
        return str(await self.do(command, user, app))

    async def tell(self, component: str, value: Any, user: str = "alice", app: str = "llum", **more: Any) -> None:
        evidence = NewEvidence(value=value)
        await self.do(Tell(id=self.next_id(), context=["c"], component=component, evidence=evidence, **more), user, app)

    async def told(self, component: str, value: Any, user: str = "alice") -> Accepted:
        """Tell, and give the outcome."""
        evidence = NewEvidence(value=value)
        command = Tell(id=self.next_id(), context=["c"], component=component, evidence=evidence)
        outcome = await self.requests.send(user, "llum", command, DEADLINE_S)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    async def settle(self, component: str, value: Any, user: str = "alice", app: str = "llum") -> Accepted:
        """Tell, and wait for what the rules do with it."""
        evidence = NewEvidence(value=value)
        command = Tell(id=self.next_id(), context=["c"], component=component, evidence=evidence)
        return await self.settled(command, user, app)

    async def settled(self, command: Command, user: str = "alice", app: str = "llum") -> Accepted:
        """Send a command that must be accepted, and wait for what the rules do with it."""
        outcome = await self.requests.send(user, app, command, DEADLINE_S, settle=True)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    async def evidence(self, component: str, user: str = "alice") -> list[Evidence]:
        query = Ask(context=["c"], view=[component], include_evidence=True)
        reply = await self.requests.ask(user, "llum", query, DEADLINE_S)
        assert isinstance(reply, AskReply)
        assert not reply.failures, reply.failures
        return reply.components[0].evidence or []

    async def values(self, component: str, user: str = "alice") -> list[Any]:
        return [piece.value for piece in await self.evidence(component, user)]

    async def until(self, component: str, values: list[Any], user: str = "alice") -> None:
        """Wait until the component has been told exactly these values."""

        async def reached() -> bool:
            return await self.values(component, user) == values

        await eventually(reached, f"{component} of {user} is told {values}")


@asynccontextmanager
async def worker(url: str, shard_dir: Path, **options: Any) -> AsyncIterator[None]:
    """Run a worker with a connection of its own; it stops in order at the end."""
    bus = await Bus.connect(url, name="test-worker")
    ready, stop = asyncio.Event(), asyncio.Event()
    usual = {"allow_private_webhooks": True, "share": share_as(name_of(shard_dir)), "levels": Levels()}
    options = {**usual, **options}
    task = asyncio.create_task(
        run_worker(
            bus,
            shard_dir=shard_dir,
            partitions=PARTITIONS,
            log_streams=DEFAULT_LOG_STREAMS,
            max_active_models=100,
            on_ready=ready.set,
            stop=stop,
            **options,
        )
    )
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield
    finally:
        stop.set()
        waiting.cancel()
        await asyncio.gather(task)
        await bus.close()


def name_of(shard_dir: Path) -> str:
    """Name a worker by its folder, as it keeps its name there."""
    return hashlib.sha256(str(shard_dir).encode()).hexdigest()[:12]


@asynccontextmanager
async def speaking(folder: Path) -> AsyncIterator[tuple[EmbeddedServer, Llum]]:
    """Run a nats-server, and connect to it whoever speaks to workers; there is none yet."""
    async with installed_server(folder, PARTITIONS) as server:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        requests = Requests(bus)
        await requests.start()
        try:
            yield server, Llum(bus, requests, folder / "shards")
        finally:
            await requests.close()
            await bus.close()


@asynccontextmanager
async def serving(folder: Path, **options: Any) -> AsyncIterator[Llum]:
    """Run a nats-server and a worker."""
    async with speaking(folder) as (server, llum), worker(server.url_as("operator"), folder / "shards", **options):
        yield llum

"""Credentials live as long as the registration that they were issued for, at every edge."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bus.connection import Bus
from bus.registrations import announce
from bus.requests import Requests
from identity.apps import Apps
from identity.authenticator import Authenticator
from identity.registrations import CHECKED_S, Registrations
from schemas.commands import DeleteApp, RegisterApp
from schemas.effects import Announcement
from schemas.errors import Code, Refusal, Transient
from schemas.grants import Consent
from schemas.queries import Access, Query
from schemas.replies import AccessReply, Reply
from schemas.slices import Slice
from tests.actors.serving import Llum, serving
from tests.bus.conftest import Connect
from tests.waiting import eventually, until

PERSONAL = Slice(paths=["Personal"], actions=["ask"])


class Asked:
    """Stands in for the worker: answers every access with what a test says, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.registration: int | None = 7
        self.seq = 7
        self.origins: list[str] = []
        self.before_answering: Callable[[], object] = lambda: None

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        assert isinstance(query, Access)
        self.count += 1
        registration, seq = self.registration, self.seq
        await asyncio.sleep(0)
        self.before_answering()
        if registration is None:
            raise Refusal(Code.NO_SUCH_APP, "no")
        return AccessReply(seq=seq, role="app", registration=registration, origins=self.origins)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
async def watching(bus: Bus, asked: Asked) -> AsyncIterator[Registrations]:
    """Registrations whose watch lives."""
    registrations = Registrations(bus, asked)
    task = asyncio.create_task(registrations.run())
    await until(lambda: registrations.is_watching, "the watch")
    yield registrations
    task.cancel()


async def test_the_worker_is_asked_once(watching: Registrations, asked: Asked) -> None:
    """Afterwards a look into a dict is enough, while announcements would arrive."""
    for _ in range(3):
        assert await watching.holds("alice", "probe", 7)
        assert not await watching.holds("alice", "probe", 6)
    assert asked.count == 1


async def test_what_is_announced_holds_at_once(watching: Registrations, asked: Asked, bus: Bus) -> None:
    """A removal, and a registration under the same name, which does not revive the one before."""
    assert await watching.holds("alice", "probe", 7)
    await announce(bus, Announcement("alice", "probe", 9, None))
    asked.registration = None

    async def has_ended() -> bool:
        return not await watching.holds("alice", "probe", 7)

    await eventually(has_ended, "the removal is known")
    await announce(bus, Announcement("alice", "probe", 12, 12))
    asked.registration, asked.seq = 12, 12
    assert await watching.holds("alice", "probe", 12)
    assert not await watching.holds("alice", "probe", 7)


async def test_origins_are_known_with_the_registration(watching: Registrations, asked: Asked, bus: Bus) -> None:
    """From the worker's answer, and from announcements of what the owner changes."""
    asked.origins = ["https://log.example"]
    assert watching.origins_of("alice", "probe") == frozenset()
    assert await watching.holds("alice", "probe", 7)
    assert watching.origins_of("alice", "probe") == {"https://log.example"}
    await announce(bus, Announcement("alice", "probe", 9, 7, ("https://new.example",)))
    await until(lambda: watching.origins_of("alice", "probe") == {"https://new.example"}, "the new origin")
    assert await watching.holds("alice", "probe", 7)


async def test_a_newer_registration_is_asked_for(watching: Registrations, asked: Asked) -> None:
    """A token may be newer than what is known, when its announcement is still on the way."""
    assert await watching.holds("alice", "probe", 7)
    asked.registration, asked.seq = 12, 15
    assert await watching.holds("alice", "probe", 12)
    assert asked.count == 2


async def test_an_announcement_outdoes_an_answer_that_was_under_way(watching: Registrations, asked: Asked) -> None:
    """Whichever arrives first: the later command counts."""
    asked.before_answering = lambda: watching.note("alice", "probe", None, 9)
    assert not await watching.holds("alice", "probe", 7)
    asked.before_answering = lambda: None
    assert not await watching.holds("alice", "probe", 7)
    watching.note("alice", "probe", 7, 7)
    assert not await watching.holds("alice", "probe", 7)


async def test_an_old_announcement_does_not_undo_an_answer(watching: Registrations, asked: Asked) -> None:
    """One that was relayed late, of a command that the answer has seen."""
    asked.registration = None
    assert not await watching.holds("alice", "probe", 7)
    watching.note("alice", "probe", 7, 7)
    assert not await watching.holds("alice", "probe", 7)


async def test_without_a_watch_nothing_is_believed_for_long(bus: Bus, asked: Asked) -> None:
    """For a second; then the worker is asked again."""
    clock = Clock()
    registrations = Registrations(bus, asked, clock)
    assert await registrations.holds("alice", "probe", 7)
    clock.now += CHECKED_S / 2
    assert await registrations.holds("alice", "probe", 7)
    assert asked.count == 1
    asked.registration = None
    clock.now += CHECKED_S
    assert not await registrations.holds("alice", "probe", 7)


async def test_a_lost_connection_ends_the_watch_and_it_is_made_anew(connect: Connect, bus: Bus, asked: Asked) -> None:
    """What was announced meanwhile is asked for."""
    own = await connect()
    registrations = Registrations(own, asked)
    task = asyncio.create_task(registrations.run())
    await until(lambda: registrations.is_watching, "the watch")
    assert await registrations.holds("alice", "probe", 7)
    await own._disconnected()
    assert not registrations.is_watching
    asked.registration = None
    await own._reconnected()
    await until(lambda: registrations.is_watching, "the watch after it")
    assert not await registrations.holds("alice", "probe", 7)
    task.cancel()


async def test_a_fault_of_the_worker_is_not_taken_for_an_answer(bus: Bus) -> None:
    """Not knowing is not the same as not being registered."""

    class Away:
        async def ask(self, user: str, app: str, query: Query) -> Reply:
            raise Transient(Code.UNAVAILABLE, "nobody answers")

    with pytest.raises(Transient):
        await Registrations(bus, Away()).holds("alice", "probe", 7)


class Edges:
    """A worker, and two edges that watch."""

    def __init__(self, llum: Llum, here: Authenticator, there: Authenticator) -> None:
        self.llum = llum
        self.here = here
        self.there = there

    async def issue(self, app: str) -> str:
        """Register an app here and issue it a token."""
        registration = await self.apps.register(app, "d")
        return await self.here.tokens.issue("alice", app, registration, 3600)

    @property
    def apps(self) -> Apps:
        async def send(command: object) -> object:
            return await self.llum.requests.send("alice", "llum", command)  # type: ignore[arg-type]

        async def ask(query: Query) -> Reply:
            return await self.llum.requests.ask("alice", "llum", query)

        return Apps("alice", send, ask, self.here)  # type: ignore[arg-type]


@pytest.fixture
async def edges(tmp_path: Path) -> AsyncIterator[Edges]:
    async with serving(tmp_path) as llum, AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(edge(llum.bus.url)) for _ in range(2)]
        await llum.make_person("alice", "x")
        yield Edges(llum, here, there)


@asynccontextmanager
async def edge(url: str) -> AsyncIterator[Authenticator]:
    bus = await Bus.connect(url, name="edge")
    requests = Requests(bus)
    await requests.start()
    authenticator = Authenticator(bus, requests)
    task = asyncio.create_task(authenticator.run())
    await until(lambda: authenticator.registrations.is_watching, "the watch")
    yield authenticator
    task.cancel()
    await requests.close()
    await bus.close()


async def test_deleting_an_app_ends_its_token_at_every_edge(edges: Edges) -> None:
    """At once where it was deleted, soon elsewhere; registering the name anew does not revive it."""
    token = await edges.issue("probe")
    assert await edges.here.by_token(token)
    assert await edges.there.by_token(token), "an edge that does not know the registration asks for it"
    await edges.apps.remove("probe")
    assert await edges.here.by_token(token) is None

    async def ended_there() -> bool:
        return await edges.there.by_token(token) is None

    await eventually(ended_there, "the other edge knows")
    fresh = await edges.issue("probe")
    for one in (edges.here, edges.there):
        assert await one.by_token(token) is None
        principal = await one.by_token(fresh)
        assert principal is not None
        assert (principal.user, principal.app, principal.how) == ("alice", "probe", "token")


async def test_an_app_deleted_over_the_bus_is_not_let_in_again(edges: Edges) -> None:
    """No edge sees it pass: the worker announces it. Token and password stay in their buckets, and open nothing."""
    token = await edges.issue("probe")
    await edges.apps.register("probe", None, password="secret")
    assert await edges.here.by_token(token)
    assert await edges.here.by_password("alice", "probe", "secret")
    await edges.llum.do(DeleteApp(id="d", app="probe"))

    async def is_out() -> bool:
        return await edges.here.by_token(token) is None

    await eventually(is_out, "the removal is announced")
    assert await edges.here.by_password("alice", "probe", "secret") is None
    await edges.llum.do(RegisterApp(id="again", app="probe"))
    assert await edges.here.by_token(token) is None
    assert await edges.here.by_password("alice", "probe", "secret") is None


async def test_a_revoked_app_is_let_in_nowhere(edges: Edges) -> None:
    """Neither by its token nor by its password, on no edge; nor when it is allowed something again."""
    token = await edges.issue("probe")
    await edges.apps.register("probe", None, password="secret")
    for edge in (edges.here, edges.there):
        assert await edge.by_token(token)
        assert await edge.by_password("alice", "probe", "secret")
    await edges.llum.do(Consent(id="r", app="probe", decision="revoked"))

    async def is_out() -> bool:
        return [await edge.by_token(token) for edge in (edges.here, edges.there)] == [None, None]

    await eventually(is_out, "the decision is announced")
    await edges.llum.do(Consent(id="a", app="probe", decision="allowed", granted=[PERSONAL]))
    for edge in (edges.here, edges.there):
        assert await edge.by_token(token) is None
        assert await edge.by_password("alice", "probe", "secret") is None
    fresh = await edges.issue("probe")
    assert await edges.here.by_token(fresh)


async def test_a_change_of_an_app_keeps_its_token(edges: Edges) -> None:
    """Its description and its role are not its registration."""
    token = await edges.issue("probe")
    await edges.apps.register("probe", "another description", "owner")
    assert await edges.here.by_token(token)
    assert await edges.there.by_token(token)
    assert (await edges.apps.list())["probe"].description == "another description"
    await edges.apps.register("probe", None)
    assert (await edges.apps.list())["probe"].role == "owner"


async def test_a_token_revoked_at_another_edge_ends(edges: Edges) -> None:
    """Within the age of the cache."""
    token = await edges.issue("probe")
    assert await edges.there.by_token(token)
    (issued,) = await edges.here.tokens.list("alice")
    await edges.here.tokens.revoke(issued)
    assert await edges.here.by_token(token) is None

    async def is_out() -> bool:
        return await edges.there.by_token(token) is None

    await eventually(is_out, "the other edge has looked again")


async def test_an_announcement_that_is_missing_breaks_the_watch(watching: Registrations, asked: Asked) -> None:
    """It is noticed by the next number or sign of life; what is known then is asked for anew."""
    assert await watching.holds("alice", "probe", 7)
    watch = watching._watch
    watch._receive(b"s", b"$JS.ACK.LLUM_REGISTRATIONS.c.1.9.2.0.0", b"", b"{}")
    assert not watching.is_watching
    await until(lambda: watching.is_watching, "another watch")
    assert await watching.holds("alice", "probe", 7)
    assert asked.count == 2

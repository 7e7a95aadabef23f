"""Connections have bounds: what some hold open keeps nobody else from being served."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from edge_http.http import connections
from edge_http.http.connections import EdgeConnection, Places
from tests.edge_http.connecting import PART_OF_HEAD, REST_OF_HEAD, Client, served
from tests.waiting import DEADLINE_S, eventually, until

LONG_S = 1e6
SOON_S = 0.05


@pytest.fixture(autouse=True)
def no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take long to send a head."""
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", LONG_S)


async def test_a_new_connection_takes_the_place_of_the_oldest_that_asks_nothing() -> None:
    """The others stay, and may go on with what they had begun."""
    async with served(Places(3, 3)) as llum:
        first, second, third = [await llum.connect(PART_OF_HEAD) for _ in range(3)]
        assert await (await llum.push_in()).ask() == 200
        assert await first.is_closed()
        for other in (second, third):
            other.send(REST_OF_HEAD)
            assert (await other.answer())[0] == 200


async def test_idle_connections_go_after_those_that_never_asked() -> None:
    """Of the idle ones the one goes that has been idle for longest."""
    async with served(Places(2, 2)) as llum:
        early = await llum.connect()
        assert await early.ask() == 200
        silent = await llum.connect()
        late = await llum.push_in()
        assert await late.ask() == 200
        assert await silent.is_closed()
        assert await (await llum.push_in()).ask() == 200
        assert await early.is_closed()
        assert await late.ask() == 200


async def test_what_is_being_served_is_not_closed_for_a_new_one() -> None:
    """The new one is turned away, and told so."""
    async with served(Places(2, 2)) as llum:
        busy = [await llum.connect() for _ in range(2)]
        asking = [asyncio.create_task(one.ask("/gate")) for one in busy]
        await until(lambda: llum.at_gate == 2, "both are being served")
        status, headers, body = await (await llum.push_in()).answer()
        assert (status, headers["Retry-After"], body["error"]["code"]) == (503, "1", "unavailable")
        llum.gate.set()
        assert await asyncio.gather(*asking) == [200, 200]


async def test_a_place_is_given_back() -> None:
    """Whoever closes the connection."""
    async with served(Places(2, 2)) as llum:
        (await llum.connect()).close()
        await until(lambda: not len(llum.places), "the client has left")
        client = await llum.connect()
        client.send(b"no HTTP at all\r\n\r\n")
        assert (await client.answer())[0] == 400
        await until(lambda: not len(llum.places), "the server has closed")


class Pretended:
    """A connection as places see it."""

    def __init__(self, idle_until: float | None = None) -> None:
        self.has_asked = idle_until is not None
        self.idle_until = idle_until or 0.0
        self.is_idle = True
        self.gone = False

    def give_way(self) -> None:
        self.gone = True


def take(places: Places, connection: Pretended, address: str) -> bool:
    given: EdgeConnection = connection  # type: ignore[assignment]
    return places.take(given, address)


def test_one_address_does_not_have_all_places() -> None:
    """Its own connections give way to its new ones, and those of others stay."""
    places = Places(4, 2)
    mine, many = Pretended(), [Pretended() for _ in range(10)]
    assert take(places, mine, "192.0.2.1")
    assert all(take(places, one, "192.0.2.2") for one in many)
    assert [one.gone for one in many] == [True] * 8 + [False] * 2
    assert not mine.gone
    assert len(places) == 3


def test_many_addresses_do_not_have_more_than_all_places() -> None:
    """Then the oldest gives way, wherever it comes from; and nobody who is being served."""
    places = Places(3, 2)
    many = [Pretended() for _ in range(5)]
    assert all(take(places, one, f"192.0.2.{number}") for number, one in enumerate(many))
    assert [one.gone for one in many] == [True, True, False, False, False]
    for one in many:
        one.has_asked, one.is_idle = True, False
    assert not take(places, Pretended(), "192.0.2.9")
    assert len(places) == 3


async def test_a_head_that_is_not_there_in_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the first of a connection nor a later one, even if it goes on coming."""
    async with served(Places(9)) as llum:
        later = await llum.connect()
        assert await later.ask() == 200
        monkeypatch.setattr(connections, "HEAD_WITHIN_S", SOON_S)
        first = await llum.push_in(PART_OF_HEAD)
        later.send(PART_OF_HEAD)
        for client in (first, later):
            status, headers, body = await client.answer()
            assert (status, headers["Connection"], body["error"]["code"]) == (408, "close", "malformed")
            assert await client.is_closed()


async def test_a_connection_that_says_nothing_is_closed_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers open some in advance, and would take an answer for that of their next request."""
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", SOON_S)
    async with served(Places(9)) as llum:
        assert await (await llum.push_in()).is_closed()


async def test_the_deadline_of_heads_is_none_for_answers_and_idle_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler takes as long as it takes."""
    async with served(Places(9)) as llum:
        slow, idle = [await llum.connect() for _ in range(2)]
        assert await idle.ask() == 200
        asking = asyncio.create_task(slow.ask("/gate"))
        await until(lambda: llum.at_gate, "the slow one is being served")
        monkeypatch.setattr(connections, "HEAD_WITHIN_S", SOON_S)
        assert await (await llum.push_in()).is_closed()
        assert await (await llum.push_in()).is_closed()
        llum.gate.set()
        assert await asking == 200
        assert await idle.ask() == 200


FEW_DESCRIPTORS = """
import asyncio, resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
from aiohttp import web
from edge_http.http import connections, server

async def answer(_):
    return web.json_response({})

async def serve():
    connections.descriptors_for_all()
    app = web.Application()
    app.router.add_get("/", answer)
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    on_serving = lambda: print(listening.getsockname()[1], flush=True)
    await server.serve_on(listening, app, asyncio.Event(), on_serving)

connections.HEAD_WITHIN_S = server.KEEPALIVE_S = 1e6
if sys.argv[1] == "uvloop":
    import uvloop
    uvloop.run(serve())
else:
    asyncio.run(serve())
"""


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """This process holds the other ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("this machine gives no process 4,096 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(params=["asyncio", "uvloop"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """An edge in a process that has few descriptors."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    command = [sys.executable, "-c", FEW_DESCRIPTORS, request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.usefixtures("many_descriptors")
async def test_more_half_open_connections_than_descriptors_keep_nobody_out(port: int) -> None:
    """1,300 of them and 1,024 descriptors: while they come, and after that."""
    open_ends: list[Client] = []

    async def hold_one() -> None:
        with suppress(ConnectionError):
            client = await Client.connect(port)
            open_ends.append(client)
            client.send(PART_OF_HEAD)

    async def is_served() -> bool:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            client = await Client.connect(port)
            open_ends.append(client)
            return await client.ask() == 200
        return False

    flood = asyncio.gather(*(hold_one() for _ in range(1300)))
    await eventually(is_served, "one is served among those who come")
    await asyncio.wait_for(flood, DEADLINE_S)
    await eventually(is_served, "one is served after they have come")
    for client in open_ends:
        client.close()

"""Tells and asks that are answered by a call back: nobody can tell them from those that a task answers."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from edge_http.http.connections import Places
from edge_http.http.quick_requests import QUICK
from edge_http.http.runner import EdgeRunner
from identity.principal import Principal
from schemas.commands import Command
from schemas.errors import Code, Error, Refusal, Transient
from schemas.replies import AskReply, ComponentFailure, Failed, Outcome
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import accepted, answer, piece, refused
from tests.waiting import DEADLINE_S, until

TELL = b'{"version":"1","context":["Personal"],"componentid":"c","evidence":{"value":1},"id":"one"}'
ASK = b'{"version":"1","context":["Personal"],"view":["c"]}'
VARYING = re.compile(rb"(Date: )[^\r]*|(X-Request-Id: )[^\r]*|(mention request )[0-9a-f-]*")


class Talk:
    """A connection to an edge of its own, of which a test says how it serves."""

    def __init__(self, edge: Edge, runner: EdgeRunner, places: Places) -> None:
        self.edge = edge
        self.runner = runner
        self.places = places

    async def connect(self) -> None:
        host, port = self.runner.addresses[0][:2]
        self._reader, self.writer = await asyncio.open_connection(host, port)

    def send(
        self, op: str, body: bytes, *headers: str, first: str = "POST /{op} HTTP/1.1", length: int | None = None
    ) -> None:
        """Send a request. `length`: that of the body, of which this is the first part."""
        length = len(body) if length is None else length
        lines = [first.format(op=op), "Host: x", f"Content-Length: {length}", *headers]
        if not any(header.startswith("Authorization") for header in headers):
            lines.append("Authorization: Bearer good")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def receive(self) -> bytes:
        """Give a response as it came, without what is never twice the same."""
        async with asyncio.timeout(DEADLINE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
            whole = head + await self._reader.readexactly(length)
        return VARYING.sub(lambda match: next(filter(None, match.groups())), whole)

    async def is_closed(self) -> bool:
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.read() == b""


@asynccontextmanager
async def talking(*, quick: bool = True, shutdown_s: float = DEADLINE_S, places: int = 8) -> AsyncIterator[Talk]:
    edge, room = Edge(), Places(places, places)
    if not quick:
        edge.app[QUICK] = {}
    runner = EdgeRunner(edge.app, room, access_log=None, shutdown_timeout=shutdown_s)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    talk = Talk(edge, runner, room)
    await talk.connect()
    try:
        yield talk
    finally:
        talk.writer.close()
        await runner.cleanup()
        await edge.http.close()


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with talking() as made:
        yield made


class Gate:
    """An outcome that comes when a test says so."""

    def __init__(self, outcome: Any = None) -> None:
        self._opened = asyncio.Event()
        self._outcome = outcome or accepted(7)
        self.entered = 0

    def __call__(self, _: Command) -> Any:
        async def wait() -> Outcome:
            self.entered += 1
            await self._opened.wait()
            if isinstance(self._outcome, Exception):
                raise self._outcome
            return self._outcome  # type: ignore[no-any-return]

        return wait()

    def open(self) -> None:
        self._opened.set()


Lay = Callable[[Edge], None]


def _outcome(outcome: Any) -> Lay:
    return lambda edge: edge.requests.outcomes.append(outcome)


def _reply(reply: Any) -> Lay:
    return lambda edge: edge.requests.replies.append(reply)


def _oauth(edge: Edge) -> None:
    edge.authenticator.known["good"] = Principal("alice", "probe", 1, "token", oauth=True)
    edge.requests.outcomes.append(refused(Code.PERMISSION_DENIED))


def _nothing(_: Edge) -> None: ...


FOUND = answer("Personal", "c", value="v", evidence=[piece(1), piece(2, withdrawn=None)])
LARGE = answer("Personal", "c", value="v", evidence=[piece(n, "x" * 1000) for n in range(1, 100)])
FURTHER = answer("Personal", "c", value="v", evidence=[piece(1)], evidence_more=True)
FAILURE = ComponentFailure(path=["Personal", "c"], error=Error(Code.NO_SUCH_COMPONENT, "none", "view[0]"))


def _pages(edge: Edge) -> None:
    edge.requests.replies += [
        AskReply(seq=5, components=[FURTHER]),
        AskReply(seq=5, components=[answer("Personal", "c", evidence=[piece(2)])]),
    ]


TELLS = {
    "accepted": (_outcome(accepted(41)), TELL, ()),
    "settled": (_outcome(accepted(41)), TELL, ("Llum-Settle: 1",)),
    "without an envelope": (_nothing, TELL.replace(b'"version":"1",', b""), ()),
    "by a key": (_nothing, TELL, ("Idempotency-Key: two",)),
    "by a wrong key": (_nothing, TELL, ("Idempotency-Key: t w o",)),
    "unavailable": (_outcome(Transient(Code.UNAVAILABLE, "no outcome came", retry_after_s=3.0)), TELL, ()),
    "not let": (_outcome(Refusal(Code.PERMISSION_DENIED, "no", None, "ask")), TELL, ()),
    "too large for the bus": (_outcome(Refusal(Code.TOO_LARGE, "no")), TELL, ()),
    "a fault": (_outcome(ZeroDivisionError("inner")), TELL, ()),
    "denied by OAuth": (_oauth, TELL, ()),
    "no JSON": (_nothing, b"{", ()),
    "no text": (_nothing, b"\xff", ()),
    "nothing": (_nothing, b"", ()),
    "a wrong member": (_nothing, TELL.replace(b'"c"', b"7"), ()),
    "a reserved member": (_nothing, TELL.replace(b'"value":1', b'"value":1,"seq":1'), ()),
    "a lone surrogate": (_nothing, TELL.replace(b'"value":1', b'"value":"\\ud800"'), ()),
    "another model": (_nothing, TELL.replace(b"{", b'{"modelname":"bob",', 1), ()),
    "no token": (_nothing, TELL, ("Authorization: Basic eDp5",)),
    "an unknown token": (_nothing, TELL, ("Authorization: Bearer bad",)),
    "no sequence": (_nothing, TELL, ("Llum-Min-Seq: soon",)),
    "a page of another origin": (_outcome(accepted(3)), TELL, ("Origin: https://page.example",)),
    "a cookie": (_outcome(accepted(3)), TELL, ("Cookie: a=b",)),
    "an expectation": (_nothing, TELL, ("Expect: miracles",)),
    **{code.value: (_outcome(refused(code, field="component")), TELL, ()) for code in Code},
}
ASKS = {
    "found": (_reply(AskReply(seq=5, components=[FOUND])), ASK, ()),
    "nothing found": (_nothing, ASK, ()),
    "after a sequence": (_nothing, ASK, ("Llum-Min-Seq: 12",)),
    "with contexts": (_reply(AskReply(seq=5, components=[FOUND])), ASK[:-1] + b',"showcontexts":true}', ()),
    "large": (_reply(AskReply(seq=5, components=[LARGE])), ASK, ()),
    "in pages": (_pages, ASK, ()),
    "nothing but failures": (_reply(AskReply(seq=5, failures=[FAILURE])), ASK, ()),
    "some failures": (_reply(AskReply(seq=5, components=[FOUND], failures=[FAILURE])), ASK, ()),
    "failed": (_reply(Failed(error=Error(Code.NO_SUCH_CONTEXT, "none", "context"))), ASK, ()),
    "refused": (_reply(Refusal(Code.NO_SUCH_VIEW, "none", "view")), ASK, ()),
    "unavailable": (_reply(Transient(Code.UNAVAILABLE, "no reply came")), ASK, ()),
    "a fault": (_reply(ZeroDivisionError("inner")), ASK, ()),
    "a wrong filter": (_nothing, ASK[:-1] + b',"resolver":{"evidence_filter":"none"}}', ()),
    "a wrong path": (_nothing, ASK.replace(b'["Personal"]', b'"a//b"'), ()),
    "no sequence": (_nothing, ASK, ("Llum-Min-Seq: -1",)),
}


async def _said(op: str, lay: Lay, body: bytes, headers: tuple[str, ...], *, quick: bool) -> tuple[Any, ...]:
    """Give all that an edge does about a request that comes twice: responses, lines in the log, what it has sent."""
    responses = []
    async with talking(quick=quick) as talk:
        with capture_logs() as lines:
            for _ in range(2):
                lay(talk.edge)
                talk.send(op, body, *headers)
                responses.append(await talk.receive())
        requests = talk.edge.requests
        assert quick or not requests.soon
        for line in lines:
            for name in ("request_id", "duration_ms"):
                line.pop(name, None)
        sent = [(user, app, command if command.id == "one" else type(command)) for user, app, command in requests.sent]
        return responses, [(one["event"], one) for one in lines if "exc_info" not in one], sent, requests.asked


@pytest.mark.parametrize("case", TELLS)
async def test_a_tell_is_answered_as_ever(case: str) -> None:
    """Head, body and line are those of the way of all, and so is the command."""
    assert await _said("tell", *TELLS[case], quick=True) == await _said("tell", *TELLS[case], quick=False)


@pytest.mark.parametrize("case", ASKS)
async def test_an_ask_is_answered_as_ever(case: str) -> None:
    """The same; further pages are asked for as ever."""
    assert await _said("ask", *ASKS[case], quick=True) == await _said("ask", *ASKS[case], quick=False)


@pytest.mark.parametrize(("op", "body"), [("tell", TELL), ("ask", ASK)])
@pytest.mark.parametrize("first", ["POST /{op} HTTP/1.1", "POST /{op}?a=b HTTP/1.1", "POST /{op} HTTP/1.0"])
async def test_what_is_usual_is_answered_so(talk: Talk, op: str, body: bytes, first: str) -> None:
    """No other request is."""
    talk.send(op, body, first=first)
    assert b"200 OK" in await talk.receive()
    assert talk.edge.requests.soon == (1 if first == "POST /{op} HTTP/1.1" else 0)


async def test_who_wants_to_leave_is_left(talk: Talk) -> None:
    """The connection ends with the answer."""
    talk.send("tell", TELL, "Connection: close")
    assert b"Connection: close" in await talk.receive()
    assert await talk.is_closed()
    assert not talk.edge.requests.soon


async def test_what_cannot_be_sent_at_once_waits_as_ever(talk: Talk) -> None:
    """While the connection to the bus is lost, say."""
    talk.edge.requests.sends_soon = False
    for op, body in (("tell", TELL), ("ask", ASK)):
        talk.send(op, body)
        assert b"200 OK" in await talk.receive()
    assert (len(talk.edge.requests.sent), len(talk.edge.requests.asked), talk.edge.taken) == (1, 1, 0)


@pytest.mark.parametrize("outcome", [accepted(2), refused(Code.BAD_VALUE), Transient(Code.UNAVAILABLE, "no outcome")])
async def test_a_tell_after_one_that_came_in_parts_is_sent_once(talk: Talk, outcome: Any) -> None:
    """From then on aiohttp's own way is taken, which would begin once more."""
    talk.edge.requests.outcomes = [accepted(1), outcome]
    talk.send("tell", TELL[:9], length=len(TELL))
    await until(lambda: len(talk.places) == 1, "it is connected")
    (connection,) = talk.runner.server.connections  # type: ignore[union-attr]
    await until(lambda: connection._current_request is not None, "its head has come")
    talk.writer.write(TELL[9:])
    assert b"200 OK" in await talk.receive()
    talk.send("tell", TELL)
    await talk.receive()
    assert len(talk.edge.requests.sent) == 2


@pytest.mark.parametrize("before", [0, 1])
async def test_a_tell_is_sent_once_where_an_upgrade_comes_meanwhile(talk: Talk, before: int) -> None:
    """Then nothing more is whole."""
    for _ in range(before):
        talk.send("tell", TELL)
        await talk.receive()
    gate = Gate(refused(Code.BAD_VALUE))
    talk.edge.requests.outcomes = [gate]
    talk.send("tell", TELL)
    await until(lambda: gate.entered == 1, "it is under way")
    talk.send("ask", ASK, "Connection: Upgrade", "Upgrade: websocket")
    (connection,) = talk.runner.server.connections  # type: ignore[union-attr]
    await until(lambda: connection._upgraded, "the other one has come")
    gate.open()
    assert [code in await talk.receive() for code in (b"bad_value", b"200 OK")] == [True, True]
    assert len(talk.edge.requests.sent) == before + 1


async def test_requests_that_come_meanwhile_are_answered_after_it(talk: Talk) -> None:
    """In their order, although the others have their answers earlier."""
    gate = Gate(accepted(1))
    talk.edge.requests.outcomes = [gate, accepted(2), accepted(3)]
    talk.send("tell", TELL)
    await until(lambda: gate.entered == 1, "the first one is under way")
    talk.send("tell", TELL)
    talk.send("tell", TELL)
    gate.open()
    assert [re.search(rb"Llum-Seq: (\d)", await talk.receive())[1] for _ in range(3)] == [b"1", b"2", b"3"]  # type: ignore[index]
    talk.send("tell", TELL)
    await talk.receive()
    assert talk.edge.requests.soon == 2


@pytest.mark.parametrize("before", [0, 1])
async def test_however_many_come_meanwhile_none_is_sent_twice(talk: Talk, before: int) -> None:
    """More than aiohttp takes in: it stops reading. The first one is refused, and so answered by the task."""
    for _ in range(before):
        talk.send("tell", TELL)
        await talk.receive()
    gate, (count, ids) = Gate(refused(Code.BAD_VALUE)), (150, [command.id for command in talk.edge.requests.commands])
    talk.edge.requests.outcomes = [gate]
    talk.send("tell", TELL)
    await until(lambda: gate.entered == 1, "the first one is under way")
    for number in range(count):
        talk.send("tell", TELL.replace(b'"one"', b'"%d"' % number))
    (connection,) = talk.runner.server.connections  # type: ignore[union-attr]
    await until(lambda: connection._buffer_paused, "it reads no more")
    gate.open()
    answers = [await talk.receive() for _ in range(1 + count)]
    assert [b"bad_value" in answer for answer in answers] == [True] + [False] * count
    assert [command.id for command in talk.edge.requests.commands] == [*ids, "one", *map(str, range(count))]


@pytest.mark.parametrize("outcome", [accepted(7), refused(Code.BAD_VALUE), Transient(Code.UNAVAILABLE, "stopping")])
async def test_a_client_that_leaves_meanwhile_leaves_nothing_behind(talk: Talk, outcome: Any) -> None:
    """Its request is finished and has its line; nobody is told."""
    gate = Gate(outcome)
    talk.edge.requests.outcomes = [gate]
    with capture_logs() as lines:
        talk.send("tell", TELL)
        await until(lambda: gate.entered == 1, "it is under way")
        talk.writer.close()
        await until(lambda: len(talk.places) == 0, "the connection is gone")
        gate.open()
        await until(lambda: bool(lines), "its line is written")
    assert [(line["event"], line["route"], line["user"]) for line in lines] == [("request", "/tell", "alice")]
    assert talk.edge.taken == 0


@pytest.mark.parametrize("outcome", [accepted(7), refused(Code.BAD_VALUE)])
async def test_one_that_is_under_way_is_finished_before_stopping(outcome: Any) -> None:
    """Then the connection ends."""
    async with talking() as talk:
        gate = Gate(outcome)
        talk.edge.requests.outcomes = [gate]
        talk.send("tell", TELL)
        await until(lambda: gate.entered == 1, "it is under way")
        stopping = asyncio.create_task(talk.runner.cleanup())
        await until(lambda: all(one._close for one in talk.runner.server.connections), "it stops")  # type: ignore[union-attr]
        gate.open()
        assert b"200 OK" in await talk.receive()
        assert await talk.is_closed()
        async with asyncio.timeout(DEADLINE_S):
            await stopping


async def test_one_that_never_ends_does_not_hold_up_the_stop() -> None:
    """It is cut off, and the log says that nobody was answered."""
    async with talking(shutdown_s=0.05) as talk:
        gate = Gate()
        talk.edge.requests.outcomes = [gate]
        with capture_logs() as lines:
            talk.send("tell", TELL)
            await until(lambda: gate.entered == 1, "it is under way")
            async with asyncio.timeout(DEADLINE_S):
                await talk.runner.cleanup()
            assert await talk.is_closed()
            gate.open()
            await until(lambda: talk.edge.taken == 0, "its outcome has come")
        assert [line["status"] for line in lines if line["event"] == "request"] == [499]


async def test_a_connection_with_one_under_way_does_not_give_way() -> None:
    """It is not idle: the new one is turned away."""
    async with talking(places=1) as talk, AsyncExitStack() as exits:
        gate = Gate()
        talk.edge.requests.outcomes = [gate]
        talk.send("tell", TELL)
        await until(lambda: gate.entered == 1, "it is under way")
        other = Talk(talk.edge, talk.runner, talk.places)
        await other.connect()
        exits.callback(other.writer.close)
        assert b"503" in await other.receive()
        gate.open()
        assert b"200 OK" in await talk.receive()


async def test_a_connection_that_is_idle_for_too_long_meanwhile_is_kept(talk: Talk) -> None:
    """Its time counts from the answer."""
    gate = Gate()
    talk.edge.requests.outcomes = [gate]
    talk.send("tell", TELL)
    await until(lambda: gate.entered == 1, "it is under way")
    (connection,) = talk.runner.server.connections  # type: ignore[union-attr]
    connection._next_keepalive_close_time = 0.0
    connection._process_keepalive()
    gate.open()
    assert b"200 OK" in await talk.receive()
    talk.send("tell", TELL)
    assert b"200 OK" in await talk.receive()


async def test_a_client_that_reads_too_slowly_is_waited_for(talk: Talk) -> None:
    """Only a task can."""
    await until(lambda: len(talk.places) == 1, "it is connected")
    (connection,) = talk.runner.server.connections  # type: ignore[union-attr]
    connection.pause_writing()
    talk.send("tell", TELL)
    await talk.receive()
    connection.resume_writing()
    talk.send("tell", TELL)
    await talk.receive()
    assert talk.edge.requests.soon == 1

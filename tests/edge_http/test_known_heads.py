"""Heads that were parsed once are known by their bytes, and nobody can tell."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.helpers import DEFAULT_CHUNK_SIZE

from edge_http.http.known_heads import MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_HEADS, KnownHead
from edge_http.http.quick_requests import MAX_QUICK_BYTES
from schemas.errors import Code
from tests.edge_http.fakes import accepted, refused
from tests.edge_http.test_quick_requests import ASK, TELL, Gate, Talk, talking
from tests.waiting import until

SEQ = re.compile(rb"Llum-Seq: (\d+)")


class CountingParser:
    """aiohttp's, which counts the pieces that it is given."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser
        self.pieces = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> Any:
        self.pieces += 1
        return self._parser.feed_data(data)


class Watched:
    """A connection, and what of it is parsed."""

    def __init__(self, talk: Talk) -> None:
        (self.connection,) = talk.runner.server.connections  # type: ignore[union-attr]
        self.parser = self.connection._parser = CountingParser(self.connection._parser)
        self.talk = talk
        self.edge = talk.edge

    async def ask(self, op: str, body: bytes, *headers: str) -> bytes:
        self.talk.send(op, body, *headers)
        return await self.talk.receive()


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    async with talking() as talk:
        await until(lambda: len(talk.places) == 1, "it is connected")
        yield Watched(talk)


async def test_a_head_is_parsed_once(watched: Watched) -> None:
    """Whatever the body, and its size."""
    for _ in range(3):
        await watched.ask("tell", TELL)
        await watched.ask("ask", ASK)
    await watched.ask("tell", TELL.replace(b"1}", b"123}"))
    assert watched.parser.pieces == 2
    assert [command.evidence.value for command in watched.edge.requests.commands] == [1, 1, 1, 123]  # type: ignore[union-attr]
    await watched.ask("tell", TELL, "Accept: */*")
    assert watched.parser.pieces == 3


async def test_the_size_may_be_spelled_otherwise(watched: Watched) -> None:
    """Then a head is known together with it."""
    for count, body in ((1, TELL), (1, TELL), (2, TELL + b" "), (2, TELL)):
        head = b"POST /tell HTTP/1.1\r\nHost: x\r\ncontent-length:%d\r\nauthorization: Bearer good\r\n\r\n" % len(body)
        watched.talk.writer.write(head + body)
        assert b"200 OK" in await watched.talk.receive()
        assert watched.parser.pieces == count


@pytest.mark.parametrize(
    "line", [b"", b"Content-Length: %d\r\n" % (len(TELL) - 1), b"X-Content-Length: %d\r\n" % len(TELL)]
)
async def test_a_head_that_says_another_size_or_none_is_another_one(watched: Watched, line: bytes) -> None:
    """What is behind its body is the next request."""
    await watched.ask("tell", TELL)
    watched.connection.data_received(
        b"POST /tell HTTP/1.1\r\nHost: x\r\n" + line + b"Authorization: Bearer good\r\n\r\n" + TELL
    )
    assert b"malformed" in await watched.talk.receive()
    assert len(watched.edge.requests.sent) == 1


async def test_the_same_body_is_read_once() -> None:
    """Until another one has come. What cannot be read is read again."""
    head, read = KnownHead(None), []  # type: ignore[arg-type]

    def count(body: bytes) -> int:
        read.append(body)
        return int(body)

    assert [head.read(body, count) for body in (b"1", b"1", b"2", b"2", b"1")] == [1, 1, 2, 2, 1]
    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            head.read(b"x", count)
    assert head.read(b"1", count) == 1
    assert read == [b"1", b"2", b"1", b"x", b"x"]
    for _ in range(2):
        head.read(b"3" + MAX_BODY_BYTES * b" ", count)
    assert len(read) == 7


async def test_asks_that_differ_in_their_body_are_told_apart(watched: Watched) -> None:
    """Be they of the same size, with a version or without."""
    bare = ASK.replace(b'"version":"1"', b'"versioo":"1"')
    bodies = [ASK, ASK, ASK.replace(b'"c"', b'"d"'), ASK, bare, bare, ASK]
    answers = [await watched.ask("ask", body) for body in bodies]
    assert [query.view for query in watched.edge.requests.queries] == [["c"], ["c"], ["d"], *4 * [["c"]]]  # type: ignore[union-attr]
    assert [b'"result":"ok"' in answer for answer in answers] == [body is not bare for body in bodies]


async def test_few_heads_are_known(watched: Watched) -> None:
    """Of a program that never sends the same one twice, too."""
    for number in range(3 * MAX_HEADS):
        await watched.ask("tell", TELL, f"Idempotency-Key: {number}")
        assert len(watched.connection._heads._heads) <= MAX_HEADS
    assert [command.id for command in watched.edge.requests.commands] == [str(n) for n in range(3 * MAX_HEADS)]


async def test_a_long_head_is_not_known(watched: Watched) -> None:
    """All connections together would take up the memory."""
    for count in (1, 2):
        await watched.ask("tell", TELL, "Accept: " + MAX_HEAD_BYTES * "x")
        assert (watched.parser.pieces, watched.edge.requests.soon) == (count, count)


async def test_a_long_body_is_parsed(watched: Watched) -> None:
    """Whatever its head: it is not decoded before others have had their turn."""
    await watched.ask("tell", TELL)
    body = TELL + MAX_QUICK_BYTES * b" "
    head = b"POST /tell HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nAuthorization: Bearer good\r\n\r\n" % len(body)
    watched.connection.data_received(head + body)
    assert b"200 OK" in await watched.talk.receive()
    assert (watched.parser.pieces, watched.edge.requests.soon, len(watched.edge.requests.sent)) == (2, 1, 2)


async def test_a_token_is_looked_at_each_time(watched: Watched) -> None:
    """One that was revoked is refused at once."""
    assert b"200 OK" in await watched.ask("tell", TELL)
    principal = watched.edge.authenticator.known.pop("good")
    assert b"401 Unauthorized" in await watched.ask("tell", TELL)
    watched.edge.authenticator.known["good"] = principal
    assert b"200 OK" in await watched.ask("tell", TELL)
    assert len(watched.edge.requests.sent) == 2


async def test_what_is_refused_comes_before_what_was_sent_after_it(watched: Watched) -> None:
    """Its task is woken for it, and goes on with what came meanwhile."""
    await watched.ask("tell", TELL)
    gate = Gate(refused(Code.BAD_VALUE))
    watched.edge.requests.outcomes = [gate, accepted(2)]
    watched.talk.send("tell", TELL)
    await until(lambda: gate.entered == 1, "it is under way")
    watched.talk.send("tell", TELL)
    await until(lambda: watched.connection._request_count == 3, "the other one is there")
    gate.open()
    assert b"bad_value" in await watched.talk.receive()
    assert b"Llum-Seq: 2" in await watched.talk.receive()


async def test_a_long_body_that_comes_meanwhile_is_read_to_its_end(watched: Watched) -> None:
    """It has reading paused until it is taken, and what is refused before it leaves it so."""
    await watched.ask("tell", TELL)
    gate = Gate(refused(Code.BAD_VALUE))
    watched.edge.requests.outcomes = [gate, accepted(2)]
    watched.talk.send("tell", TELL)
    await until(lambda: gate.entered == 1, "it is under way")
    body = TELL + 3 * DEFAULT_CHUNK_SIZE * b" "
    head = b"POST /tell HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nAuthorization: Bearer good\r\n\r\n" % len(body)
    watched.connection.data_received(head + body)
    assert watched.connection._reading_paused
    gate.open()
    assert b"bad_value" in await watched.talk.receive()
    assert b"Llum-Seq: 2" in await watched.talk.receive()


async def test_a_body_whose_size_the_head_does_not_say_is_parsed(watched: Watched) -> None:
    """Only its parts say where it ends."""
    head = b"POST /tell HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer good\r\n\r\n"
    for count in (1, 2):
        watched.talk.writer.write(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(TELL), TELL))
        assert b"200 OK" in await watched.talk.receive()
        assert (watched.parser.pieces, watched.edge.requests.soon) == (count, count)


async def test_after_a_piece_that_ends_within_a_head_all_is_parsed(watched: Watched) -> None:
    """What looks like a whole request may be the middle of one."""
    await watched.ask("tell", TELL)
    whole = (
        b"POST /tell HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nAuthorization: Bearer good\r\n\r\n" % len(TELL) + TELL
    )
    watched.connection.data_received(whole + b"GET /health HTTP/1.1\r\nNo: ")
    await watched.talk.receive()
    watched.connection.data_received(whole)
    assert b"Healthy" in await watched.talk.receive()
    assert len(watched.edge.requests.sent) == 2


@pytest.mark.parametrize("seed", range(12))
async def test_requests_cut_anywhere_are_answered_in_their_order(watched: Watched, seed: int) -> None:
    """Each once, whatever comes together: the sequences of the tells are those of their order."""
    chance = random.Random(seed)
    tell, ask = (
        b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nAuthorization: Bearer good\r\n\r\n" % (op, len(body))
        + body
        for op, body in ((b"tell", TELL), (b"ask", ASK))
    )
    kinds = [chance.choice((tell, tell, ask, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(20)]
    for number, request in enumerate(kinds):
        # Nearly always as programs send them, so that heads are known when something else comes.
        cut = chance.randrange(len(request)) if chance.random() < 0.04 * (number // 5) else 0
        for piece in filter(None, (request[:cut], request[cut:])):
            watched.connection.data_received(piece)
            for _ in range(chance.choice((0, 1, 30))):
                await asyncio.sleep(0)
    answers = [await watched.talk.receive() for _ in kinds]
    assert all(answer.startswith(b"HTTP/1.1 200 OK") for answer in answers)
    assert [b"Healthy" in answer for answer in answers] == [request.startswith(b"GET") for request in kinds]
    found = [int(match[1]) for answer in answers if (match := SEQ.search(answer))]
    assert found == list(range(1, kinds.count(tell) + 1))

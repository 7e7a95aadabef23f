"""Requests for plain paths skip aiohttp's router, and their answers its making of heads. Nobody can tell."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from tests.edge_http.conftest import Edge
from tests.waiting import DEADLINE_S

BODY = b'{"version":"1","componentid":"c","evidence":{"value":1}}'
DATE = re.compile(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")


class Wire:
    """A bare connection to the edge."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, line: str, *headers: str, body: bytes = BODY) -> tuple[dict[str, str], bytes]:
        """Send a request, and give what came: the head's members by lower-case name, and the body."""
        head = [line, "Host: x", "Authorization: Bearer good", f"Content-Length: {len(body)}", *headers, "", ""]
        self.writer.write("\r\n".join(head).encode() + body)
        return await self.receive(no_body=line.startswith("HEAD"))

    async def receive(self, *, no_body: bool = False) -> tuple[dict[str, str], bytes]:
        async with asyncio.timeout(DEADLINE_S):
            first, *rest = (await self._reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            members = {"status": first}
            for line in filter(None, rest):
                name, _, value = line.partition(": ")
                assert name.lower() not in members, "no header comes twice"
                members[name.lower()] = value
            length = 0 if no_body else int(members.get("content-length", 0))
            return members, await self._reader.readexactly(length)

    async def is_closed(self) -> bool:
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.read() == b""


@pytest.fixture
async def wire(edge: Edge) -> AsyncIterator[Wire]:
    url = edge.http.make_url("/")
    reader, writer = await asyncio.open_connection(url.host, url.port)
    yield Wire(reader, writer)
    writer.close()


async def test_both_ways_answer_alike(edge: Edge, wire: Wire) -> None:
    """A query sends a request the long way, and 1.0 an answer: heads and bodies have the same members."""
    quick, body = await wire.ask("POST /tell HTTP/1.1")
    by_router, same = await wire.ask("POST /tell?a=b HTTP/1.1")
    assert body == same == b'{"result":"ok","val":null}\n'
    changing = {"x-request-id", "date", "llum-seq"}
    assert {k: v for k, v in quick.items() if k not in changing} == {
        k: v for k, v in by_router.items() if k not in changing
    }
    assert quick.keys() == by_router.keys()
    assert DATE.fullmatch(f"Date: {quick['date']}".encode())


async def test_aiohttp_s_own_head_has_the_same_members(edge: Edge, wire: Wire) -> None:
    """It makes that of a client which wants the connection closed."""
    quick, _ = await wire.ask("POST /tell HTTP/1.1")
    closing, _ = await wire.ask("POST /tell HTTP/1.1", "Connection: close")
    assert closing.keys() == quick.keys() | {"connection"}
    assert closing["status"] == quick["status"] == "HTTP/1.1 200 OK"
    assert await wire.is_closed()


async def test_a_connection_stays_open_between_requests(edge: Edge, wire: Wire) -> None:
    """Also when several requests came at once: they are answered in order."""
    for _ in range(2):
        await wire.ask("POST /tell HTTP/1.1")
    one = (
        f"POST /tell HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    )
    wire.writer.write((one + BODY) * 3)
    ids = [(await wire.receive())[0]["x-request-id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert len(edge.requests.sent) == 5


async def test_an_old_client_is_answered_and_left(edge: Edge, wire: Wire) -> None:
    """HTTP/1.0 knows no connection that stays."""
    members, body = await wire.ask("POST /tell HTTP/1.0")
    assert members["status"] == "HTTP/1.0 200 OK"
    assert body == b'{"result":"ok","val":null}\n'
    assert await wire.is_closed()


async def test_a_head_has_no_body(edge: Edge, wire: Wire) -> None:
    """But the length that the answer to GET has."""
    members, _ = await wire.ask("HEAD /health HTTP/1.1", body=b"")
    assert members["content-length"] == str(len(b'{"isHealthy":true}\n'))
    _, body = await wire.ask("GET /health HTTP/1.1", body=b"")
    assert body == b'{"isHealthy":true}\n'


async def test_who_waits_to_be_told_to_go_on_is_told(edge: Edge, wire: Wire) -> None:
    """curl does with large bodies."""
    wire.writer.write(
        b"POST /tell HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % len(BODY)
    )
    members, _ = await wire.receive()
    assert members["status"] == "HTTP/1.1 100 Continue"
    wire.writer.write(BODY)
    assert (await wire.receive())[1] == b'{"result":"ok","val":null}\n'
    assert (await wire.ask("POST /tell HTTP/1.1"))[1] == b'{"result":"ok","val":null}\n'


@pytest.mark.parametrize("line", ["GET /tell HTTP/1.1", "DELETE /health HTTP/1.1"])
async def test_a_wrong_method_is_told_which_are_right(edge: Edge, wire: Wire, line: str) -> None:
    """That is aiohttp's to know."""
    members, _ = await wire.ask(line, body=b"")
    assert members["status"] == "HTTP/1.1 405 Method Not Allowed"
    assert members["allow"]


@pytest.mark.parametrize("path", ["/tell", "/tell?a=b"])
async def test_either_way_is_logged_alike(edge: Edge, wire: Wire, path: str) -> None:
    """By the route, and not by what the caller has made of it."""
    with capture_logs() as lines:
        await wire.ask(f"POST {path} HTTP/1.1")
    assert [(line["route"], line["op"], line["status"]) for line in lines] == [("/tell", "tell", 200)]

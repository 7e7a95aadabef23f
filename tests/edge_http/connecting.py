"""Plain sockets to a small application behind the edge's runner."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from edge_http.http.connections import Places
from edge_http.http.runner import EdgeRunner
from tests.waiting import DEADLINE_S, until

HOST = "127.0.0.1"
PART_OF_HEAD = b"GET / HTTP/1.1\r\nHo"
REST_OF_HEAD = b"st: llum\r\n\r\n"


class Client:
    """A socket, and what comes out of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Client":
        return cls(*await asyncio.open_connection(HOST, port))

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        """Read one response: its status, its headers, its body."""
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), DEADLINE_S)
        first, *lines = head.decode().split("\r\n")[:-2]
        headers = dict(line.split(": ", 1) for line in lines)
        body = await asyncio.wait_for(self._reader.readexactly(int(headers["Content-Length"])), DEADLINE_S)
        return int(first.split()[1]), headers, json.loads(body)

    async def ask(self, path: str = "/") -> int:
        """Make a request, and give the status of its answer."""
        self.send(f"GET {path} HTTP/1.1\r\nHost: llum\r\n\r\n".encode())
        return (await self.answer())[0]

    async def is_closed(self) -> bool:
        """Wait for the end; tell whether it comes without a word."""
        try:
            return await asyncio.wait_for(self._reader.read(), DEADLINE_S) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._writer.close()


class Served:
    """An application with so many places: `/` answers at once, `/gate` when the gate is opened."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.gate = asyncio.Event()
        self.at_gate = 0
        self.tasks: list[asyncio.Task[Any] | None] = []
        """Those in which requests were answered."""
        self._clients: list[Client] = []
        self._app = web.Application()
        self._app.router.add_get("/", self._answer)
        self._app.router.add_post("/", self._answer)
        self._app.router.add_get("/gate", self._wait)

    async def connect(self, first: bytes = b"") -> Client:
        """Connect, and say something. Returns when the server has the connection: not to be used where it is full."""
        before = len(self.places)
        client = await self.push_in(first)
        await until(lambda: len(self.places) > before, "the connection has a place")
        return client

    async def push_in(self, first: bytes = b"") -> Client:
        """Connect where all places are taken. `first` is there when the server takes the connection."""
        end = socket.create_connection((HOST, self._port))
        end.sendall(first)
        client = Client(*await asyncio.open_connection(sock=end))
        self._clients.append(client)
        return client

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        runner = EdgeRunner(self._app, self.places, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        listening = socket.create_server((HOST, 0))
        self._port = listening.getsockname()[1]
        await web.SockSite(runner, listening).start()
        try:
            yield
        finally:
            self.gate.set()
            for client in self._clients:
                client.close()
            await runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        self.tasks.append(asyncio.current_task())
        return web.json_response({})

    async def _wait(self, _: web.Request) -> web.Response:
        self.at_gate += 1
        self.tasks.append(asyncio.current_task())
        await self.gate.wait()
        return web.json_response({})


@asynccontextmanager
async def served(places: Places) -> AsyncIterator[Served]:
    made = Served(places)
    async with made.running():
        yield made

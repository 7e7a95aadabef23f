"""Serving and stopping."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from edge_http.http.server import serve_on
from tests.waiting import DEADLINE_S

HOST = "127.0.0.1"


class Running:
    """An application that is being served on any free port."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()
        self.serving = asyncio.Event()
        self.listening = socket.create_server((HOST, 0))
        self.app = web.Application()
        self.app.router.add_get("/", self._handle)

    async def _handle(self, _: web.Request) -> web.Response:
        self.entered.set()
        await self.gate.wait()
        return web.Response(text="done")

    async def serve(self) -> int:
        """Start, and give the port."""
        self.task = asyncio.create_task(serve_on(self.listening, self.app, self.stop, self.serving.set))
        await asyncio.wait_for(self.serving.wait(), DEADLINE_S)
        return int(self.listening.getsockname()[1])


async def test_a_bound_socket_is_served() -> None:
    """A supervisor may keep the socket while edges come and go."""
    running = Running()
    running.gate.set()
    port = await running.serve()
    async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{port}/") as response:
        assert await response.text() == "done"
    running.stop.set()
    await asyncio.wait_for(running.task, DEADLINE_S)


async def test_an_open_request_is_finished_before_stopping() -> None:
    """What has begun is answered, what comes later finds no one."""
    running = Running()
    port = await running.serve()
    async with aiohttp.ClientSession() as session:
        request = asyncio.create_task(session.get(f"http://{HOST}:{port}/"))
        await asyncio.wait_for(running.entered.wait(), DEADLINE_S)
        running.stop.set()
        await asyncio.sleep(0)
        running.gate.set()
        assert await (await asyncio.wait_for(request, DEADLINE_S)).text() == "done"
        await asyncio.wait_for(running.task, DEADLINE_S)
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://{HOST}:{port}/")


async def test_a_request_that_never_ends_does_not_hold_up_the_stop() -> None:
    """It is cut off."""
    running = Running()
    port = await running.serve()
    async with aiohttp.ClientSession() as session:
        request = asyncio.create_task(session.get(f"http://{HOST}:{port}/"))
        await asyncio.wait_for(running.entered.wait(), DEADLINE_S)
        running.stop.set()
        await asyncio.wait_for(running.task, DEADLINE_S)
        with pytest.raises(aiohttp.ClientError):
            await request

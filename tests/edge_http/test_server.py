"""Listening and stopping."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from edge_http.http.server import ListenError, run_edge, run_edge_on

HOST = "127.0.0.1"
DEADLINE_S = 10.0


class Running:
    """An application that is being served by `run_edge` on any free port."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()
        self.bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.app = web.Application()
        self.app.router.add_get("/", self._handle)

    async def _handle(self, _: web.Request) -> web.Response:
        self.entered.set()
        await self.gate.wait()
        return web.Response(text="done")

    async def serve(self) -> int:
        """Start, and give the port."""
        self.task = asyncio.create_task(run_edge(self.app, HOST, 0, self.stop, self.bound.set_result))
        return await asyncio.wait_for(self.bound, DEADLINE_S)


async def test_any_free_port_is_reported() -> None:
    """Port 0 becomes a real one, which answers."""
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


async def test_a_taken_port_is_a_clear_error() -> None:
    """One line that names the address, and a hint that says what to do."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            await run_edge(web.Application(), HOST, port, asyncio.Event(), lambda _: None)
    assert f"{HOST}:{port}" in caught.value.message
    assert "taken" in caught.value.message
    assert "LLUM_HTTP_PORT" in caught.value.hint


async def test_an_address_of_another_machine_is_a_clear_error() -> None:
    """So is an address that cannot be listened on for other reasons."""
    with pytest.raises(ListenError, match=r"192\.0\.2\.1:0"):
        await run_edge(web.Application(), "192.0.2.1", 0, asyncio.Event(), lambda _: None)


async def test_a_bound_socket_can_be_handed_in() -> None:
    """A supervisor may keep the socket while edges come and go."""
    running = Running()
    running.gate.set()
    listening = socket.create_server((HOST, 0))
    task = asyncio.create_task(run_edge_on(running.app, listening, running.stop, running.bound.set_result))
    port = await asyncio.wait_for(running.bound, DEADLINE_S)
    async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{port}/") as response:
        assert response.status == 200
    running.stop.set()
    await asyncio.wait_for(task, DEADLINE_S)

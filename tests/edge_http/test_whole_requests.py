"""Requests that arrive whole are answered in the task of their connection; others as aiohttp does it."""

from edge_http.http.connections import Places
from tests.edge_http.connecting import served
from tests.waiting import until


async def test_requests_of_a_connection_have_one_task() -> None:
    """Also those that came together."""
    async with served(Places(2, 2)) as llum:
        client = await llum.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: llum\r\n\r\n" * 2)
        assert [(await client.answer())[0] for _ in range(2)] == [200, 200]
        assert await client.ask() == 200
        assert len(set(llum.tasks)) == 1


async def test_after_a_body_that_comes_later_the_connection_goes_on() -> None:
    """This one is answered before its body is there, which is read before the next request."""
    async with served(Places(2, 2)) as llum:
        client = await llum.connect()
        assert await client.ask() == 200
        client.send(b"POST / HTTP/1.1\r\nHost: llum\r\nContent-Length: 2\r\n\r\n")
        assert (await client.answer())[0] == 200
        client.send(b"ab")
        assert [await client.ask() for _ in range(2)] == [200, 200]


async def test_a_client_that_leaves_while_it_is_served_leaves_nothing_behind() -> None:
    """Its request is finished, and nobody is told."""
    async with served(Places(2, 2)) as llum:
        client = await llum.connect(b"GET /gate HTTP/1.1\r\nHost: llum\r\n\r\n")
        await until(lambda: llum.at_gate == 1, "it is being served")
        client.close()
        await until(lambda: len(llum.places) == 0, "the connection is gone")
        llum.gate.set()
        task = llum.tasks[0]
        assert task is not None
        await until(task.done, "its task has ended")
        assert not task.cancelled()
        assert task.exception() is None

"""Serves the requests that arrive whole, as nearly all do, in the one task of their connection.

aiohttp makes a task for each request, which costs it three turns of the loop more: a tenth of what an edge spends on an
ask. So aiohttp's own way is taken only from the first request on that is unusual: whose body has not arrived yet, say,
or that cannot be read.

Some are answered without that task (`quick_requests`), and most of these are not even parsed (`known_heads`). The task
goes on waiting meanwhile, and hears of nothing: what comes until the answer is sent is served after it.

So all requests of a connection run in one context: a handler that sets a context variable would set it for the next
request, too. None does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http import RawRequestMessage, StreamWriter
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from edge_http.http.known_heads import KnownHead, KnownHeads
from edge_http.http.quick_requests import QuickRequest, QuickWay

HandleRequest = Callable[[Any], Awaitable[web.StreamResponse]]


class WholeRequests(RequestHandler):
    """A connection of aiohttp's server that does so. It goes by the private names of aiohttp's."""

    __slots__ = (
        "_answering", "_factory", "_handler", "_heads", "_held", "_is_aiohttps", "_quick", "_quick_way", "_unparsed",
    )  # fmt: skip

    def __init__(self, server: web.Server, quick_way: QuickWay, **options: Any) -> None:
        super().__init__(server, **options)
        self._quick_way = quick_way
        self._factory = server.request_factory
        self._handler: HandleRequest = server.request_handler
        self._quick: QuickRequest | None = None
        """What is being answered without the task."""
        self._heads = KnownHeads()
        self._unparsed: tuple[RawRequestMessage, bytes] | None = None
        """What is being answered so and was not parsed: head and body."""
        self._held: asyncio.Future[None] | None = None
        """What the task waits for meanwhile, in place of `_waiter`: as if the task were at work."""
        self._answering: HandleRequest | None = None
        """What answers the next request in place of the usual handler, whatever becomes of the connection."""
        self._is_aiohttps = False
        """Whether aiohttp's own way is taken. It knows nothing of `_answering`: it would serve what was begun anew."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Read on. aiohttp calls this for each body, and would parse once more where reading was never paused."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def data_received(self, data: bytes) -> None:
        """Take what has come. The task is woken for what is not answered without it."""
        waiter, heads = self._waiter, self._heads
        if waiter is None or waiter.done() or self._messages or self._is_aiohttps:
            heads.is_between = False
            super().data_received(data)
            return
        known = heads.find(data)
        if known is not None and self._begin_again(*known):
            return
        self._waiter = None
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        heads.note(data, self._messages)
        if self._messages:
            self._begin_or_wake(data, waiter)

    def _begin_or_wake(self, data: bytes, waiter: "asyncio.Future[None]") -> None:
        message, payload = self._messages[0]
        is_alone = len(self._messages) == 1 and not self._paused
        if is_alone and isinstance(message, RawRequestMessage) and self._is_whole(payload):
            quick = self._quick_way.begin(self, message, payload)
            if quick is not None:
                self._hold(quick)
                self._heads.remember(data, quick.head)
                return
        waiter.set_result(None)

    def _begin_again(self, head: KnownHead, body: bytes) -> bool:
        """Begin to answer a request without having it parsed. False: it is to be parsed."""
        if self._force_close or self._paused or self._upgraded or self._buffer_paused:
            return False
        quick = self._quick_way.begin_again(self, head, body)
        if quick is None:
            return False
        self._hold(quick)
        self._request_count += 1
        self._unparsed = head.message, body
        return True

    def _hold(self, quick: QuickRequest) -> None:
        """Keep the task waiting while something is answered without it."""
        self._quick = quick
        self._held, self._waiter = self._waiter, None
        self._request_in_progress = True

    def answer_quickly(self, response: bytes) -> None:
        """Send the response to what was begun so, if the client is still there."""
        if self._unparsed is None:
            self._take_message()
        elif self._manager is not None:
            self._manager.requests_count += 1
        self._unparsed = None
        self._request_in_progress = False
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)
        transport = self.transport
        is_there = transport is not None and not transport.is_closing()
        if transport is not None and is_there:
            transport.write(response)
        waiter = self._resume()
        if not is_there or self._force_close or not self._is_kept_after(keep_alive=True):
            waiter.cancel()
            self._end()
        elif self._messages and not waiter.done():
            waiter.set_result(None)

    def answer_by(self, handler: HandleRequest) -> None:
        """Have the task answer what was begun without it."""
        if self._unparsed is not None:
            message, body = self._unparsed
            payload = StreamReader(self, self._read_bufsize, loop=self._loop)
            payload.feed_data(body)
            # `feed_eof` would read on where the body of a request that came meanwhile has reading paused.
            payload._eof = True
            self._messages.appendleft((message, payload))
            self._unparsed = None
        self._answering = handler
        waiter = self._resume()
        if not waiter.done():
            waiter.set_result(None)

    def _resume(self) -> "asyncio.Future[None]":
        """Have the task wait again as it did. Gives what it waits for."""
        assert self._held is not None, "something was begun"
        waiter = self._waiter = self._held
        self._quick = self._held = None
        return waiter

    async def start(self) -> None:
        """Serve one request after the other until the connection ends."""
        while self._answering is not None or not self._force_close:
            if not self._messages:
                await self._arrival()
                continue
            message, payload = self._messages[0]
            if not isinstance(message, RawRequestMessage) or not self._is_to_be_served(payload):
                self._is_aiohttps = True
                await super().start()
                return
            if not await self._serve(message, payload):
                break
        self._end()

    async def _arrival(self) -> None:
        """Wait for the next request. Cancelled when the connection is lost or to be closed."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            if self._quick is not None:
                self._quick.give_up()
            raise
        finally:
            self._waiter = None

    def _is_whole(self, payload: StreamReader) -> bool:
        return payload.is_eof() and not self._upgraded and not self._buffer_paused

    def _is_to_be_served(self, payload: StreamReader) -> bool:
        """Tell whether the next request is. What has been begun is not begun once more, whatever came meanwhile."""
        return self._answering is not None or self._is_whole(payload)

    def _take_message(self) -> None:
        self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        if self._manager is not None:
            self._manager.requests_count += 1

    async def _serve(self, message: RawRequestMessage, payload: StreamReader) -> bool:
        """Answer the next request. False: the connection is not kept for another one."""
        self._take_message()
        began = self._loop.time() if self._logging_enabled else None
        writer = StreamWriter(self, self._loop)
        task = self._task_handler or asyncio.current_task()
        request = self._factory(message, payload, self, writer, task)  # type: ignore[arg-type]
        handler, self._answering = self._answering or self._handler, None
        try:
            response, is_gone = await self._handle_request(request, began, handler)
        except ConnectionError:
            return False
        except asyncio.CancelledError:
            self.force_close()
            raise
        except Exception as error:  # noqa: BLE001 - logged, and the connection ends with it
            self.log_exception("Unhandled exception", exc_info=error)
            self.force_close()
            return False
        return not is_gone and self._is_kept_after(keep_alive=bool(response.keep_alive))

    def _is_kept_after(self, *, keep_alive: bool) -> bool:
        """Tell whether the connection is kept for another request. It is closed when none comes in time."""
        self._keepalive = keep_alive
        if not keep_alive or self._close:
            return False
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(self._next_keepalive_close_time, self._process_keepalive)
        return True

    def _end(self) -> None:
        """Close the connection, unless that has been done already."""
        if self._force_close:
            return
        self._task_handler = None
        if self.transport is not None:
            self.transport.close()

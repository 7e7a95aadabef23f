"""Serves the requests that arrive whole, as nearly all do, in the one task of their connection.

aiohttp makes a task for each request, which costs it three turns of the loop more: a tenth of what an edge spends on an
ask. So aiohttp's own way is taken only from the first request on that is unusual: whose body has not arrived yet, say,
or that cannot be read.

So all requests of a connection run in one context: a handler that sets a context variable would set it for the next
request, too. None does.
"""

import asyncio

from aiohttp import web
from aiohttp.http import RawRequestMessage, StreamWriter
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler


class WholeRequests(RequestHandler):
    """A connection of aiohttp's server that does so. It goes by the private names of aiohttp's."""

    __slots__ = ()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Read on. aiohttp calls this for each body, and would parse once more where reading was never paused."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    async def start(self) -> None:
        """Serve one request after the other until the connection ends."""
        while not self._force_close:
            if not self._messages:
                await self._arrival()
                continue
            message, payload = self._messages[0]
            if not isinstance(message, RawRequestMessage) or not self._is_whole(payload):
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
        finally:
            self._waiter = None

    def _is_whole(self, payload: StreamReader) -> bool:
        return payload.is_eof() and not self._upgraded and not self._buffer_paused

    async def _serve(self, message: RawRequestMessage, payload: StreamReader) -> bool:
        """Answer the next request. False: the connection is not kept for another one."""
        assert self._manager is not None
        assert self._parser is not None
        assert self._request_factory is not None
        assert self._request_handler is not None
        assert self._task_handler is not None
        self._messages.popleft()
        self._parser.message_consumed()
        self._manager.requests_count += 1
        began = self._loop.time() if self._logging_enabled else None
        writer = StreamWriter(self, self._loop)
        request = self._request_factory(message, payload, self, writer, self._task_handler)
        try:
            response, is_gone = await self._handle_request(request, began, self._request_handler)
        except ConnectionError:
            return False
        except asyncio.CancelledError:
            self.force_close()
            raise
        except Exception as error:  # noqa: BLE001 - logged, and the connection ends with it
            self.log_exception("Unhandled exception", exc_info=error)
            self.force_close()
            return False
        return not is_gone and self._is_kept_after(response)

    def _is_kept_after(self, response: web.StreamResponse) -> bool:
        """Tell whether the connection is kept for another request. It is closed when none comes in time."""
        self._keepalive = bool(response.keep_alive)
        if not self._keepalive or self._close:
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

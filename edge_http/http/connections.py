"""Connections: how many there may be, and how long each may take to say what it wants.

aiohttp closes a connection that is idle, and has neither a bound for their number nor a deadline for the head of a
request. So here each has a place. When all are taken, the connection goes that has waited longest without a request:
what is under way is finished, and a client that kept an idle connection makes a new one. Only where all the others are
being served is a new one turned away.

What aiohttp refuses by itself, before there is a request, is answered here in the same JSON as all other errors.
"""

import resource
from asyncio import AbstractEventLoop, TimerHandle, Transport
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from bus.logger import get_logger
from edge_http.http.errors import plain_response
from edge_http.http.observe import unread_response
from edge_http.http.quick_requests import QuickWay
from edge_http.http.sources import source_of
from edge_http.http.whole_requests import WholeRequests
from schemas.errors import Code, Error

log = get_logger("llum.edge")

HEAD_WITHIN_S: Final = 10.0
"""Seconds from the first byte of a head, or from the beginning of a connection, until all of the head must be there."""

MAX_CONNECTIONS: Final = 4096
"""Connections of an edge, if the system lets it have so many: each takes 20 to 30 kB."""

DESCRIPTORS: Final = 2 * MAX_CONNECTIONS + 64
"""Descriptors that are worth having: a burst of new connections has some before the old ones are closed."""

SHARE_OF_ADDRESS: Final = 0.75
"""The part of all places that one address may have. Behind a proxy all clients have the proxy's address."""

_LATE: Final = Error(Code.MALFORMED, f"the head of the request did not arrive within {HEAD_WITHIN_S:g} s")
_FULL: Final = Error(Code.UNAVAILABLE, "too many connections", hint="try again later, over fewer connections")
_LINE_TOO_LONG: Final = Error(Code.TOO_LARGE, "the request line or a header is too long")
_NO_HTTP: Final = Error(Code.MALFORMED, "this is not a request of HTTP/1.1: the request line or a header is wrong")
_FAILED: Final = Error(Code.INTERNAL, "a fault in llum; it has been recorded")


class Places:
    """So many connections at a time, in all and of one address."""

    def __init__(self, total: int, per_address: int | None = None) -> None:
        self._total = total
        self._per_address = max(1, int(total * SHARE_OF_ADDRESS)) if per_address is None else per_address
        self._taken: dict[EdgeConnection, str] = {}
        """Each with its address, the oldest first."""
        self._of: dict[str, dict[EdgeConnection, None]] = {}

    @classmethod
    def of_process(cls) -> "Places":
        """Give as many as this process may have descriptors for."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else (soft - 64) // 2
        return cls(max(8, min(MAX_CONNECTIONS, most)))

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, connection: "EdgeConnection", address: str) -> bool:
        """Give a new connection a place, if need be that of one without a request. False: there is none."""
        if len(self._of.get(address, ())) >= self._per_address and not self._make_way(self._of[address]):
            return False
        if len(self._taken) >= self._total and not self._make_way(self._taken):
            return False
        self._taken[connection] = address
        self._of.setdefault(address, {})[connection] = None
        return True

    def leave(self, connection: "EdgeConnection") -> None:
        """Give a place back, if the connection still has it."""
        address = self._taken.pop(connection, None)
        if address is not None:
            others = self._of[address]
            del others[connection]
            if not others:
                del self._of[address]

    def _make_way(self, among: "Iterable[EdgeConnection]") -> bool:
        """Close the one that has waited longest, one that has never made a request before all others."""
        found = next((one for one in among if not one.has_asked), None)
        if found is None:
            found = min((one for one in among if one.is_idle), key=lambda one: one.idle_until, default=None)
        if found is None:
            return False
        self.leave(found)
        found.give_way()
        return True


def descriptors_for_all() -> None:
    """Let this process have as many descriptors as are worth having, if the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class EdgeConnection(WholeRequests):
    """One connection to the edge."""

    __slots__ = ("_awaited", "_head_timer", "_heard", "_places")

    def __init__(
        self, server: web.Server, places: Places, quick_way: QuickWay, loop: AbstractEventLoop, **options: Any
    ) -> None:
        super().__init__(server, quick_way, loop=loop, **options)
        self._places = places
        self._heard = False
        """Whether something of the first head has come."""
        self._awaited = -1
        """The number of requests before the head whose deadline was started last."""
        self._head_timer: TimerHandle | None = None

    @property
    def has_asked(self) -> bool:
        """Tell whether there has ever been a whole head of a request."""
        return self._request_count > 0

    @property
    def is_idle(self) -> bool:
        """Tell whether the connection waits for its next request."""
        return self._waiter is not None and not self._messages

    @property
    def idle_until(self) -> float:
        """Say when it would be closed for being idle, by the loop's clock: sooner for one that has waited longer."""
        return self._next_keepalive_close_time

    def connection_made(self, transport: Any) -> None:
        """Take a place, or turn the client away."""
        if not self._places.take(self, source_of(transport.get_extra_info("peername"))):
            self._force_close = True
            _say_and_close(transport, 503, _FULL, {"Retry-After": "1"})
            return
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take what has come. A part of a head starts its deadline."""
        before = self._request_count
        super().data_received(data)
        if self._request_count == before and (self._waiter is not None or not before):
            self._heard = True
            self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place back."""
        self._places.leave(self)
        if self._head_timer is not None:
            self._head_timer.cancel()
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Close the connection for another one."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it may quote what came, and names what we are made of
    ) -> web.StreamResponse:
        """Answer what aiohttp refuses before there is a request, and close the connection.

        Raises `ConnectionError` when a part of another answer has been sent.
        """
        if isinstance(exc, LineTooLong):
            status, error = 431, _LINE_TOO_LONG
        else:
            error = _NO_HTTP if status < 500 else _FAILED
        if status >= 500:
            log.error("connection_failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer is sent already")
        response = unread_response(error, status)
        response.force_close()
        return response

    def _await_head(self) -> None:
        """Start the deadline of the head that comes now, unless it has been started."""
        if self._awaited == self._request_count:
            return
        self._awaited = self._request_count
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer = self._loop.call_later(HEAD_WITHIN_S, self._look_for_head)

    def _look_for_head(self) -> None:
        """Close the connection if the head that began a while ago is not there yet."""
        if self._request_count > self._awaited or self.transport is None:
            return
        if self._heard:
            _say_and_close(self.transport, 408, _LATE)
        self.force_close()


def _say_and_close(transport: Transport, status: int, error: Error, headers: dict[str, str] | None = None) -> None:
    transport.write(plain_response(error, status, headers or {}))
    transport.close()

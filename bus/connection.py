"""The connection to nats-server: made once, mended for ever."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, Final

from bus import addresses
from bus.attempts import ConnectAttempts
from bus.inbox import Inbox
from bus.joined import JoinedReads
from bus.logger import get_logger
from bus.nats_py import nats
from bus.showing import Showing, Token
from bus.wire import Listening, OnMessage, WireClient, end_task
from schemas.errors import Code, LlumError, Refusal, Transient
from schemas.limits import MAX_PAYLOAD_BYTES

FIRST_WAIT_S: Final = 0.1
"""Seconds before the second attempt to reconnect; doubled each time. The first one is made at once."""

LONGEST_WAIT_S: Final = 1.0
"""Seconds between attempts to reconnect: short, as a restarted server is back within a second or two."""

LONGEST_REFUSED_WAIT_S: Final = 5.0
"""The same while the credentials are refused: many such clients of one address would use up its attempts."""

CONNECT_WITHIN_S: Final = 5.0
"""Seconds in which the first connection must succeed."""

DRAIN_WITHIN_S: Final = 2.0
"""Seconds that closing may take; llum as a whole stops within 5."""

PING_EVERY_S: Final = 5
"""Seconds between pings. Two unanswered ones mean that the connection is dead: a machine may have been lost."""

PENDING_BYTES: Final = 2 * MAX_PAYLOAD_BYTES
"""Bytes that may wait to be sent before a publisher waits; room for a largest message."""

_DENIED: Final = re.compile(r'permissions violation for publish to "([^"]*)"')
"""What nats-server says of a message that it does not take."""

log = get_logger("llum.bus")


class Bus:
    """One connection. `nc` is nats-py's, for what is not wrapped here."""

    def __init__(
        self, url: str, name: str, token: Token | None = None, password: Callable[[], str] | None = None
    ) -> None:
        self.url = url
        self.name = name
        self._password = password
        self._showing = None if token is None else Showing(token, self._renew)
        self._renewal: asyncio.Task[None] | None = None
        self._renews = False
        self.nc: Any = WireClient()
        self.inbox = Inbox(self)
        """For requests; open as soon as the connection stands."""
        self.joined = JoinedReads()
        """Reads that are shared by those who want the same at the same time."""
        self.on_disconnect: list[Callable[[], None]] = []
        self.on_reconnect: list[Callable[[], None]] = []
        """Called in order after each loss and each return of the connection; they must not block."""
        self.on_denied: list[Callable[[str], None]] = []
        """Called with the subject of what nats-server did not let us publish; they must not block."""
        self.on_refused: list[Callable[[], None]] = []
        """Called when the credentials were refused again and again after a loss; they must not block."""
        self._attempts = ConnectAttempts(None, self._refused)
        self._connected = asyncio.Event()
        self._attempt = 0
        self._lost_at = 0.0
        self._last_error: Exception | None = None

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        name: str,
        within_s: float = CONNECT_WITHIN_S,
        token: Token | None = None,
        undecided_after_s: float | None = None,
        inbox: str = "_INBOX",
        password: Callable[[], str] | None = None,
    ) -> "Bus":
        """Connect, trying again for `within_s` seconds. Raises `Transient` `unavailable` then.

        `url` names a server, or several with commas between them: whichever answers is taken, now and after a loss.
        `token` is shown instead of what the address holds; a function is asked for it at each attempt. It raises
        `not_authenticated` once the token was refused again and again, and `unavailable` after `undecided_after_s`
        seconds in which nobody has decided on it. `inbox` is where answers come to, unless the token says that.
        `password` is asked at each attempt for that of the user whom the address names.
        """
        bus = cls(url, name, token, password)
        bus._attempts = ConnectAttempts(undecided_after_s, bus._refused)
        connecting = asyncio.get_running_loop().create_task(bus._connect(inbox))
        hopeless = asyncio.get_running_loop().create_task(bus._attempts.hopeless.wait())
        try:
            waited = {connecting} if token is None else {connecting, hopeless}
            await asyncio.wait(waited, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hopeless.cancel()
            await end_task(connecting)
        await bus._started(connecting)
        return bus

    @property
    def server_info(self) -> dict[str, Any]:
        """What nats-server has said of itself: its version, its limits."""
        return dict(self.nc.server_info)

    @property
    def in_cluster(self) -> bool:
        """Whether nats-server is one of several, so that a replica may be a moment behind."""
        return bool(self.nc.server_info.get("cluster"))

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    @property
    def is_refused(self) -> bool:
        """Tell whether the connection is lost, and nats-server takes its credentials no more."""
        return self._attempts.is_refused

    async def wait_connected(self, timeout_s: float) -> bool:
        """Wait until the connection stands; False if it does not within the time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        except TimeoutError:
            return False
        return True

    async def publish(self, subject: str, data: bytes, reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Publish. Raises `Refusal` `too_large`, or `Transient` `unavailable` when nothing can be sent now."""
        try:
            await self.nc.publish(subject, data, reply, headers)
        except nats.errors.MaxPayloadError as error:
            limit = self.nc.max_payload
            raise Refusal(
                Code.TOO_LARGE, f"the message has {len(data)} bytes, the bus takes at most {limit}"
            ) from error
        except (nats.errors.Error, OSError) as error:
            raise Transient(Code.UNAVAILABLE, f"the bus takes no messages now: {error}") from error

    def publish_soon(self, subject: bytes, data: bytes, reply: bytes = b"", headers: bytes = b"") -> bool:
        """Publish without awaiting what is known to be well-formed. False when it cannot be sent now."""
        return bool(self.nc.publish_soon(subject, data, reply, headers))

    async def listen(self, subject: str, handler: OnMessage, queue: str = "") -> Listening:
        """Subscribe with a plain function `handler(subject, reply, headers, data)` that gets everything as bytes."""
        try:
            return await self.nc.listen(subject, handler, queue)  # type: ignore[no-any-return]
        except (nats.errors.Error, OSError) as error:
            raise Transient(Code.UNAVAILABLE, f"the bus takes no subscriptions now: {error}") from error

    def new_inbox(self) -> str:
        """Make a subject that only this connection receives on."""
        return str(self.nc.new_inbox())

    async def flush(self) -> None:
        """Wait until nats-server has taken all that was sent. Raises `Transient` when it does not answer."""
        try:
            await self.nc.flush()
        except (nats.errors.Error, OSError) as error:
            raise Transient(Code.UNAVAILABLE, f"the bus does not answer: {error}") from error

    @property
    def max_payload(self) -> int:
        """Bytes of the largest message that nats-server takes."""
        return int(self.nc.max_payload)

    async def close(self) -> None:
        """Send what waits, let subscriptions finish, and close. Never raises."""
        if self.nc.is_closed:
            return
        try:
            if self.connected:
                async with asyncio.timeout(DRAIN_WITHIN_S):
                    await self.nc.drain()
        except (TimeoutError, OSError, nats.errors.Error) as error:
            log.debug("bus.drain_cut_short", error=str(error))
        await self._abandon()

    async def _abandon(self) -> None:
        self._connected.clear()
        self._attempts.end()
        if self._showing:
            self._showing.end()
        try:
            async with asyncio.timeout(DRAIN_WITHIN_S):
                await self.nc.close()
        except (TimeoutError, OSError, nats.errors.Error) as error:
            log.debug("bus.close_failed", error=str(error))

    async def _started(self, connecting: "asyncio.Task[None]") -> None:
        error = None if connecting.cancelled() else connecting.exception()
        if not connecting.cancelled() and error is None:
            self._attempts.admitted()
            self._connected.set()
            return
        await self._abandon()
        if error is not None and not isinstance(error, LlumError | OSError | nats.errors.Error):
            raise error
        raise self._unreachable() from error

    async def _connect(self, inbox: str) -> None:
        login = addresses.login_in(self.url)
        if self._showing is not None:
            login, inbox = {"token": self._showing}, self._showing.inbox or inbox
        elif self._password is not None:
            login["password"] = self._password
        self.nc.on_credentials_shown = self._attempts.shown
        await self.nc.connect(
            servers=addresses.each(addresses.without_login(self.url)),
            **login,
            name=self.name,
            inbox_prefix=inbox,
            error_cb=self._failed,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            reconnect_to_server_handler=self._next_attempt,
            reconnect_time_wait=FIRST_WAIT_S,
            max_reconnect_attempts=-1,
            ping_interval=PING_EVERY_S,
            drain_timeout=DRAIN_WITHIN_S,
            pending_size=PENDING_BYTES,
        )
        await self.inbox.open()

    def _next_attempt(self, servers: list[Any], _info: dict[str, Any]) -> tuple[Any, float]:
        attempt = self._attempt
        self._attempt += 1
        longest_s = LONGEST_REFUSED_WAIT_S if self.is_refused else LONGEST_WAIT_S
        wait_s = min(longest_s, FIRST_WAIT_S * 2 ** min(attempt - 1, 10)) if attempt else 0.0
        return servers[attempt % len(servers)], wait_s

    def _renew(self) -> None:
        """Connect anew, with the next token."""
        log.info("bus.renews", connection=self.name)
        self._renews = True
        self._renewal = asyncio.get_running_loop().create_task(self.nc.force_reconnect())

    def _refused(self) -> None:
        log.warning("bus.refused", url=addresses.without_login(self.url), connection=self.name)
        _call_all(self.on_refused)

    async def _failed(self, error: Exception) -> None:
        self._last_error = error
        if not self.nc.is_connected:
            self._attempts.failed(error)
        denied = _DENIED.search(str(error))
        if denied and self.on_denied:
            for hook in self.on_denied:
                hook(denied[1])
            return
        if self.connected and not isinstance(error, OSError | nats.errors.UnexpectedEOF):
            log.warning("bus.error", error=str(error), connection=self.name)

    async def _disconnected(self) -> None:
        if not self.connected:
            return
        self._connected.clear()
        self._lost_at = time.monotonic()
        if not (self.nc.is_closed or self._renews):
            log.warning("bus.disconnected", url=addresses.without_login(self.url), connection=self.name)
        _call_all(self.on_disconnect)

    async def _reconnected(self) -> None:
        self._attempt = 0
        self._renews = False
        self._attempts.admitted()
        self._connected.set()
        log.info("bus.reconnected", connection=self.name, away_s=round(time.monotonic() - self._lost_at, 3))
        _call_all(self.on_reconnect)

    def _unreachable(self) -> Transient:
        if self._attempts.was_refused:
            return not_authenticated(
                f"nats-server at {addresses.without_login(self.url)} lets nobody in with this login"
            )
        if self._attempts.is_undecided:
            return Transient(
                Code.UNAVAILABLE,
                f"nobody has told nats-server at {addresses.without_login(self.url)} whether it may let this app in",
                "an edge or callout of llum decides that: see that one runs, and wait if many wrong tokens came from "
                "this address",
            )
        reason = f" ({self._last_error})" if self._last_error else ""
        return Transient(
            Code.UNAVAILABLE,
            f"no nats-server answers at {addresses.without_login(self.url)}{reason}",
            "see that llum is running, and that LLUM_NATS_URL, if it is set, names its nats-server",
        )


def not_authenticated(message: str) -> Transient:
    """Give the error of who is not let in: another token may be."""
    hint = "it is unknown, has expired or was revoked: sign in again, or get a new token"
    return Transient(Code.NOT_AUTHENTICATED, message, hint)


def _call_all(hooks: list[Callable[[], None]]) -> None:
    for hook in list(hooks):
        try:
            hook()
        except Exception:
            log.exception("bus.hook_failed")

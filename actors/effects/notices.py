"""Delivery of notices: each rule's in their order, at least once, again and again for a day.

Every subject on which notices wait has a lane: it delivers the oldest, takes it out of the queue, and goes on with
the next until none is left. A lane that fails waits as long as it has been trying, so its pauses double. What no
attempt can deliver, and what is still undelivered after a day, becomes a dead letter.

Rules come from apps, so a URL may lead anywhere: private addresses are refused where the socket is made, when every
name has been resolved and every spelling of an address read. Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
import structlog
from yarl import URL

from bus import notices
from bus.connection import Bus
from bus.notices import Waiting
from schemas.effects import Notice, NoticeBody
from schemas.errors import LlumError

log = structlog.get_logger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 3600.0
"""Seconds between attempts; as long as a notice has been tried, within these."""

GIVE_UP_S: Final = 24 * 3600.0
"""Seconds after which a notice that nobody has taken becomes a dead letter."""

ATTEMPT_S: Final = 10.0
"""Seconds that a receiver may take to answer, waiting for a connection included."""

MAX_CONNECTIONS: Final = 128
MAX_CONNECTIONS_PER_HOST: Final = 8
"""Connections at the same time: a slow receiver must not hold up those of others."""

BUS_PAUSE_S: Final = 1.0
"""Seconds before a lane goes on after a failure of the bus."""

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_USER_AGENT: Final = "llum"
_NO_ADDRESS: Final = "the URL is not an http or https address"


class Failure(NamedTuple):
    """Why an attempt has failed; `final`: no other attempt would succeed."""

    reason: str
    final: bool = False
    again_after_s: float = 0.0
    """As the receiver asked for."""


class PrivateAddressError(Exception):
    """The URL leads to an address that is not public."""


class _Lane:
    """The delivery of one subject's notices."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None]
        self.look_again = False
        """Something was put there after the lane has looked."""
        self.seq = 0
        """The notice that is being tried."""
        self.tried_since = 0.0


class Notifier:
    """Delivers the notices of a worker's partitions."""

    def __init__(
        self,
        bus: Bus,
        secret: bytes,
        allow_private: bool = False,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bus = bus
        self._secret = secret
        self._allow_private = allow_private
        self._clock = clock
        self._sleep = sleep
        self._lanes: dict[str, _Lane] = {}
        self._session: aiohttp.ClientSession | None = None

    async def run(self, partitions: Iterable[int]) -> None:
        """Deliver what waits and what comes, until cancelled."""
        numbers = list(partitions)
        self._session = _session(self._allow_private)
        try:
            await self._start_lanes(numbers)
            await asyncio.Event().wait()
        finally:
            await self._end_lanes()
            await self._session.close()

    def wake(self, subject: str) -> None:
        """Say that something waits on a subject."""
        lane = self._lanes.get(subject)
        if lane is not None:
            lane.look_again = True
        elif self._session is not None:
            lane = self._lanes[subject] = _Lane()
            lane.task = asyncio.create_task(self._deliver_all(subject, lane))

    async def _start_lanes(self, partitions: list[int]) -> None:
        while True:
            try:
                subjects = await notices.waiting_subjects(self._bus, partitions)
            except LlumError as error:
                log.warning("notices_wait", error=str(error), retry_s=BUS_PAUSE_S)
                await self._sleep(BUS_PAUSE_S)
            else:
                for subject in subjects:
                    self.wake(subject)
                return

    async def _end_lanes(self) -> None:
        tasks = [lane.task for lane in self._lanes.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver_all(self, subject: str, lane: _Lane) -> None:
        while True:
            lane.look_again = False
            try:
                pause_s = await self._deliver_first(subject, lane)
            except LlumError as error:
                log.warning("notice_waits", subject=subject, error=str(error), retry_s=BUS_PAUSE_S)
                pause_s = BUS_PAUSE_S
            if pause_s is None and not lane.look_again:
                del self._lanes[subject]
                return
            if pause_s:
                await self._sleep(pause_s)

    async def _deliver_first(self, subject: str, lane: _Lane) -> float | None:
        """Deal with the notice that is due; give the seconds until the next attempt, or None when nothing waits."""
        waiting = await notices.first_waiting(self._bus, subject)
        if waiting is None:
            return None
        if lane.seq != waiting.seq:
            lane.seq, lane.tried_since = waiting.seq, self._clock()
        failure = await self._attempt(waiting.notice)
        if failure is None:
            await notices.settle(self._bus, waiting)
            return 0.0
        now = self._clock()
        if failure.final or now - waiting.since >= GIVE_UP_S:
            await self._give_up(waiting, failure.reason)
            return 0.0
        return min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, now - lane.tried_since, failure.again_after_s))

    async def _give_up(self, waiting: Waiting, reason: str) -> None:
        notice = waiting.notice
        log.warning("notice_given_up", user=notice.user, app=notice.app, rule=notice.rule, seq=notice.seq)
        await notices.bury(self._bus, notice, reason, f"queue.{waiting.seq}")
        await notices.settle(self._bus, waiting)

    async def _attempt(self, notice: Notice) -> Failure | None:
        started = time.perf_counter()
        failure = await self._send(notice)
        log.info(
            "notice",
            user=notice.user,
            app=notice.app,
            rule=notice.rule,
            seq=notice.seq,
            outcome="delivered" if failure is None else failure.reason,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        return failure

    async def _send(self, notice: Notice) -> Failure | None:
        url = _checked_url(notice.url)
        if url is None:
            return Failure(_NO_ADDRESS, final=True)
        assert self._session is not None, "lanes run while the notifier runs"
        body = body_of(notice)
        try:
            async with self._session.request(
                notice.method, url, data=body, headers=self._headers(notice, url, body), allow_redirects=False
            ) as response:
                return _judged(response)
        except PrivateAddressError as error:
            return Failure(str(error), final=True)
        except aiohttp.InvalidURL:
            return Failure(_NO_ADDRESS, final=True)
        except TimeoutError:
            return Failure(f"no answer within {ATTEMPT_S:g} s")
        except Exception as error:  # noqa: BLE001 - whatever a stranger's URL or server brings about
            return Failure(f"{type(error).__name__}: {error}"[:500])

    def _headers(self, notice: Notice, url: URL, body: bytes | None) -> dict[str, str]:
        key = notices.signing_key(self._secret, notice.app)
        headers = {
            "User-Agent": _USER_AGENT,
            "Llum-Id": notice.id,
            "Llum-Signature": notices.signature(key, str(url).encode() if body is None else body),
        }
        return headers if body is None else {**headers, "Content-Type": "application/json"}


def body_of(notice: Notice) -> bytes | None:
    """Give the bytes that a POST carries, the same at every attempt; None for a GET."""
    if notice.method == "GET":
        return None
    fields = {name: getattr(notice, name) for name in NoticeBody.__struct_fields__}
    return msgspec.json.encode(NoticeBody(**fields))


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet, also when it is wrapped into an IPv6 address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = (
            ip.ipv4_mapped or ip.sixtofour or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        )
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _session(allow_private: bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=MAX_CONNECTIONS,
        limit_per_host=MAX_CONNECTIONS_PER_HOST,
        # Each connection is made, and so each address checked, anew.
        force_close=True,
        use_dns_cache=False,
        happy_eyeballs_delay=None,
        socket_factory=None if allow_private else _public_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=ATTEMPT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


def _public_socket(info: Any) -> socket.socket:
    """Make the socket for an address that is about to be connected to, if it is a public one."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddressError("the URL leads to a private address")
    return socket.socket(family=family, type=kind, proto=protocol)


def _checked_url(text: str) -> URL | None:
    try:
        url = URL(text)
        return url.with_fragment(None) if url.scheme in ("http", "https") and url.host else None
    except ValueError:
        return None


def _judged(response: aiohttp.ClientResponse) -> Failure | None:
    if 200 <= response.status < 300:
        return None
    reason = f"the receiver answered {response.status}"
    if 300 <= response.status < 400:
        return Failure(f"{reason}: redirects are not followed", final=True)
    after = response.headers.get("Retry-After", "")
    return Failure(
        reason, again_after_s=float(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0.0
    )

"""The connections of apps, as nats-server tells of them, and their ends.

Each has a name that says as what it was admitted. So any callout can end those that any callout has let in, also
after a restart.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from bus.accounts import APPS
from bus.connection import Bus
from bus.logger import get_logger

LISTED_WITHIN_S: Final = 2.0
"""Seconds for nats-server to list its connections, or to end one."""

PAGE: Final = 1024
"""Connections that nats-server lists at a time."""

log = get_logger("llum.callout")


class Identity(NamedTuple):
    """As what a connection was admitted."""

    user: str
    app: str
    credential: str
    registration: int
    rights: str

    @property
    def name(self) -> str:
        return "/".join(map(str, self))


class _Server(msgspec.Struct):
    id: str


class _Client(msgspec.Struct):
    id: int
    user: str = ""


class _Event(msgspec.Struct):
    server: _Server
    client: _Client


class _Listed(msgspec.Struct):
    cid: int
    authorized_user: str = ""


class _Page(msgspec.Struct):
    connections: list[_Listed] = []
    total: int = 0


class _Answer(msgspec.Struct):
    server: _Server
    data: _Page


ConnectionPlace = tuple[str, int]
"""Server and connection number."""

_events: Final = msgspec.json.Decoder(_Event)
_answers: Final = msgspec.json.Decoder(_Answer)


class Connections:
    """Knows the connections of the account APPS from `open` to `close`. `bus` is connected as `system`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._of: dict[tuple[str, str], dict[ConnectionPlace, Identity]] = {}
        self.on_new: Callable[[Identity], None] = lambda _: None
        """Called with each that comes to be known. It must not block."""
        self.on_begin = bus.on_reconnect
        """Called when some may have come or gone unnoticed: `list` is due."""

    async def open(self) -> None:
        """Listen to what nats-server tells of connections. Those that are there already are for `list`.

        Raises `Transient`.
        """
        self._comes = await self._bus.listen(f"$SYS.ACCOUNT.{APPS}.CONNECT", self._on_connect)
        self._goes = await self._bus.listen(f"$SYS.ACCOUNT.{APPS}.DISCONNECT", self._on_disconnect)
        await self._bus.flush()

    async def close(self) -> None:
        await self._comes.stop()
        await self._goes.stop()

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def whose(self) -> list[tuple[str, str]]:
        """Tell which apps of which persons are connected."""
        return list(self._of)

    def of(self, user: str, app: str) -> list[Identity]:
        """Tell as what an app of a person is connected, once for each connection."""
        return list(self._of.get((user, app), {}).values())

    async def end(self, user: str, app: str, but: Identity | None = None, credential: str | None = None) -> None:
        """End the connections of an app of a person.

        Those that were admitted with what `but` says, whatever their credential, go on. With `credential` only those
        of it end. Raises `Transient`.
        """
        there = self._of.get((user, app), {})
        ended = [place for place, one in there.items() if _is_meant(one, but, credential)]
        await asyncio.gather(*(self._kick(user, app, place) for place in ended))

    async def list(self) -> None:
        """Take in what each server lists, in place of all that was known. Raises `Transient`."""
        self._of.clear()
        servers = await self._servers()
        for server in servers:
            await self._list(server)

    async def _kick(self, user: str, app: str, place: ConnectionPlace) -> None:
        where = f"$SYS.REQ.SERVER.{place[0]}.KICK"
        answer = await self._bus.inbox.request(where, b'{"cid":%d}' % place[1], LISTED_WITHIN_S)
        if answer.no_responders:
            self._remove(user, app, place)  # the server is gone, and all its connections with it
            return
        log.info("connection_ended", user=user, app=app, connection=place[1])

    async def _servers(self) -> set[str]:
        """Name the servers: in a cluster each answers for itself, so their answers are waited for."""
        if not self._bus.server_info.get("cluster"):
            return {str(self._bus.server_info["server_id"])}
        found: set[str] = set()
        inbox = self._bus.inbox
        token = inbox.expect(lambda _headers, data: found.add(_answers.decode(data).server.id))
        try:
            await self._bus.publish("$SYS.REQ.SERVER.PING.CONNZ", b'{"limit":1}', inbox.subject(token))
            await asyncio.sleep(LISTED_WITHIN_S)
        finally:
            inbox.dismiss(token)
        return found

    async def _list(self, server: str) -> None:
        offset = 0
        while True:
            asked = msgspec.json.encode({"auth": True, "acc": APPS, "limit": PAGE, "offset": offset})
            answer = await self._bus.inbox.request(f"$SYS.REQ.SERVER.{server}.CONNZ", asked, LISTED_WITHIN_S)
            if answer.no_responders:
                return
            page = _answers.decode(answer.data)
            for one in page.data.connections:
                self._add((server, one.cid), one.authorized_user)
            offset += PAGE
            if offset >= page.data.total:
                return

    def _on_connect(self, _subject: bytes, _reply: bytes, _headers: bytes, data: bytes) -> None:
        for event in _read(data):
            self._add((event.server.id, event.client.id), event.client.user)

    def _on_disconnect(self, _subject: bytes, _reply: bytes, _headers: bytes, data: bytes) -> None:
        for event in _read(data):
            identity = _identity(event.client.user)
            if identity is not None:
                self._remove(identity.user, identity.app, (event.server.id, event.client.id))

    def _add(self, place: ConnectionPlace, name: str) -> None:
        identity = _identity(name)
        if identity is not None:
            self._of.setdefault((identity.user, identity.app), {})[place] = identity
            self.on_new(identity)

    def _remove(self, user: str, app: str, place: ConnectionPlace) -> None:
        there = self._of.get((user, app), {})
        there.pop(place, None)
        if not there:
            self._of.pop((user, app), None)


def _is_meant(one: Identity, but: Identity | None, credential: str | None) -> bool:
    if credential is not None and one.credential != credential:
        return False
    return but is None or (one.registration, one.rights) != (but.registration, but.rights)


def _read(data: bytes) -> Iterator[_Event]:
    try:
        yield _events.decode(data)
    except msgspec.DecodeError as error:
        log.warning("connection_event_unreadable", error=str(error))


def _identity(name: str) -> Identity | None:
    parts = name.split("/")
    if len(parts) != len(Identity._fields) or not parts[3].isdigit():
        return None
    return Identity(parts[0], parts[1], parts[2], int(parts[3]), parts[4])

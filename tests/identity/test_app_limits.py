"""What nats-server itself keeps apps to: how many connections, subscriptions and bytes, and which listeners."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bus.accounts import AppLimits
from bus.connection import Bus
from bus.credentials import FILE
from bus.embedded import EmbeddedServer
from identity.callout.claims import ConnectRequest, Subjects
from identity.callout.deciding import Admitting
from identity.callout.keys import CalloutKeys
from identity.callout.service import Admitted, Callout, Decide
from identity.inboxes import Inboxes
from tests.nats_server import running_server
from tests.ports import free_ports
from tests.raw_nats import raw

LIMITS = AppLimits(connections=2, subscriptions=3, payload=4096)
CONNACK_REFUSED = b"\x20\x02\x00\x05"


class WithListeners(EmbeddedServer):
    """Whose operator has opened MQTT and WebSocket."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.mqtt, self.websocket = free_ports(2)

    def configuration(self) -> str:
        mqtt = f'mqtt {{ listen: "127.0.0.1:{self.mqtt}" }}'
        websocket = f'websocket {{ listen: "127.0.0.1:{self.websocket}", no_tls: true }}'
        text = super().configuration().replace('"APPS": {', '"APPS": {"jetstream": "enabled",')
        return f"{text}\n{mqtt}\n{websocket}\n"


@asynccontextmanager
async def answered(server: EmbeddedServer, decide: Decide) -> AsyncIterator[str]:
    """Run the server with a callout that decides so; give its address."""
    async with running_server(server._data, server=server), AsyncExitStack() as stack:
        bus = await Bus.connect(server.url_as("auth"), name="callout")
        stack.push_async_callback(bus.close)
        callout = Callout(bus, CalloutKeys(server._data / FILE), decide)
        await callout.open()
        stack.push_async_callback(callout.close)
        yield server.url


async def anybody(_request: ConnectRequest) -> Admitted:
    allowed = Subjects(("llum.cmd.alice.lamp.tell",), ("_INBOX_APP.a.b.>",))
    return Admitted("alice/lamp/a/1/tell", allowed, time.time() + 600)


async def test_apps_have_so_many_connections(tmp_path: Path) -> None:
    """One more is told why it is not let in; llum's own are not counted."""
    server = EmbeddedServer(tmp_path, limits=LIMITS)
    async with answered(server, anybody) as url, raw(url, auth_token="a"), raw(url, auth_token="b"):
        with pytest.raises(EOFError, match="maximum account active connections exceeded"):
            async with raw(url, auth_token="c"):
                pass
        async with raw(server.url_as("worker")):
            pass


async def test_a_connection_has_so_many_subscriptions(tmp_path: Path) -> None:
    """Each counts for itself."""
    async with (
        answered(EmbeddedServer(tmp_path, limits=LIMITS), anybody) as url,
        raw(url, auth_token="a") as one,
        raw(url, auth_token="b") as other,
    ):
        for number in range(3):
            assert await one.subscribe("_INBOX_APP.a.b.x", number + 1) == []
        assert await other.subscribe("_INBOX_APP.a.b.x") == []
        assert await one.subscribe("_INBOX_APP.a.b.x", 4) == ["maximum subscriptions exceeded"]
        assert await other.subscribe("_INBOX_APP.a.b.x", 2) == []


async def test_a_message_of_an_app_has_so_many_bytes(tmp_path: Path) -> None:
    """A larger one ends its connection; llum's own say more."""
    server = EmbeddedServer(tmp_path, limits=LIMITS)
    async with answered(server, anybody) as url, raw(url, auth_token="a") as client:
        await client.publish("llum.cmd.alice.lamp.tell", bytes(4096))
        with pytest.raises(EOFError):
            await client.publish("llum.cmd.alice.lamp.tell", bytes(4097))
        async with raw(server.url_as("worker")) as own:
            assert await own.publish("anything", bytes(5000)) == []


async def test_mqtt_and_websocket_are_closed_unless_the_operator_opens_them(tmp_path: Path) -> None:
    """llum's own nats-server has no such listener."""
    text = EmbeddedServer(tmp_path).configuration()
    assert not re.search(r"^\W*(mqtt|websocket)\b", text, re.MULTILINE)


async def test_who_comes_by_mqtt_or_websocket_is_not_let_in(tmp_path: Path) -> None:
    """Where an operator has opened listeners for something else, say."""
    nobody: Any = None
    server = WithListeners(tmp_path)
    async with answered(server, Admitting(nobody, nobody, Inboxes(b"key")).decide):
        assert await by_mqtt(server.mqtt, "alice-lamp", "token") == CONNACK_REFUSED
        assert "Authorization Violation" in await by_websocket(server.websocket, "token")


async def by_mqtt(port: int, client_id: str, password: str) -> bytes:
    """Connect, and give what the server acknowledges."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    texts = b"".join(len(text).to_bytes(2, "big") + text.encode() for text in (client_id, "any", password))
    content = b"\x00\x04MQTT\x04\xc2\x00\x3c" + texts
    writer.write(b"\x10" + bytes([len(content)]) + content)
    answer = await reader.read(4)
    writer.close()
    return answer


async def by_websocket(port: int, token: str) -> str:
    """Connect, and give all that the server says."""
    said = ""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://127.0.0.1:{port}") as socket:
        await socket.send_bytes(f'CONNECT {{"verbose":false,"auth_token":"{token}"}}\r\nPING\r\n'.encode())
        async for message in socket:
            said += message.data.decode()
    return said

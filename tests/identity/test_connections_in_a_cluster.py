"""Two nats-servers that are one: a callout at one of them sees and ends connections at the other."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bus.connection import Bus
from bus.credentials import FILE, ensure
from bus.embedded import EmbeddedServer
from identity.callout.connections import Connections, Identity
from identity.callout.keys import CalloutKeys
from identity.callout.service import Callout
from tests.identity.test_app_limits import anybody
from tests.nats_server import running_server
from tests.ports import free_ports
from tests.raw_nats import raw
from tests.waiting import eventually, until


class Member(EmbeddedServer):
    """One of them. They keep no streams: those of two servers would wait for a third."""

    def __init__(self, data_dir: Path, own_port: int, other_port: int) -> None:
        super().__init__(data_dir)
        self._ports = own_port, other_port

    def configuration(self) -> str:
        start, _, rest = super().configuration().partition("jetstream {")
        text = start + rest.partition("}\n")[2].replace('"jetstream": "enabled",', "")
        own, other = self._ports
        routes = f'cluster {{ name: c, listen: "127.0.0.1:{own}", routes: ["nats://127.0.0.1:{other}"] }}'
        return f"{text.replace('llum-embedded', f'member-{own}')}\n{routes}\n"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[EmbeddedServer, EmbeddedServer]]:
    """Both have the same configuration, but for their names and places."""
    ports = free_ports(2)
    here, there = Member(tmp_path / "here", *ports), Member(tmp_path / "there", *ports[::-1])
    ensure(tmp_path / "here")
    (tmp_path / "there").mkdir(mode=0o700)
    shutil.copy(tmp_path / "here" / FILE, tmp_path / "there" / FILE)
    async with running_server(tmp_path, server=here), running_server(tmp_path, server=there):
        yield here, there


async def test_a_callout_at_one_server_lets_in_sees_and_ends_connections_at_the_other(
    two: tuple[EmbeddedServer, EmbeddedServer],
) -> None:
    """Those that were there before it looked, and those that come."""
    here, there = two
    async with AsyncExitStack() as stack:
        auth = await Bus.connect(here.url_as("auth"), name="auth")
        stack.push_async_callback(auth.close)
        callout = Callout(auth, CalloutKeys(here._data / FILE), anybody)
        await callout.open()
        stack.push_async_callback(callout.close)

        async def lets_in() -> bool:
            try:
                before = await stack.enter_async_context(raw(there.url, auth_token="a"))
            except EOFError:
                return False  # the two have not found each other yet
            early.append(before)
            return True

        early: list[object] = []
        await eventually(lets_in, "the other server asks the callout")
        system = await Bus.connect(here.url_as("system"), name="system")
        stack.push_async_callback(system.close)
        connections = Connections(system)
        await connections.open()
        stack.push_async_callback(connections.close)
        await connections.list()
        late = await stack.enter_async_context(raw(there.url, auth_token="b"))
        await until(lambda: len(connections) == 2, "both are known")
        assert connections.of("alice", "lamp") == [Identity("alice", "lamp", "a", 1, "tell")] * 2
        await connections.end("alice", "lamp")
        await until(lambda: len(connections) == 0, "both have ended")
        with pytest.raises(EOFError):
            await late.send()

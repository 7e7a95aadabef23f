"""The connection: made within a bound, mended for ever."""

import socket

import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from schemas.errors import Code, Refusal, Transient
from tests.bus.conftest import Connect
from tests.nats_server import kill_and_restart
from tests.waiting import until


async def test_a_server_that_is_not_there_is_reported_with_what_to_do() -> None:
    """The first connection is bounded, and its failure says the address but not the password."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Transient) as caught:
            await Bus.connect(f"nats://me:secret@127.0.0.1:{port}", name="test", within_s=0.3)
    assert caught.value.code == Code.UNAVAILABLE
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "LLUM_NATS_URL" in (caught.value.error.hint or "")
    assert "secret" not in str(caught.value)


async def test_a_killed_server_is_connected_to_again_when_it_is_back(server: EmbeddedServer, bus: Bus) -> None:
    """Hooks hear of both, and subscriptions are there again."""
    heard: list[str] = []
    got: list[bytes] = []
    bus.on_disconnect.append(lambda: heard.append("lost"))
    bus.on_reconnect.append(lambda: heard.append("back"))
    await bus.listen("here", lambda _subject, _reply, _headers, data: got.append(data))
    await kill_and_restart(server)
    await until(lambda: heard == ["lost", "back"], "both hooks")
    assert await bus.wait_connected(1)
    await bus.publish("here", b"again")
    await until(lambda: got == [b"again"], "the message")


async def test_a_hook_that_raises_does_not_keep_others_from_hearing(server: EmbeddedServer, bus: Bus) -> None:
    """The connection comes back all the same."""
    heard: list[str] = []

    def broken() -> None:
        raise RuntimeError("on purpose")

    bus.on_reconnect.extend([broken, lambda: heard.append("back")])
    await kill_and_restart(server)
    await until(lambda: heard == ["back"], "the second hook")


async def test_an_error_after_which_the_server_hangs_up_is_not_the_end(server: EmbeddedServer, bus: Bus) -> None:
    """nats-py alone would close for good."""
    back: list[None] = []
    bus.on_reconnect.append(lambda: back.append(None))
    await bus.nc._process_err("'maximum connections exceeded'")
    await until(lambda: bool(back), "the new connection")
    await bus.nc.flush()
    assert not bus.nc.is_closed


async def test_a_message_over_the_limit_is_refused_here(bus: Bus) -> None:
    """It does not reach the server, which would hang up."""
    with pytest.raises(Refusal) as caught:
        await bus.publish("here", b"x" * (bus.nc.max_payload + 1))
    assert caught.value.code == Code.TOO_LARGE
    await bus.nc.flush()


async def test_closing_delivers_what_was_published(connect: Connect, bus: Bus) -> None:
    """And closing twice, or with the server gone, raises nothing."""
    got: list[bytes] = []
    await bus.listen("here", lambda _subject, _reply, _headers, data: got.append(data))
    await bus.nc.flush()
    other = await connect()
    for _ in range(100):
        await other.publish("here", b"x")
    await other.close()
    await other.close()
    assert other.nc.is_closed
    await until(lambda: len(got) == 100, "what was published")


@pytest.mark.parametrize("attempt", range(5))
async def test_closing_while_the_server_is_away_is_for_good(server: EmbeddedServer, bus: Bus, attempt: int) -> None:
    """Whatever an attempt to connect is doing then. And publishing to a closed connection is a transient error."""
    server.kill()
    await server.wait()
    await until(lambda: not bus.connected, "the loss")
    await bus.close()
    assert bus.nc.is_closed
    assert bus.nc._reconnection_task.done()
    with pytest.raises(Transient):
        await bus.publish("here", b"x")

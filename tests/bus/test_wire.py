"""What strangers put on the wire must not stop a connection. Each message here is accepted by nats-server."""

import asyncio

import msgspec
import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.log import LogMessage, LogReader
from bus.streams import FIRST_SEQUENCE
from bus.subjects import partition_of
from bus.wire import Parser
from tests.waiting import until


def publish_line(subject: bytes, data: bytes, headers: bytes = b"") -> bytes:
    if headers:
        return b"HPUB %b %d %d\r\n%b%b\r\n" % (subject, len(headers), len(headers) + len(data), headers, data)
    return b"PUB %b %d\r\n%b\r\n" % (subject, len(data), data)


async def send_raw(server: EmbeddedServer, *lines: bytes) -> None:
    """Publish as a client that keeps to no rules, and see that the server has taken it all.

    It waits until it is let in: nats-server maps no subject of what comes together with the login.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    login = {"user": "worker", "pass": server.credentials.passwords["worker"]}
    options = msgspec.json.encode({"verbose": False, "headers": True, **login})
    for sent in (b"CONNECT %b\r\n" % options, b"".join(lines)):
        writer.write(sent + b"PING\r\n")
        while await reader.readline() != b"PONG\r\n":
            assert not reader.at_eof(), "the server refused"
    writer.close()


POISON = {
    "not UTF-8": publish_line(b"llum.cmd.\xff\xfe.x.tell", b"hi"),
    "vertical tab": publish_line(b"llum.cmd.a\x0bb.x.tell", b"hi"),
    "form feed": publish_line(b"llum.cmd.a\x0cb.x.tell", b"hi"),
    "NUL": publish_line(b"llum.cmd.a\x00b.x.tell", b"hi"),
    "very long subject": publish_line(b"llum.cmd." + b"a" * 3900 + b".x.tell", b"hi"),
    "status that is no number": publish_line(b"llum.cmd.a.x.tell", b"hi", b"NATS/1.0 \xff\xff\xff\r\n\r\n"),
    "status like the server's": publish_line(b"llum.cmd.a.x.tell", b"", b"NATS/1.0 404 No Messages\r\n\r\n"),
    "status of a deleted consumer": publish_line(b"llum.cmd.a.x.tell", b"", b"NATS/1.0 409 Consumer Deleted\r\n\r\n"),
    "header without a line": publish_line(b"llum.cmd.a.x.tell", b"hi", b"NATS/1.0"),
    "header that is none": publish_line(b"llum.cmd.a.x.tell", b"hi", b"JUNK"),
    "data that looks like protocol": publish_line(b"llum.cmd.a.x.tell", b"\r\nMSG a 1 5\r\nhello\r\n-ERR 'x'\r\n"),
}


@pytest.mark.parametrize("name", POISON)
async def test_a_poisoned_command_is_read_and_passed_over(server: EmbeddedServer, bus: Bus, name: str) -> None:
    """The reader delivers what the server stored, and what comes behind it, without losing its connection."""
    lost: list[None] = []
    bus.on_disconnect.append(lambda: lost.append(None))
    got: list[LogMessage] = []
    reading = asyncio.create_task(LogReader(bus, dict.fromkeys(range(64), 1), got.extend, lambda: 1000).run())
    await send_raw(server, POISON[name], publish_line(b"llum.cmd.alice.x.tell", b"next"))
    await until(lambda: len(got) == 2, "both messages")
    reading.cancel()
    assert [message.seq for message in got] == [FIRST_SEQUENCE, FIRST_SEQUENCE + 1]
    assert got[1].data == b"next"
    assert not lost


@pytest.mark.parametrize("name", POISON)
async def test_a_poisoned_ask_does_not_end_other_subscriptions(server: EmbeddedServer, bus: Bus, name: str) -> None:
    """A subscription made through nats-py itself also outlives it."""
    got: list[bytes] = []

    async def on_ask(message: object) -> None:
        got.append(message.data)  # type: ignore[attr-defined]

    await bus.nc.subscribe("llum.query.>", cb=on_ask)
    await bus.nc.flush()
    poison = POISON[name].replace(b"llum.cmd.", b"llum.ask.")
    await send_raw(server, poison, publish_line(b"llum.ask.alice.x.ping", b"next"))
    await until(lambda: b"next" in got, "the ask behind the poison")
    assert bus.connected


async def test_a_command_past_the_mapping_with_a_foreign_partition_is_not_delivered(
    server: EmbeddedServer, bus: Bus
) -> None:
    """Whoever receives may rely on the subject naming one of its partitions."""
    got: list[LogMessage] = []
    reading = asyncio.create_task(LogReader(bus, dict.fromkeys(range(64), 1), got.extend, lambda: 1000).run())
    foreign = [publish_line(b"llum.log.%b.a.x.tell" % partition, b"") for partition in (b"64", b"xx", b"-1", b"007")]
    await send_raw(server, *foreign, publish_line(b"llum.cmd.alice.x.tell", b"next"))
    await until(lambda: bool(got), "the message that counts")
    reading.cancel()
    assert [message.subject for message in got] == [f"llum.log.{partition_of('alice', 64)}.alice.x.tell"]


class FakeClient:
    """What the parser needs of a client."""

    is_reconnecting = False

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    async def receive(self, *message: object, sid: int) -> None:
        self.calls.append((sid, *message))

    async def _process_ping(self) -> None:
        self.calls.append(("PING",))

    async def _process_err(self, text: str) -> None:
        self.calls.append(("ERR", text))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_messages_are_the_same_however_the_stream_is_cut(size: int) -> None:
    """Law: parsing does not depend on where reads end."""
    stream = (
        b"MSG a.b 7 2\r\nhi\r\nPING\r\nMSG a.b 7 in.box 0\r\n\r\nHMSG c 8 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"
        b"-ERR 'Oh No'\r\nHMSG c 8 in.box 12 12\r\nNATS/1.0\r\n\r\n\r\n"
    )
    client = FakeClient()
    parser = Parser(client)  # type: ignore[arg-type]
    for at in range(0, len(stream), size):
        await parser.parse(stream[at : at + size])
    head = b"NATS/1.0\r\n\r\n"
    assert client.calls == [
        (7, b"a.b", b"", b"", b"hi"),
        ("PING",),
        (7, b"a.b", b"in.box", b"", b""),
        (8, b"c", b"", head, b"hi"),
        ("ERR", "'oh no'"),
        (8, b"c", b"in.box", head, b""),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_messages_with_a_handler_are_taken_as_they_arrive(size: int) -> None:
    """Those behind one that must be waited for keep their place."""
    stream = b"".join(
        (
            b"MSG a 7 1\r\n1\r\n",
            b"MSG b 8 1\r\n2\r\n",
            b"PING\r\n",
            b"HMSG a 7 12 13\r\nNATS/1.0\r\n\r\n3\r\n",
            b"MSG a 7 1\r\n4\r\n",
        )
    )
    client = FakeClient()
    parser = Parser(client)  # type: ignore[arg-type]
    parser.handlers[b"7"] = lambda *message: client.calls.append((7, *message))
    for at in range(0, len(stream), size):
        rest = parser.take(stream[at : at + size])
        if rest:
            await parser.parse(rest)
    assert client.calls == [
        (7, b"a", b"", b"", b"1"),
        (8, b"b", b"", b"", b"2"),
        ("PING",),
        (7, b"a", b"", b"NATS/1.0\r\n\r\n", b"3"),
        (7, b"a", b"", b"", b"4"),
    ]


async def test_what_has_a_handler_does_not_overtake_what_has_none(bus: Bus) -> None:
    """A message of nats-py's own waits for its task; what arrives meanwhile comes after it."""
    got: list[bytes] = []

    async def slowly(message: object) -> None:
        got.append(message.data)  # type: ignore[attr-defined]

    await bus.nc.subscribe("slow", cb=slowly)
    await bus.listen("quick", lambda _subject, _reply, _headers, data: got.append(data))
    numbers = [b"%d" % number for number in range(300)]
    for number in numbers:
        await bus.publish("slow" if int(number) % 7 == 0 else "quick", number)
    await until(lambda: len(got) == len(numbers), "all messages")
    assert [one for one in got if int(one) % 7] == [one for one in numbers if int(one) % 7]
    assert [one for one in got if int(one) % 7 == 0] == [one for one in numbers if int(one) % 7 == 0]


async def test_a_message_of_the_largest_size_arrives_whole(bus: Bus) -> None:
    """8 MB come in hundreds of pieces and are put together once."""
    got: list[bytes] = []
    await bus.listen("big", lambda _subject, _reply, _headers, data: got.append(data))
    data = bytes(range(256)) * (32 * 1024)
    await bus.publish("big", data)
    await until(lambda: bool(got), "the message")
    assert got == [data]


async def test_a_handler_that_raises_does_not_stop_the_next_message(bus: Bus) -> None:
    """The fault is logged; the connection goes on."""
    got: list[bytes] = []

    def handler(_subject: bytes, _reply: bytes, _headers: bytes, data: bytes) -> None:
        got.append(data)
        raise RuntimeError("on purpose")

    await bus.listen("here", handler)
    await bus.publish("here", b"1")
    await bus.publish("here", b"2")
    await until(lambda: len(got) == 2, "both messages")


async def test_nothing_arrives_after_listening_has_stopped(bus: Bus) -> None:
    """Stopping twice is harmless."""
    got: list[bytes] = []
    listening = await bus.listen("here", lambda _subject, _reply, _headers, data: got.append(data))
    await listening.stop()
    await listening.stop()
    await bus.publish("here", b"1")
    await bus.nc.flush()
    assert got == []


async def test_a_handler_may_publish_at_once(bus: Bus) -> None:
    """An answer need not wait for a task of its own."""
    got: list[bytes] = []
    await bus.listen("answers", lambda _subject, _reply, _headers, data: got.append(data))
    await bus.listen("questions", lambda _subject, reply, _headers, data: _answer(bus, reply, data))
    for number in range(100):
        await bus.publish("questions", b"%d" % number, "answers")
    await until(lambda: len(got) == 100, "the answers")
    assert got == [b"%d" % number for number in range(100)]


async def test_an_answer_leaves_before_all_else_that_the_loop_has_to_do(bus: Bus) -> None:
    """Lines for the log, say: whoever asks waits for nothing but the answer."""
    waiting: list[int] = []

    def handler(_subject: bytes, reply: bytes, _headers: bytes, data: bytes) -> None:
        asyncio.get_running_loop().call_soon(lambda: waiting.append(bus.nc.pending_data_size))
        _answer(bus, reply, data)

    await bus.listen("questions", handler)
    await bus.nc.request("questions", b"?", timeout=5)
    await until(lambda: waiting != [], "the rest of the turn")
    assert waiting == [0]


def _answer(bus: Bus, reply: bytes, data: bytes) -> None:
    assert bus.nc.publish_soon(reply, data)

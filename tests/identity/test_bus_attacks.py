"""What an app may try on the bus to reach what is not its own. A real nats-server, and a client that keeps to no rules.

The app `lamp` of Alice has a good token. It tries to reach Bob, who has an app of the same name, and llum itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bus.jetstream import JetStream
from bus.subjects import (
    DEFAULT_LOG_STREAMS,
    REPLY_TO_HEADER,
    inbox_of_token,
    log_stream_of,
    log_subjects_of_user,
    partition_of,
)
from schemas.codec import encode
from schemas.commands import Tell
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from tests.actors.serving import PARTITIONS
from tests.identity.callout_ground import Ground, ground
from tests.raw_nats import Raw, raw

OWN = "llum.cmd.alice.lamp.tell"
ASK = "llum.ask.alice.lamp.ask"
TELL = encode(Tell(id="a", context=["c"], component="x", evidence=NewEvidence(value=1)))
QUERY = encode(Ask(context=["c"], view=["x"]))

SUBJECTS = [
    "llum.cmd.bob.lamp.tell", "llum.cmd.bob.llum.tell", "llum.cmd.alice.llum.tell", "llum.cmd.alice.lamp.make_model",
    "llum.cmd.alice.lamp.*", "llum.cmd.alice.lamp.>", "llum.cmd.alice.*.tell", "llum.cmd.*.lamp.tell", "llum.cmd.>",
    "llum.ask.bob.lamp.ask", "llum.ask.alice.lamp.>", "llum.ask.alice.lamp.asked", "*", ">", "llum", "llum.>",
    "llum.cmd.alice.lamp.tell.more", "llum.cmd.alice.lamp", "LLUM.CMD.ALICE.LAMP.TELL",
    "llum.log.0.bob.llum.tell", "llum.query.0.bob.llum.ask", "llum.accept.0", "llum.effect.0.notify.bob.a",
    "llum.registration.bob.lamp", "llum.rejected.bob.lamp", "llum.sched.0.bob.a", "llum.fired.0.bob.a",
    "llum.audit.bob", "llum.dead.bob.a",
    "$JS.API.STREAM.LIST", "$JS.API.INFO", "$JS.API.STREAM.CREATE.MINE", "$JS.API.CONSUMER.CREATE.LLUM_LOG_0",
    "$JS.API.STREAM.MSG.GET.KV_LLUM_TOKENS", "$JS.API.DIRECT.GET.KV_LLUM_INSTALLATION.$KV.LLUM_INSTALLATION.inbox_key",
    "$JS.ACK.LLUM_LOG_0.a.1.1.1.1.1", "$KV.LLUM_TOKENS.a.bob.llum", "$KV.LLUM_INSTALLATION.inbox_key",
    "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.AUTH", "$SYS.REQ.USER.INFO", "$SYS.REQ.ACCOUNT.APPS.CONNZ",
    "$SYS.ACCOUNT.APPS.CONNECT", "$MQTT.sub.x", "$G.x", "_INBOX.somebody", "_INBOX_APP.a.b.c", "_R_.abcdef",
]  # fmt: skip

HEARD = [
    ">", "*", "*.>", "llum.>", "llum.*.*.*.*", "llum.cmd.>", OWN, "llum.log.>", "llum.query.>", "llum.event.>",
    "_INBOX.>", "_INBOX_APP.>", "_INBOX_APP.*.*.>", "_R_.>", "$SYS.>", "$SYS.ACCOUNT.APPS.>", "$SYS.REQ.USER.AUTH",
    "$JS.>", "$JS.API.>", "$KV.>", "$KV.LLUM_TOKENS.>", "$MQTT.>", "$G.>",
]  # fmt: skip

HEADERS = {
    "a schedule": "Nats-Schedule: @at 2020-01-01T00:00:00Z\r\nNats-Schedule-Target: llum.log.0.bob.llum.tell\r\n",
    "a lifetime": "Nats-TTL: 1s\r\n",
    "a rollup": "Nats-Rollup: all\r\n",
    "a counter": "Nats-Incr: +1\r\n",
    "a batch": "Nats-Batch-Id: b\r\nNats-Batch-Sequence: 1\r\nNats-Batch-Commit: 1\r\n",
}
"""What makes a stream do more than store a message: those of the log allow none of it."""


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        yield made


@asynccontextmanager
async def lamp(there: Ground, user: str = "alice") -> AsyncIterator[tuple[Raw, str]]:
    """Connect as the app of a person; its inbox comes with it."""
    token = await there.token(user, "lamp")
    async with raw(there.url, auth_token=token) as client:
        yield client, inbox_of_token(token) or ""


async def stored_of(there: Ground, user: str) -> int:
    """Count what the log holds of a person."""
    stream = log_stream_of(partition_of(user, PARTITIONS), DEFAULT_LOG_STREAMS)
    return await JetStream(there.llum.bus).count(stream, log_subjects_of_user(user))


async def test_no_subject_but_its_own_verbs_is_taken_from_it(there: Ground) -> None:
    """Another person's or app's, all of a kind by a wildcard, llum's own, JetStream's, buckets, nats-server's."""
    async with lamp(there) as (client, _inbox):
        before = await stored_of(there, "bob"), await stored_of(there, "alice")
        for subject in SUBJECTS:
            errors = await client.publish(subject, TELL)
            assert any("Permissions Violation" in error or "Invalid" in error for error in errors), subject
        assert (await stored_of(there, "bob"), await stored_of(there, "alice")) == before


async def test_nothing_is_heard_but_its_own_inbox(there: Ground) -> None:
    """Neither by a wildcard nor in a queue group, and not the inbox of an app that it knows by its whole name."""
    async with lamp(there, "bob") as (_bobs, bobs_inbox), lamp(there) as (client, inbox):
        assert await client.subscribe(f"{inbox}.>") == []
        for number, subject in enumerate([*HEARD, f"{bobs_inbox}.>", f"{bobs_inbox}.a"], 2):
            for queue in ("", "llum"):
                errors = await client.subscribe(subject, number, queue)
                assert any("Permissions Violation" in error for error in errors), (subject, queue)


async def test_no_header_makes_the_log_do_more_than_store(there: Ground) -> None:
    """nats-server refuses them all: nothing is written for anybody, nothing is erased."""
    async with lamp(there) as (client, inbox):
        await client.subscribe(f"{inbox}.>")
        before = await stored_of(there, "bob"), await stored_of(there, "alice")
        for name, headers in HEADERS.items():
            await client.publish(OWN, TELL, f"{inbox}.{name.replace(' ', '-')}", headers)
        await there.llum.tell("x", 2)
        assert await there.llum.values("x") == [2]
        assert (await stored_of(there, "bob"), await stored_of(there, "alice") - 1) == before


@pytest.mark.parametrize("place", ["the inbox of another app", "a subject of the log", "a command of somebody else"])
async def test_a_trace_of_a_message_goes_nowhere(there: Ground, place: str) -> None:
    """`Nats-Trace-Dest` has nats-server say where a message goes: to a subject that the sender may publish on."""
    async with lamp(there, "bob") as (bobs, bobs_inbox), lamp(there) as (client, _inbox):
        await bobs.subscribe(f"{bobs_inbox}.>")
        wanted = {
            "the inbox of another app": f"{bobs_inbox}.trace",
            "a subject of the log": "llum.log.0.bob.llum.tell",
            "a command of somebody else": "llum.cmd.bob.lamp.tell",
        }[place]
        before = await stored_of(there, "bob")
        await client.publish(OWN, TELL, headers=f"Nats-Trace-Dest: {wanted}\r\n")
        await there.llum.tell("x", 2)
        await bobs.send()
        assert bobs.messages == []
        assert await stored_of(there, "bob") == before


@pytest.mark.parametrize("reply", ["llum.cmd.bob.lamp.tell", "llum.cmd.alice.llum.forget", "llum.log.0.bob.llum.tell"])
async def test_no_answer_becomes_a_command(there: Ground, reply: str) -> None:
    """A reply subject that names one: neither the acknowledgement of a tell nor the reply to an ask is stored."""
    async with lamp(there) as (client, _inbox):
        before = await stored_of(there, "bob"), await stored_of(there, "alice")
        await client.publish(OWN, TELL, reply)
        await client.publish(ASK, QUERY, reply)
        await there.llum.until("x", [1])
        await there.llum.tell("x", 2, user="bob")
        assert (await stored_of(there, "bob") - 1, await stored_of(there, "alice") - 1) == before


@pytest.mark.parametrize("header", [REPLY_TO_HEADER, REPLY_TO_HEADER.upper(), REPLY_TO_HEADER.lower()])
async def test_an_outcome_goes_to_no_subject_but_an_inbox_of_the_sender_s(there: Ground, header: str) -> None:
    """Not to a command, a bucket or a wildcard, however the header is written, nor when it is there twice."""
    async with lamp(there, "bob") as (bobs, bobs_inbox), lamp(there) as (client, inbox):
        await bobs.subscribe(f"{bobs_inbox}.>")
        before = await stored_of(there, "bob")
        foreign = ["llum.cmd.bob.lamp.tell", "llum.log.0.bob.lamp.tell", "$KV.LLUM_TOKENS.a.b.c", f"{bobs_inbox}.a",
                   "_INBOX_APP.>", f"{bobs_inbox}.*", f"{inbox}/../{bobs_inbox}.a", "_INBOX_APP"]  # fmt: skip
        for number, place in enumerate(foreign):
            data = encode(Tell(id=f"{number}", context=["c"], component="x", evidence=NewEvidence(value=number)))
            await client.publish(OWN, data, headers=f"{header}: {inbox}.ok\r\n{header}: {place}\r\n")
            await client.publish(OWN, data, headers=f"{header}: {place}\r\n")
        await there.llum.until("x", list(range(len(foreign))))
        await there.llum.tell("x", 0)
        await bobs.send()
        assert bobs.messages == []
        assert await stored_of(there, "bob") == before


async def test_a_connection_cannot_choose_what_it_is(there: Ground) -> None:
    """Neither with a user, an account or permissions beside the token, nor with those of llum's own users."""
    token = await there.token("alice", "lamp")
    for more in ({"user": "bob"}, {"name": "alice/llum/x/1/owner"}, {"nkey": "U" + "A" * 55}):
        async with raw(there.url, auth_token=token, **more) as client:
            (error,) = await client.publish("llum.cmd.bob.lamp.tell")
            assert "Permissions Violation" in error
    own = ({"user": "worker", "auth_token": token}, {"user": "worker", "pass": "worker"}, {"user": "auth"})
    for login in (*own, {"auth_token": token, "account": "LLUM"}, {"jwt": "a.b.c"}, {"nkey": "U" + "A" * 55}):
        with pytest.raises(EOFError):
            async with raw(there.url, **login):
                pass


async def test_14_no_token_is_in_a_log_or_in_the_clear_in_a_bucket(
    there: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither good nor bad ones, whatever a connection does with them."""
    good, bad = await there.token("alice", "lamp"), f"llum_{'b' * 43}.{'0' * 16}.{'0' * 32}"
    async with raw(there.url, auth_token=good) as client:
        await client.publish("llum.cmd.bob.lamp.tell")
    with pytest.raises(EOFError):
        async with raw(there.url, auth_token=bad):
            pass
    printed = capsys.readouterr()
    logged = (there.data_dir / "log" / "nats-server.log").read_text() + printed.out + printed.err
    assert "connection_refused" in logged
    files = [file.read_bytes() for file in (there.data_dir / "nats").rglob("*") if file.is_file()]
    for token in (good, bad):
        secret = token.partition(".")[0]
        assert secret not in logged
        assert not any(secret.encode() in content for content in files)


async def test_one_app_cannot_keep_others_from_connecting(there: Ground) -> None:
    """It floods with half-made connections: nats-server ends them, and others come through."""
    token = await there.token("alice", "lamp")
    host, port = there.url.removeprefix("nats://").split(":")
    half = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
    try:
        async with raw(there.url, auth_token=token) as client:
            assert await client.publish(OWN, TELL) == []
    finally:
        for _, writer in half:
            writer.close()

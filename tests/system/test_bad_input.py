"""Bad input, from the bus as over HTTP, is refused with a stable code and the field, and llum goes on.

Each case is sent through JetStream and as a plain publish. Afterwards a good tell to the same person, thus to the same
partition, is accepted, by the same worker process.
"""

import asyncio
import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.system.harness import Llum
from tests.system.plain_bus import PlainBus, encode, tell
from tests.system.plain_http import PlainHttp
from tests.system.poison import ASKS, CASES, MEGABYTE, POSTS, RAW_BYTES, REPLY_SUBJECTS, SUBJECTS, changed, posted, raw

USER = "alice"

COMPONENTS = [
    {"name": "text"},
    {"name": "number", "value_type": "number"},
    {"name": "flag", "value_type": "boolean"},
    {"name": "choice", "value_type": "enum", "value_list": ["red", "blue"]},
    {"name": "json", "value_type": "JSON"},
]
MODEL = {"contexts": [{"path": ["Log"], "components": COMPONENTS}]}


@pytest.fixture(scope="module")
def llum(shared_llum: Llum) -> Llum:
    """A running llum in which alice has a model, and the app `probe` an owner's rights."""

    async def make() -> None:
        async with PlainBus.connect(shared_llum.nats) as bus:
            await bus.accept(USER, "_admin", {"verb": "make_model", "id": "make", "definition": MODEL})

    asyncio.run(make())
    shared_llum.token = shared_llum.run("admin", "token", USER, "--app", "probe", "--owner")  # type: ignore[attr-defined]
    return shared_llum


@pytest.fixture(autouse=True)
def _worker_goes_on(llum: Llum) -> Iterator[None]:
    """The worker and the edge that were there before a case are there after it."""
    before = (llum.pid("worker"), llum.pid("edge"), llum.pid("nats-server"))
    yield
    assert (llum.pid("worker"), llum.pid("edge"), llum.pid("nats-server")) == before


async def good_tell_works(bus: PlainBus) -> None:
    command = tell(f"good-{time.monotonic_ns()}", ["Log"], "text", "fine")
    outcome = await bus.accept(USER, "probe", command)
    evidence = await bus.evidence(USER, "probe", ["Log", "text"], min_seq=outcome["seq"])
    assert evidence[-1]["seq"] == outcome["seq"]
    assert {piece["value"] for piece in evidence} == {"fine"}


@pytest.mark.parametrize("way", ["jetstream", "core"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_bad_command_is_refused_recorded_and_passed_over(llum, shared_bus, case, way):
    """The outcome and the rejection name code and field, and the next tell is accepted."""
    mark = f"{way}-{CASES.index(case)}-"
    data = case.data.replace(b'"id": "', b'"id": "' + mark.encode()) if case.id else case.data
    data = data.replace(b'"id":"', b'"id":"' + mark.encode())
    outcome = await shared_bus.outcome(f"llum.cmd.{USER}.probe.{case.verb}", data, core=way == "core")
    assert outcome["outcome"] == "refused", outcome
    assert not outcome.get("repeated")
    assert (outcome["error"]["code"], outcome["error"].get("field")) == (case.code, case.field), outcome
    assert outcome.get("id") == (f"{mark}{case.id}" if case.id else None)
    rejection = await shared_bus.rejection(USER, "probe", outcome["seq"])
    assert rejection["error"] == outcome["error"]
    assert (rejection["user"], rejection["app"], rejection["verb"]) == (USER, "probe", case.verb)
    await good_tell_works(shared_bus)


async def test_a_value_of_ten_megabytes_is_cut_off_by_the_bus_itself(llum, shared_bus):
    """nats-server takes at most 8 MB: it ends the connection of whoever sends more, and nobody else's."""
    data = raw(b'"' + b"x" * 10 * MEGABYTE + b'"')
    parts = [b"PUB llum.cmd.alice.probe.tell %d\r\n" % len(data), data, b"\r\n"]
    said = await asyncio.to_thread(speak_nats, llum.nats, parts)
    assert b"maximum payload violation" in said.lower()
    await good_tell_works(shared_bus)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())
async def test_a_subject_with_odd_tokens_is_refused(llum, shared_bus, subject):
    """Whoever writes to such a subject has the outcome `bad_subject`; it is recorded under the user `_`."""
    outcome = await shared_bus.outcome(subject, changed())
    assert (outcome["outcome"], outcome["error"]["code"]) == ("refused", "bad_subject")
    assert (await shared_bus.rejection("_", "_", outcome["seq"]))["error"]["code"] == "bad_subject"
    await good_tell_works(shared_bus)


@pytest.mark.parametrize("token", ["x", "999999", "-1", "64", "²", "٣", "1e3", "0x1", "007", "9" * 1000])
async def test_a_log_subject_that_no_mapping_would_make_does_not_stall_the_log(llum, shared_bus, token):
    """The log's own subjects are passed over when they name no partition; every partition goes on."""
    await shared_bus.nc.publish(f"llum.log.{token}.alice.probe.tell", changed())
    await good_tell_works(shared_bus)
    assert_all_partitions_serve(llum)


async def test_a_command_in_a_partition_that_is_not_the_persons_meets_no_model(llum, shared_bus):
    """Whoever writes to the log's own subjects can misplace a command: it is refused, and the model is as it was."""
    await good_tell_works(shared_bus)
    before = await shared_bus.evidence(USER, "probe", ["Log", "text"])
    (subject,) = await shared_bus.subjects_of_log(f"llum.log.*.{USER}._admin.make_model")
    elsewhere = (int(subject.split(".")[2]) + 1) % 64
    outcome = await shared_bus.outcome(f"llum.log.{elsewhere}.{USER}.probe.tell", changed(id="misplaced"))
    assert (outcome["outcome"], outcome["error"]["code"]) == ("refused", "no_such_model")
    assert await shared_bus.evidence(USER, "probe", ["Log", "text"]) == before
    reply = await shared_bus.request(f"llum.query.{elsewhere}.{USER}.probe.ask", b'{"verb":"ask"}')
    assert reply is not None
    assert reply["error"]["code"] == "no_such_model"


@pytest.mark.parametrize("sent", RAW_BYTES.values(), ids=RAW_BYTES.keys())
async def test_bytes_that_no_client_library_would_send_do_not_stall_the_log(llum, shared_bus, sent):
    """What nats-server lets through of a hand-made protocol reaches the worker, which goes on."""
    await asyncio.to_thread(speak_nats, llum.nats, [sent])
    await good_tell_works(shared_bus)
    assert_all_partitions_serve(llum)


def speak_nats(url: str, parts: list[bytes]) -> bytes:
    """Log in, send bytes as a client, and give what the server says until its PONG or the end of the connection."""
    place = urlsplit(url)
    login = {"user": place.username, "pass": place.password}
    options = json.dumps({"verbose": False, "headers": True, "no_responders": True, **login}).encode()
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(b"CONNECT %b\r\nPING\r\n" % options)
        assert b"PONG" in _heard(connection)
        with contextlib.suppress(OSError):
            for part in [*parts, b"PING\r\n"]:
                connection.sendall(part)
        return _heard(connection)


def _heard(connection: socket.socket) -> bytes:
    said = b""
    with contextlib.suppress(OSError):
        while b"PONG" not in said and (more := connection.recv(65536)):
            said += more
    return said


def assert_all_partitions_serve(llum: Llum) -> None:
    status, answer = get(llum, "/ready")
    assert status == 200, answer


def get(llum: Llum, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(llum.http).netloc, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("reply_to", REPLY_SUBJECTS)
async def test_an_outcome_goes_to_no_subject_but_an_inbox(llum, shared_bus, reply_to):
    """The command is applied; nothing is published where its header points, and nothing new is in the log."""
    heard: list[Any] = []

    async def hear(message: Any) -> None:
        if b'"outcome"' in message.data:
            heard.append(message.subject)

    everything = await shared_bus.nc.subscribe(">", cb=hear)
    command = tell(f"astray-{REPLY_SUBJECTS.index(reply_to)}", ["Log"], "text", "fine")
    headers = {"Llum-Reply-To": reply_to}
    ack = await shared_bus.js.publish("llum.cmd.alice.probe.tell", encode(command), headers=headers)
    evidence = await shared_bus.evidence(USER, "probe", ["Log", "text"], min_seq=ack.seq)
    assert evidence[-1]["seq"] == ack.seq
    await good_tell_works(shared_bus)
    await everything.unsubscribe()
    strange = [subject for subject in heard if not subject.startswith("_INBOX.")]
    assert strange == []
    assert await shared_bus.subjects_of_log("llum.log.*.bob.>") == {}


@pytest.mark.parametrize("reply", ["llum.cmd.carol.x.tell", "llum.event.carol.told", "$JS.API.STREAM.PURGE.LLUM_LOG_0"])
async def test_the_reply_to_an_ask_goes_to_no_subject_but_an_inbox(llum, shared_bus, reply):
    """Such an ask is not answered: the worker may publish where the asker may not."""
    heard = await shared_bus.nc.subscribe(reply)
    also_heard = await shared_bus.nc.subscribe("llum.log.*.carol.>")
    for data in (b'{"verb":"ask"}', b"not JSON"):
        await shared_bus.nc.publish("llum.ask.alice.probe.ask", data, reply=reply)
        await shared_bus.nc.publish("llum.ask.Alice.probe.ask", data, reply=reply)
    await good_tell_works(shared_bus)
    assert heard.pending_msgs + also_heard.pending_msgs == 0
    assert await shared_bus.subjects_of_log("llum.log.*.carol.>") == {}


@pytest.mark.parametrize("asked", ASKS, ids=lambda asked: asked.name)
async def test_a_bad_ask_is_answered_with_code_and_field(llum, shared_bus, asked):
    """Nobody waits for a deadline to learn that an ask was wrong."""
    reply = await shared_bus.request(f"llum.ask.{USER}.probe.{asked.verb}", asked.data)
    assert reply is not None
    error = reply.get("error") or reply["failures"][0]["error"]
    assert (error["code"], error.get("field")) == (asked.code, asked.field), reply
    await good_tell_works(shared_bus)


@pytest.mark.parametrize("tokens", ["Alice.probe.ask", "alice.pro~be.ask", "alice.probe.Ask"])
async def test_an_ask_on_an_odd_subject_is_answered(llum, shared_bus, tokens):
    """It is answered `bad_subject`."""
    reply = await shared_bus.request(f"llum.ask.{tokens}", b'{"verb":"ask"}')
    assert reply is not None
    assert reply["error"]["code"] == "bad_subject"


@pytest.mark.parametrize("case", POSTS, ids=lambda case: case.name)
async def test_a_bad_post_is_answered_with_code_and_field(llum, shared_bus, case):
    """The status is 200, as the original's clients need it, or 413."""
    status, answer = await asyncio.to_thread(PlainHttp(llum.http, llum.token).call, case.op, case.body)
    assert status == case.status, answer
    assert answer["result"] == "error"
    error = answer["error"]
    assert (error["code"], error["field"]) == (case.code, case.field), answer
    assert error["message"]
    await good_tell_works(shared_bus)


async def test_an_unusable_idempotency_key_is_refused(llum, shared_bus):
    """The header is named as the field."""
    http = PlainHttp(llum.http, llum.token)
    for key in ("a b", "x" * 129, "\u00e9"):
        _, answer = await asyncio.to_thread(lambda key=key: http.call("tell", posted(), Idempotency_Key=key))
        assert (answer["error"]["code"], answer["error"]["field"]) == ("bad_field", "Idempotency-Key")


async def test_without_a_token_nothing_is_told(llum, shared_bus):
    """A made-up token is answered 401."""
    for token in ("llum_made-up", "x" * 5000):
        status, answer = await asyncio.to_thread(PlainHttp(llum.http, token).call, "tell", posted())
        assert (status, answer["error"]["code"]) == (401, "not_authenticated")


async def test_rejected_commands_are_listed_by_the_command_line(llum, shared_bus):
    """`llum admin rejected` names code, field and sequence of what was refused, the newest last, and no values."""
    secret = "my-secret-value"
    outcomes = [
        await shared_bus.send(USER, "probe", tell("to-list-1", ["Log"], "number", secret)),
        await shared_bus.send(USER, "probe", tell("to-list-2", ["Nowhere"], "text", secret)),
        await shared_bus.outcome(f"llum.cmd.{USER}.probe.tell", b"not JSON"),
    ]
    await shared_bus.rejection(USER, "probe", outcomes[-1]["seq"])
    printed = await asyncio.to_thread(llum.run, "admin", "rejected", USER, "--json")
    listed = json.loads(printed)["rejected"][-3:]
    assert [(one["seq"], one["error"]) for one in listed] == [(one["seq"], one["error"]) for one in outcomes]
    shown = await asyncio.to_thread(llum.run, "admin", "rejected", USER)
    assert "no_such_context" in shown
    assert secret not in shown + printed
    assert (await asyncio.to_thread(llum.command, "admin", "rejected", "No One")).returncode == 1

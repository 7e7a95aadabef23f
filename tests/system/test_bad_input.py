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
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.system.harness import Llum
from tests.system.plain_bus import PlainBus, encode, tell
from tests.system.plain_http import PlainHttp, tell_body

USER = "alice"

COMPONENTS = [
    {"name": "text"},
    {"name": "number", "value_type": "number"},
    {"name": "flag", "value_type": "boolean"},
    {"name": "choice", "value_type": "enum", "value_list": ["red", "blue"]},
    {"name": "json", "value_type": "JSON"},
]
MODEL = {"contexts": [{"path": ["Log"], "components": COMPONENTS}]}

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def llum(shared_llum: Llum) -> Llum:
    """A running llum in which alice has a model, and the app `probe` an owner's rights."""

    async def make() -> None:
        async with PlainBus.connect(shared_llum.nats) as bus:
            await bus.accept(USER, "llum", {"verb": "mkmodel", "id": "make", "definition": MODEL})

    asyncio.run(make())
    shared_llum.token = shared_llum.run("admin", "token", USER, "--app", "probe")  # type: ignore[attr-defined]
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


class Case(NamedTuple):
    """Bytes on the bus and the refusal that they get."""

    name: str
    data: bytes
    code: str
    field: str | None = None
    verb: str = "tell"
    id: str | None = None
    """The id that the outcome names; None where the message has no usable one."""


def raw(value: bytes) -> bytes:
    """Make a tell around the bytes of a value."""
    return b'{"verb":"tell","id":"raw","context":["Log"],"component":"json","evidence":{"value":' + value + b"}}"


def changed(**members: Any) -> bytes:
    """Make a good tell with some members changed; None leaves one out."""
    message = tell("changed", ["Log"], "text", "x") | members
    return encode({name: member for name, member in message.items() if member is not None})


def valued(component: str, value: Any, **evidence: Any) -> bytes:
    return encode(tell("valued", ["Log"], component, value, **evidence))


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


NOT_JSON = [
    Case("nothing", b"", "malformed"),
    Case("half an object", b'{"verb":', "malformed"),
    Case("no text", b"\x00\xff\xfe\x80", "malformed"),
    Case("words", b"hello", "malformed"),
    Case("two values", changed() + b" 1", "malformed"),
    Case("NaN", raw(b"NaN"), "malformed"),
    Case("an escaped lone surrogate", raw(rb'"\ud800"'), "malformed"),
    Case("a lone low surrogate", raw(rb'"\udc00 low"'), "malformed"),
    Case("a lone surrogate as key", raw(rb'{"\udfff":1}'), "malformed"),
    Case("a lone surrogate in UTF-8", raw(b'"\xed\xa0\x80"'), "malformed", id="raw"),
    Case("10,000 lists deep", raw(nested(10_000)), "too_deep"),
    Case("10,000 objects deep", raw(b'{"a":' * 10_000 + b"1" + b"}" * 10_000), "too_deep"),
    Case("7 MB of value", raw(b'"' + b"x" * 7 * MEGABYTE + b'"'), "too_large", id="raw"),
]

WRONG_FORM = [
    Case("a list", b"[]", "bad_field"),
    Case("a string", b'"tell"', "bad_field"),
    Case("id missing", changed(id=None), "bad_field", "id"),
    Case("component missing", changed(component=None), "bad_field", "component", id="changed"),
    Case("unknown member", changed(colour="red"), "bad_field", "colour", id="changed"),
    Case("unknown member of evidence", valued("text", "x", colour=1), "bad_field", "evidence.colour", id="valued"),
    Case("id a number", changed(id=5), "bad_field", "id"),
    Case("id empty", changed(id=""), "bad_field", "id"),
    Case("id with NUL", changed(id="a\0b"), "bad_field", "id"),
    Case("id with a space", changed(id="a b"), "bad_field", "id"),
    Case("id too long", changed(id="x" * 129), "bad_field", "id"),
    Case("context a string", changed(context="Log"), "bad_field", "context", id="changed"),
    Case("context of numbers", changed(context=[1]), "bad_field", "context[0]", id="changed"),
    Case("component a list", changed(component=["text"]), "bad_field", "component", id="changed"),
    Case("evidence a string", changed(evidence="x"), "bad_field", "evidence", id="changed"),
    Case("unknown evidence type", valued("text", "x", evidence_type="rumour"), "bad_field", "evidence.evidence_type", id="valued"),
    Case("time a string", valued("text", "x", time="now"), "bad_field", "evidence.time", id="valued"),
    Case("time out of all calendars", valued("text", "x", time=1e300), "bad_field", "evidence.time", id="valued"),
    Case("version 2", changed(v=2), "unsupported_version", "v", id="changed"),
    Case("version 10**30", changed(v=10**30), "unsupported_version", "v", id="changed"),
    Case("version a string", changed(v="one"), "unsupported_version", "v", id="changed"),
    Case("unknown verb", changed(verb="frobnicate"), "unknown_verb", "verb", verb="frobnicate", id="changed"),
    Case("verb of another subject", changed(), "unknown_verb", "verb", verb="mkview", id="changed"),
]  # fmt: skip

PATHS = [
    Case("dot dot", changed(context=["Log", ".."]), "bad_path", "context[1]", id="changed"),
    Case("dot", changed(context=["."]), "bad_path", "context[0]", id="changed"),
    Case("component dot dot", changed(component=".."), "bad_path", "component", id="changed"),
    Case("empty segment", changed(context=[""]), "bad_path", "context[0]", id="changed"),
    Case("NUL in the context", changed(context=["L\0g"]), "bad_path", "context[0]", id="changed"),
    Case("NUL in the component", changed(component="te\0xt"), "bad_path", "component", id="changed"),
    Case("line feed in the component", changed(component="te\nxt"), "bad_path", "component", id="changed"),
    Case("C1 control in the context", changed(context=["\x85"]), "bad_path", "context[0]", id="changed"),
    Case("33 segments", changed(context=["a"] * 33), "bad_path", "context", id="changed"),
    Case("257 characters", changed(context=["a" * 257]), "bad_path", "context[0]", id="changed"),
    Case("unknown component", changed(component="nothing"), "no_such_component", "component", id="changed"),
    Case("unknown context", changed(context=["Nowhere"]), "no_such_context", "context", id="changed"),
]

VALUES = [
    Case("NUL in a string", valued("text", "a\0b"), "bad_value", "evidence.value", id="valued"),
    Case("escape in a string", valued("text", "\x1b[2J"), "bad_value", "evidence.value", id="valued"),
    Case("NUL deep in JSON", valued("json", {"a": ["\0"]}), "bad_value", "evidence.value", id="valued"),
    Case("NUL in a key", valued("json", {"\0": 1}), "bad_value", "evidence.value", id="valued"),
    Case("NUL in a comment", valued("text", "x", comment="\0"), "bad_field", "evidence.comment", id="valued"),
    Case("NUL in a flag", valued("text", "x", flags=["\0"]), "bad_field", "evidence.flags[0]", id="valued"),
    Case("number for text", valued("text", 5), "bad_value", "evidence.value", id="valued"),
    Case("text for number", valued("number", "5"), "bad_value", "evidence.value", id="valued"),
    Case("boolean for number", valued("number", True), "bad_value", "evidence.value", id="valued"),
    Case("number for boolean", valued("flag", 1), "bad_value", "evidence.value", id="valued"),
    Case("null for text", valued("text", None), "bad_value", "evidence.value", id="valued"),
    Case("none of the enum", valued("choice", "green"), "bad_value", "evidence.value", id="valued"),
    Case("1e999", raw(b"1e999"), "bad_field", "evidence.value", id="raw"),
    Case("-1e999", raw(b"-1e999"), "bad_field", "evidence.value", id="raw"),
    Case("10**400", valued("number", 10**400), "bad_value", "evidence.value", id="valued"),
    Case("10**400 in JSON", valued("json", [10**400]), "bad_value", "evidence.value", id="valued"),
    Case("10**20", valued("number", 10**20), "bad_value", "evidence.value", id="valued"),
    Case("65 levels", raw(nested(65)), "too_deep", "evidence.value", id="raw"),
    Case("a comment of 5,000 characters", valued("text", "x", comment="x" * 5000), "too_large", "evidence.comment", id="valued"),
]  # fmt: skip

CASES = NOT_JSON + WRONG_FORM + PATHS + VALUES


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


SUBJECTS = {
    "capital letter": "llum.cmd.Alice.probe.tell",
    "odd user": "llum.cmd.al!ce.probe.tell",
    "accented user": "llum.cmd.alícia.probe.tell",
    "user too long": f"llum.cmd.{'a' * 65}.probe.tell",
    "odd app": "llum.cmd.alice.pro~be.tell",
    "capital verb": "llum.cmd.alice.probe.Tell",
    "verb too long": f"llum.cmd.alice.probe.{'t' * 33}",
}


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
    await shared_bus.js.publish(f"llum.log.{token}.alice.probe.tell", changed(), timeout=10)
    await good_tell_works(shared_bus)
    assert_all_partitions_serve(llum)


async def test_a_command_in_a_partition_that_is_not_the_persons_meets_no_model(llum, shared_bus):
    """Whoever writes to the log's own subjects can misplace a command: it is refused, and the model is as it was."""
    await good_tell_works(shared_bus)
    before = await shared_bus.evidence(USER, "probe", ["Log", "text"])
    (subject,) = await shared_bus.subjects_of_log(f"llum.log.*.{USER}.llum.mkmodel")
    elsewhere = (int(subject.split(".")[2]) + 1) % 64
    outcome = await shared_bus.outcome(f"llum.log.{elsewhere}.{USER}.probe.tell", changed(id="misplaced"))
    assert (outcome["outcome"], outcome["error"]["code"]) == ("refused", "no_such_model")
    assert await shared_bus.evidence(USER, "probe", ["Log", "text"], min_seq=outcome["seq"]) == before
    reply = await shared_bus.request(f"llum.query.{elsewhere}.{USER}.probe.ask", b'{"verb":"ask"}')
    assert reply is not None
    assert reply["error"]["code"] == "no_such_model"


RAW_BYTES = {
    "subject that is not UTF-8": b"PUB llum.cmd.al\xffce.probe.tell 2\r\n{}\r\n",
    "vertical tab in the subject": b"PUB llum.cmd.al\x0bce.probe.tell 2\r\n{}\r\n",
    "control character in the subject": b"PUB llum.cmd.al\x01ce.probe.tell 2\r\n{}\r\n",
    "NUL in the subject": b"PUB llum.cmd.al\x00ce.probe.tell 2\r\n{}\r\n",
    "headers without a line": b"HPUB llum.cmd.alice.probe.tell 12 14\r\nNATS/1.0\r\n\r\n{}\r\n",
    "headers with a strange status": b"HPUB llum.cmd.alice.probe.tell 16 18\r\nNATS/1.0 abc\r\n\r\n{}\r\n",
    "headers that are none": b"HPUB llum.cmd.alice.probe.tell 8 10\r\n\xff\xfe\xfd\xfc\r\n\r\n{}\r\n",
    "header that is not UTF-8": b"HPUB llum.cmd.alice.probe.tell 32 34\r\nNATS/1.0\r\nLlum-Reply-To: \xff\xff\r\n\r\n{}\r\n",
    "ask on a subject that is not UTF-8": b"PUB llum.ask.al\xffce.probe.ask _INBOX.x 2\r\n{}\r\n",
    "ask with a reply that is not UTF-8": b"PUB llum.ask.alice.probe.ask _INBOX.\xff 2\r\n{}\r\n",
    "ask with a reply on a command subject": b"PUB llum.ask.alice.probe.ask llum.cmd.bob.x.tell 2\r\n{}\r\n",
    "log subject that is not UTF-8": b"PUB llum.log.\xff.alice.probe.tell 2\r\n{}\r\n",
}


@pytest.mark.parametrize("sent", RAW_BYTES.values(), ids=RAW_BYTES.keys())
async def test_bytes_that_no_client_library_would_send_do_not_stall_the_log(llum, shared_bus, sent):
    """What nats-server lets through of a hand-made protocol reaches the worker, which goes on."""
    await asyncio.to_thread(speak_nats, llum.nats, [sent])
    await good_tell_works(shared_bus)
    assert_all_partitions_serve(llum)


def speak_nats(url: str, parts: list[bytes]) -> bytes:
    """Send bytes as a client, and give what the server says until its PONG or the end of the connection."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')
        with contextlib.suppress(OSError):
            for part in [*parts, b"PING\r\n"]:
                connection.sendall(part)
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


REPLY_SUBJECTS = [
    "llum.cmd.bob.x.tell",
    "llum.log.7.bob.x.tell",
    "$JS.API.STREAM.DELETE.LLUM_LOG_0",
    "_INBOX.>",
    "_INBOX.*",
    "x y",
    "",
]


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


class Asked(NamedTuple):
    name: str
    data: bytes
    code: str
    field: str | None = None
    verb: str = "ask"


ASKS = [
    Asked("nothing", b"", "malformed"),
    Asked("not JSON", b"{", "malformed"),
    Asked("10,000 deep", b'{"verb":"ask","view":' + nested(10_000) + b"}", "bad_field", "view[0][0]"),
    Asked("unknown verb", b'{"verb":"shout"}', "unknown_verb", "verb", verb="shout"),
    Asked("verb of another subject", b'{"verb":"access"}', "unknown_verb", "verb"),
    Asked("version 2", b'{"verb":"ask","v":2}', "unsupported_version", "v"),
    Asked("context a string", b'{"verb":"ask","context":"Log"}', "bad_field", "context"),
    Asked("unknown member", b'{"verb":"ask","colour":1}', "bad_field", "colour"),
    Asked("dot dot", b'{"verb":"ask","context":["Log",".."]}', "bad_path", "context[1]"),
    Asked("NUL", b'{"verb":"ask","context":["\\u0000"]}', "bad_path", "context[0]"),
    Asked("lone surrogate", b'{"verb":"ask","context":["\\ud800"]}', "malformed"),
    Asked("unknown context", b'{"verb":"ask","context":["Nowhere"]}', "no_such_context", "context"),
    Asked("unknown view", b'{"verb":"ask","context":["Log"],"view":"nothing"}', "no_such_view", "view"),
    Asked("unknown filter", b'{"verb":"ask","context":["Log"],"evidence_filter":{"name":"odd"}}', "bad_field", "evidence_filter.name"),
    Asked("filter without its argument", b'{"verb":"ask","context":["Log"],"evidence_filter":{"name":"recent_count"}}', "bad_filter", "evidence_filter.recent_count"),
    Asked("unknown resolver", b'{"verb":"ask","context":["Log"],"resolver":"oracle"}', "unknown_resolver", "resolver"),
    Asked("min_seq of 10**400", b'{"verb":"ask","min_seq":1' + b"0" * 400 + b"}", "bad_field", "min_seq"),
    Asked("as of -(10**400)", b'{"verb":"ask","as_of_seq":-1' + b"0" * 400 + b"}", "bad_field", "as_of_seq"),
    Asked("as of before any calendar", b'{"verb":"ask","as_of_time":-1e300}', "bad_field", "as_of_time"),
    Asked("evidence after 10**400", b'{"verb":"ask","context":["Log"],"include_evidence":true,"evidence_after":[1' + b"0" * 400 + b",0]}", "bad_field", "evidence_after[0]"),
]  # fmt: skip


@pytest.mark.parametrize("asked", ASKS, ids=lambda asked: asked.name)
async def test_a_bad_ask_is_answered_with_code_and_field(llum, shared_bus, asked):
    """Nobody waits for a deadline to learn that an ask was wrong."""
    reply = await shared_bus.request(f"llum.ask.{USER}.probe.{asked.verb}", asked.data)
    assert reply is not None
    error = reply.get("error") or reply["failures"][0]["error"]
    assert (error["code"], error.get("field")) == (asked.code, asked.field), reply
    await good_tell_works(shared_bus)


@pytest.mark.parametrize("subject", ["llum.ask.Alice.probe.ask", "llum.ask.alice.pro~be.ask", "llum.ask.alice.probe.Ask"])
async def test_an_ask_on_an_odd_subject_is_answered(llum, shared_bus, subject):
    """It is answered `bad_subject`."""
    reply = await shared_bus.request(subject, b'{"verb":"ask"}')
    assert reply is not None
    assert reply["error"]["code"] == "bad_subject"


class Posted(NamedTuple):
    name: str
    body: bytes | dict[str, Any]
    code: str
    field: str | None = None
    status: int = 200
    op: str = "tell"


def posted(context: Any = ("Log",), component: Any = "text", value: Any = "x", **evidence: Any) -> dict[str, Any]:
    return tell_body(list(context) if isinstance(context, tuple) else context, component, value, **evidence)


def post_raw(value: bytes) -> bytes:
    head = b'{"version":"11.2","modelname":"-","context":["Log"],"componentid":"json",'
    return head + b'"evidence":{"evidence_type":"explicit","value":' + value + b"}}"


POSTS = [
    Posted("nothing", b"", "malformed"),
    Posted("not JSON", b"{", "malformed"),
    Posted("no text", b"\xff\xfe", "malformed"),
    Posted("a list", b"[]", "bad_field"),
    Posted("evidence missing", {"modelname": "-", "context": ["Log"], "componentid": "text"}, "bad_field", "evidence"),
    Posted("componentid a number", posted(component=5), "bad_field", "componentid"),
    Posted("evidence a string", posted() | {"evidence": "x"}, "bad_field", "evidence"),
    Posted("unknown evidence type", posted(evidence_type="rumour"), "bad_field", "evidence.evidence_type"),
    Posted("dot dot", posted(context=("Log", "..")), "bad_path", "context[1]"),
    Posted("dot dot in one string", posted(context="Log/../Log"), "bad_path", "context[1]"),
    Posted("dot", posted(component="."), "bad_path", "componentid"),
    Posted("NUL in the context", posted(context=("L\0g",)), "bad_path", "context[0]"),
    Posted("NUL in the component", posted(component="te\0xt"), "bad_path", "componentid"),
    Posted("NUL in the value", posted(value="a\0b"), "bad_value", "evidence.value"),
    Posted("NUL in the id", posted() | {"id": "a\0b"}, "bad_field", "id"),
    Posted("unknown component", posted(component="nothing"), "no_such_component", "componentid"),
    Posted("unknown context", posted(context=("Nowhere",)), "no_such_context", "context"),
    Posted("number for text", posted(value=5), "bad_value", "evidence.value"),
    Posted("another's model", posted() | {"modelname": "bob"}, "permission_denied", "modelname"),
    Posted("10 MB of value", post_raw(b'"' + b"x" * 10 * MEGABYTE + b'"'), "too_large", None, 413),
    Posted("1 MB of value", post_raw(b'"' + b"x" * MEGABYTE + b'"'), "too_large", None, 413),
    Posted("10,000 deep", post_raw(nested(10_000)), "too_deep"),
    Posted("65 deep", post_raw(nested(65)), "too_deep", "evidence.value"),
    Posted("1e999", post_raw(b"1e999"), "bad_field", "evidence[...]"),
    Posted("10**400", post_raw(b"1" + b"0" * 400), "bad_value", "evidence.value"),
    Posted("lone surrogate", post_raw(rb'"\ud800"'), "malformed"),
    Posted("lone surrogate as text", post_raw(rb'"\udc00!"'), "malformed"),
    Posted("time of 1e300", posted(time=1e300), "bad_field", "evidence.time"),
    Posted("ask dot dot", {"context": [".."], "view": ["text"]}, "bad_path", "context[0]", op="ask"),
    Posted("ask unknown filter", {"context": ["Log"], "resolver": {"evidence_filter": "odd"}}, "bad_filter", "resolver.evidence_filter", op="ask"),
    Posted("mkcontext with NUL", {"context": [], "contextobj": {"Identifier": "\0"}}, "bad_path", "contextobj.Identifier", op="mkcontext"),
    Posted("mkcomponent dot dot", {"context": ["Log"], "componentobj": {"Identifier": ".."}}, "bad_path", "componentobj.Identifier", op="mkcomponent"),
    Posted("mkview NUL", {"context": ["Log"], "viewobj": {"Identifier": "v", "component_list": ["\0"]}}, "bad_path", "viewobj.component_list[0]", op="mkview"),
]  # fmt: skip


@pytest.mark.parametrize("case", POSTS, ids=lambda case: case.name)
async def test_a_bad_post_is_answered_with_code_and_field(llum, shared_bus, case):
    """`val` is [code, message, field, hint]; the status is 200, as the original's clients need it, or 413."""
    status, answer = await asyncio.to_thread(PlainHttp(llum.http, llum.token).call, case.op, case.body)
    assert status == case.status, answer
    assert answer["result"] == "error"
    code, message, field, _hint = answer["val"]
    assert (code, field) == (case.code, case.field), answer
    assert message
    await good_tell_works(shared_bus)


async def test_an_unusable_idempotency_key_is_refused(llum, shared_bus):
    """The header is named as the field."""
    http = PlainHttp(llum.http, llum.token)
    for key in ("a b", "x" * 129, "\u00e9"):
        _, answer = await asyncio.to_thread(lambda key=key: http.call("tell", posted(), Idempotency_Key=key))
        assert (answer["val"][0], answer["val"][2]) == ("bad_field", "Idempotency-Key")


async def test_without_a_token_nothing_is_told(llum, shared_bus):
    """A made-up token is answered 401."""
    for token in ("llum_made-up", "x" * 5000):
        status, answer = await asyncio.to_thread(PlainHttp(llum.http, token).call, "tell", posted())
        assert (status, answer["val"][0]) == (401, "not_authenticated")


async def test_rejected_commands_are_listed_by_the_command_line(llum, shared_bus):
    """`llum admin rejected` names code, field and sequence of what was refused, the newest last, and no values."""
    secret = "my-secret-value"
    outcomes = [
        await shared_bus.send(USER, "probe", tell("to-list-1", ["Log"], "number", secret)),
        await shared_bus.send(USER, "probe", tell("to-list-2", ["Nowhere"], "text", secret)),
        await shared_bus.outcome(f"llum.cmd.{USER}.probe.tell", b"not JSON"),
    ]
    await shared_bus.rejection(USER, "probe", outcomes[-1]["seq"])
    lines = (await asyncio.to_thread(llum.run, "admin", "rejected", USER, "--json")).splitlines()
    listed = [json.loads(line) for line in lines][-3:]
    assert [(one["seq"], one["error"]) for one in listed] == [(one["seq"], one["error"]) for one in outcomes]
    shown = await asyncio.to_thread(llum.run, "admin", "rejected", USER)
    assert "no_such_context" in shown
    assert secret not in shown + "".join(lines)
    assert (await asyncio.to_thread(llum.command, "admin", "rejected", "No One")).returncode == 1

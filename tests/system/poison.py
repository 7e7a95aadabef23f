"""Tables of bad input, each with the refusal that it must get."""

from typing import Any, NamedTuple

from tests.system.plain_bus import encode, tell
from tests.system.plain_http import tell_body

MEGABYTE = 1024 * 1024


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
    Case("odd type", valued("text", "x", evidence_type="odd"), "bad_field", "evidence.evidence_type", id="valued"),
    Case("time a string", valued("text", "x", time="now"), "bad_field", "evidence.time", id="valued"),
    Case("time out of all calendars", valued("text", "x", time=1e300), "bad_field", "evidence.time", id="valued"),
    Case("version 2", changed(v=2), "unsupported_version", "v", id="changed"),
    Case("version 10**30", changed(v=10**30), "unsupported_version", "v", id="changed"),
    Case("version a string", changed(v="one"), "unsupported_version", "v", id="changed"),
    Case("unknown verb", changed(verb="frobnicate"), "unknown_verb", "verb", verb="frobnicate", id="changed"),
    Case("verb of another subject", changed(), "unknown_verb", "verb", verb="make_view", id="changed"),
]

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
    Case("long comment", valued("text", "x", comment="x" * 5000), "too_large", "evidence.comment", id="valued"),
]

CASES = NOT_JSON + WRONG_FORM + PATHS + VALUES

SUBJECTS = {
    "capital letter": "llum.cmd.Alice.probe.tell",
    "odd user": "llum.cmd.al!ce.probe.tell",
    "accented user": "llum.cmd.alícia.probe.tell",
    "user too long": f"llum.cmd.{'a' * 65}.probe.tell",
    "odd app": "llum.cmd.alice.pro~be.tell",
    "capital verb": "llum.cmd.alice.probe.Tell",
    "verb too long": f"llum.cmd.alice.probe.{'t' * 33}",
}

RAW_BYTES = {
    "subject that is not UTF-8": b"PUB llum.cmd.al\xffce.probe.tell 2\r\n{}\r\n",
    "vertical tab in the subject": b"PUB llum.cmd.al\x0bce.probe.tell 2\r\n{}\r\n",
    "control character in the subject": b"PUB llum.cmd.al\x01ce.probe.tell 2\r\n{}\r\n",
    "NUL in the subject": b"PUB llum.cmd.al\x00ce.probe.tell 2\r\n{}\r\n",
    "headers without a line": b"HPUB llum.cmd.alice.probe.tell 12 14\r\nNATS/1.0\r\n\r\n{}\r\n",
    "headers with a strange status": b"HPUB llum.cmd.alice.probe.tell 16 18\r\nNATS/1.0 abc\r\n\r\n{}\r\n",
    "headers that are none": b"HPUB llum.cmd.alice.probe.tell 8 10\r\n\xff\xfe\xfd\xfc\r\n\r\n{}\r\n",
    "header that is not UTF-8": b"HPUB llum.cmd.alice.probe.tell 18 20\r\nNATS/1.0\r\nA: \xff\xff\r\n\r\n{}\r\n",
    "ask on a subject that is not UTF-8": b"PUB llum.ask.al\xffce.probe.ask _INBOX.x 2\r\n{}\r\n",
    "ask with a reply that is not UTF-8": b"PUB llum.ask.alice.probe.ask _INBOX.\xff 2\r\n{}\r\n",
    "ask with a reply on a command subject": b"PUB llum.ask.alice.probe.ask llum.cmd.bob.x.tell 2\r\n{}\r\n",
    "log subject that is not UTF-8": b"PUB llum.log.\xff.alice.probe.tell 2\r\n{}\r\n",
}

REPLY_SUBJECTS = [
    "llum.cmd.bob.x.tell",
    "llum.log.7.bob.x.tell",
    "$JS.API.STREAM.DELETE.LLUM_LOG_0",
    "_INBOX.>",
    "_INBOX.*",
    "x y",
    "",
]


class Asked(NamedTuple):
    name: str
    data: bytes
    code: str
    field: str | None = None
    verb: str = "ask"


def ask(**members: Any) -> bytes:
    return encode({"verb": "ask", "context": ["Log"], **members})


ASKS = [
    Asked("nothing", b"", "malformed"),
    Asked("not JSON", b"{", "malformed"),
    Asked("10,000 deep", b'{"verb":"ask","view":' + nested(10_000) + b"}", "bad_field", "view[0][0]"),
    Asked("unknown verb", b'{"verb":"shout"}', "unknown_verb", "verb", verb="shout"),
    Asked("verb of another subject", b'{"verb":"access"}', "unknown_verb", "verb"),
    Asked("version 2", ask(v=2), "unsupported_version", "v"),
    Asked("context a string", ask(context="Log"), "bad_field", "context"),
    Asked("unknown member", ask(colour=1), "bad_field", "colour"),
    Asked("dot dot", ask(context=["Log", ".."]), "bad_path", "context[1]"),
    Asked("NUL", ask(context=["\0"]), "bad_path", "context[0]"),
    Asked("lone surrogate", b'{"verb":"ask","context":["\\ud800"]}', "malformed"),
    Asked("unknown context", ask(context=["Nowhere"]), "no_such_context", "context"),
    Asked("unknown view", ask(view="nothing"), "no_such_view", "view"),
    Asked("unknown filter", ask(evidence_filter={"name": "odd"}), "bad_field", "evidence_filter.name"),
    Asked("no count", ask(evidence_filter={"name": "recent_count"}), "bad_filter", "evidence_filter.recent_count"),
    Asked("unknown resolver", ask(resolver="oracle"), "unknown_resolver", "resolver"),
    Asked("min_seq of 10**400", ask(min_seq=10**400), "bad_field", "min_seq"),
    Asked("as of -(10**400)", ask(as_of_seq=-(10**400)), "bad_field", "as_of_seq"),
    Asked("as of before any calendar", ask(as_of_time=-1e300), "bad_field", "as_of_time"),
    Asked("after 10**400", ask(include_evidence=True, evidence_after=[10**400, 0]), "bad_field", "evidence_after[0]"),
]


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


def in_log(**members: Any) -> dict[str, Any]:
    return {"modelname": "-", "context": ["Log"], **members}


VIEW_OF_NUL = {"Identifier": "v", "component_list": ["\0"]}

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
    Posted("list for text", posted(value=[5]), "bad_value", "evidence.value"),
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
    Posted(
        "unknown filter",
        in_log(resolver={"evidence_filter": "odd"}),
        "bad_filter",
        "resolver.evidence_filter",
        op="ask",
    ),
    Posted("name NUL", in_log(contextobj={"Identifier": "\0"}), "bad_path", "contextobj.Identifier", op="mkcontext"),
    Posted(
        "name ..", in_log(componentobj={"Identifier": ".."}), "bad_path", "componentobj.Identifier", op="mkcomponent"
    ),
    Posted("view of NUL", in_log(viewobj=VIEW_OF_NUL), "bad_path", "viewobj.component_list[0]", op="mkview"),
]
